//! What must hold for any input: the oracles that the fuzz targets, and the replay of what they found, call.
//!
//! Each takes bytes and says what does not hold, if anything. The bytes are choices: a configuration,
//! then calls, frames, times and faults. The properties P1 to P8 are those of isotp-core's tests.
#![forbid(unsafe_code)]

mod isotpserver;
mod link;
pub mod model;
mod observer;
mod pair;
mod pdu;
mod receiver;
mod router;
mod seeds;
mod sender;
mod setup;
mod source;
mod watch;
mod worlds;

use isotp_testkit::ensure;

pub use isotp_testkit::Verdict;
pub use pair::Figures;
pub use seeds::seeds;
pub use source::Source;
pub use worlds::world;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folders.
    pub name: &'static str,
    /// What must hold for these bytes.
    pub check: fn(&[u8]) -> Verdict,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pdu",
        check: pdu::check,
    },
    Target {
        name: "receiver",
        check: receiver::check,
    },
    Target {
        name: "sender",
        check: sender::check,
    },
    Target {
        name: "link",
        check: link::check,
    },
    Target {
        name: "pair",
        check: pair::check,
    },
    Target {
        name: "router",
        check: router::check,
    },
    Target {
        name: "observer",
        check: observer::check,
    },
    Target {
        name: "isotpserver",
        check: isotpserver::check,
    },
];

/// Checks `input` with the oracle of this name.
///
/// # Panics
/// If something does not hold, or there is no such target.
pub fn hold(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("no target is called {name}"));
    if let Err(error) = (target.check)(input) {
        panic!("{name}: {error}");
    }
}
