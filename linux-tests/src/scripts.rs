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

/// What a connection does where it differs from the core on purpose: messages wait for each other, where
/// a link refuses the second.
pub(crate) fn on_a_connection(script: &str) -> Option<&'static [&'static str]> {
    let mut differing = ON_A_CONNECTION.iter();
    differing
        .find(|(name, _)| *name == script)
        .map(|(_, lines)| *lines)
}

const ON_A_CONNECTION: &[(&str, &[&str])] = &[(
    "second-send-while-busy",
    &[
        "1: tx 10 14 00 01 02 03 04 05",
        "3: tx 21 06 07 08 09 0A 0B 0C",
        "3: tx 22 0D 0E 0F 10 11 12 13",
        "3: tx 03 00 01 02",
        "3: sent",
        "3: sent",
    ],
)];
