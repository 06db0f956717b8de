//! The scripts of the differential test, each with what both stacks do. A line of what is expected
//! begins with the number of its step.

mod formats;
mod links;
mod receiving;
mod sending;

use crate::differential::Script;

/// Every script.
pub(crate) fn scripts() -> impl Iterator<Item = &'static Script> {
    [receiving::SCRIPTS, sending::SCRIPTS, formats::SCRIPTS]
        .into_iter()
        .flatten()
}
