//! Rules that the language of the conformance vectors cannot say, each test named by what it proves
//! and the rules in `docs/conformance.md` that it holds.
#![allow(
    clippy::indexing_slicing,
    reason = "tests check by panicking, and slice at will"
)]

mod addressing;
mod bad_input;
mod clocks;
mod codes;
mod controllers;
mod driver;
mod field_faults;
mod listening;
mod misuse;
mod node;
mod pains;
mod presets;
mod random;
mod service;
mod timers;
