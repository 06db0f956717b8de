//! Pages to read: which crate to take, how a program that uses aioisotp is moved, and what each error means
//! to the person at the bench.
//!
//! They are here in the documentation alone.

#[doc = include_str!("../pages/which-crate.md")]
pub mod which_crate {}

#[doc = include_str!("../pages/coming-from-aioisotp.md")]
pub mod coming_from_aioisotp {}

#[doc = include_str!("../pages/what-happens-when.md")]
pub mod what_happens_when {}
