//! What a case is, and which there are.

use std::sync::LazyLock;

use crate::{
    bridge, contract, differential, dump, duplex, faults, grid, modules, pacing, raw_bus, runtimes,
    tool, unprivileged,
};

/// One named test. It runs in a process of its own.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Beyond a CAN interface.
    pub(crate) needs: &'static [Need],
    /// After so many seconds it is killed, and has failed.
    pub(crate) seconds: u64,
    /// Gets the name of an interface that is up; gives what is worth a remark.
    pub(crate) run: Box<Run>,
}

impl Case {
    /// Beside which others it can run.
    pub(crate) fn company(&self) -> Company {
        let is_one_of = |names: &[&str]| names.iter().any(|name| self.name.starts_with(name));
        if self.needs.contains(&Need::Controllers) {
            Company::Controllers
        } else if self.needs.contains(&Need::Modules) || is_one_of(&ALONE) {
            Company::Nobody
        } else if is_one_of(&TIMED) {
            Company::OneOnEachProcessor
        } else if is_one_of(&IDLE) || self.name.ends_with(IDLE_CONTRACT) {
            Company::Idle
        } else {
            Company::Anybody
        }
    }
}

/// Beside which others a case can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// Beside nobody: it uses the controllers, which are there once, and overrun where the machine is busy.
    Controllers,
    Anybody,
    /// Beside those that wait as it does: it measures the processor time of its own process meanwhile.
    Idle,
    /// Beside cases on other processors: it measures time.
    OneOnEachProcessor,
    /// Beside nobody: it needs more than one processor, measures speed, or changes what is there once.
    Nobody,
}

const IDLE: [&str; 3] = [
    "raw/idle",
    "kernel connection/after errors nothing spins",
    "kernel connection/an idle one costs nothing",
];
const IDLE_CONTRACT: &str = "/an_idle_network_burns_no_processor_time";
const TIMED: [&str; 5] = [
    "pacing/",
    "raw/faults/bus-off",
    "raw/pacing",
    "kernel links/hundreds that",
    "kernel options/separation times",
];
const ALONE: [&str; 2] = ["raw/load/", "kernel connection/no wake-up is lost"];

/// The body of a case.
pub(crate) type Run = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// What not every Linux machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The kernel's ISO-TP.
    Isotp,
    /// The programs of can-utils.
    CanUtils,
    /// Rights over the network: interfaces are made, shut and removed.
    Network,
    /// `can0` and `can1`, two controllers on one bus.
    Controllers,
    /// Modules can be unloaded and loaded: only where nobody else needs them.
    Modules,
}

impl Need {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Isotp => "the kernel's ISO-TP (modprobe can-isotp)",
            Self::CanUtils => "can-utils",
            Self::Network => "root's rights over the network",
            Self::Controllers => "the controllers can0 and can1 on one bus",
            Self::Modules => "the emulated machine, where modules can be unloaded",
        }
    }

    /// Whether this machine has it.
    pub(crate) fn is_met(self, network: bool) -> bool {
        match self {
            Self::Isotp => crate::sys::can_socket(libc::SOCK_DGRAM, libc::CAN_ISOTP).is_ok(),
            Self::CanUtils => ["isotpsend", "isotprecv", "isotpdump", "isotpserver"]
                .into_iter()
                .all(tool::is_here),
            Self::Network => network,
            Self::Modules => network && std::path::Path::new("/modules/can_isotp.ko").exists(),
            Self::Controllers => {
                let kvaser = |name: &str| {
                    let driver = format!("/sys/class/net/{name}/device/driver");
                    std::fs::read_link(driver).is_ok_and(|path| path.ends_with("kvaser_pci"))
                };
                network && kvaser("can0") && kvaser("can1")
            }
        }
    }
}

/// Every case of the lane; with `all`, those that take hours too.
pub(crate) fn cases(all: bool) -> Vec<Case> {
    let mut cases = small();
    cases.extend(grid::cases(all));
    if all {
        cases.extend(raw_bus::long_cases());
    }
    cases
}

/// Runs the case of this name. Those of the grid are read from their name, since making the list takes a
/// while; the others are listed once.
pub(crate) fn run(name: &str, interface: &str) -> Result<String, String> {
    static SMALL: LazyLock<Vec<Case>> =
        LazyLock::new(|| small().into_iter().chain(raw_bus::long_cases()).collect());
    if let Some(case) = grid::case(name) {
        return (case.run)(interface);
    }
    let case = SMALL.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| format!("there is no case {name}"))?;
    (case.run)(interface)
}

/// Everything but the grid.
fn small() -> Vec<Case> {
    let mut cases = differential::cases();
    cases.extend(crate::cases::adapters());
    cases.extend(raw_bus::cases());
    cases.extend(faults::cases());
    cases.extend(duplex::cases());
    cases.extend(pacing::cases());
    cases.extend(dump::cases());
    cases.extend(bridge::cases());
    cases.extend(runtimes::cases());
    cases.extend(contract::cases());
    cases.extend(modules::cases());
    cases.extend(unprivileged::cases());
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_some_cases_is_said_of_cases_that_exist() {
        let cases = cases(true);
        for name in IDLE.iter().chain(&TIMED).chain(&ALONE) {
            let known = cases.iter().any(|case| case.name.starts_with(name));
            assert!(known, "no case begins with {name}");
        }
        assert!(cases.iter().any(|case| case.name.ends_with(IDLE_CONTRACT)));
    }
}
