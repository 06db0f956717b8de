//! The connection contract as tests: each is named by the sentence that it holds, is written once, and runs
//! under every runtime and on every way: a bus in memory, raw sockets, the kernel's ISO-TP, isotpserver.
//!
//! [`Under`] is implemented for each runtime, behind the feature of its name; its crate calls [`suite!`], which makes a test of each case
//! on a bus in memory, and of those that a client of isotpserver can hold. `linux-tests` takes [`CASES`] and
//! runs them on interfaces. What a way leaves out it says, with the reason: [`left_out`].
//!
//! Here the clock is the real one; what needs a clock that the test sets is in the tests of `isotp-tokio`.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "the name of a case is what it says, and a case that fails panics"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a case that fails panics"
)]

mod bridge;
mod buses;
mod cases;
mod dropping;
mod dropping_handles;
mod ending;
mod functional;
mod guarantees;
mod guests;
mod left_out;
mod panics;
mod peer;
mod points;
mod queues;
mod receiving;
mod resources;
mod runtimes;
mod sending;
mod serving;
mod streams;
mod suite;
mod under;
mod world;

pub use cases::{BRIDGE_CASES, CASES, Case};
pub use left_out::left_out;
pub use resources::{alone, is_alone};
pub use runtimes::*;
pub use suite::{over_isotpserver, run};
pub use under::{Body, Bytes, ReadWrite, Stop, Under};
pub use world::{Way, World};
