//! Links of any configuration, and calls in any order: what the properties of the core and the oracles
//! of the fuzz targets have in common. They differ in where their choices come from.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    reason = "not published; fields and variants have the names of what they stand for in the core"
)]

mod choose;
mod fleet;
mod host;
mod layout;
mod script;
mod setup;
mod trouble;

/// What a check says: `Err` with what does not hold.
pub type Verdict = Result<(), String>;

/// Returns an error from a check unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

pub use choose::Choose;
pub use fleet::{Fleet, paired_link};
pub use host::Host;
pub use layout::Layout;
pub use script::{Caller, Idea, Op, Step, Subject, Take, TokenIdea, op};
pub use setup::{Buffer, FORMATS, Format, LIMIT, Setup, Side, TestLink, byte, pattern};
pub use trouble::Trouble;
