//! What a case is, and which there are.

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
    /// Whether it uses what there is once.
    pub(crate) fn drives_controllers(&self) -> bool {
        self.needs.contains(&Need::Controllers)
    }

    /// Whether it must have the machine for itself: it measures time or the processor, or changes what
    /// is there once.
    pub(crate) fn is_alone(&self) -> bool {
        self.drives_controllers()
            || self.needs.contains(&Need::Modules)
            || ALONE.iter().any(|name| self.name.starts_with(name))
    }
}

/// Cases that fail, or mean nothing, beside others.
const ALONE: [&str; 9] = [
    "pacing/",
    "raw/load/",
    "raw/idle",
    "raw/pacing",
    "kernel connection/after errors nothing spins",
    "kernel connection/an idle one costs nothing",
    "kernel connection/no wake-up is lost",
    "kernel links/hundreds that",
    "kernel options/separation times",
];

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

/// The case of this name. Those of the grid are read from their name, since making the list takes a
/// while.
pub(crate) fn find(name: &str) -> Option<Case> {
    grid::case(name).or_else(|| {
        let mut cases = small().into_iter().chain(raw_bus::long_cases());
        cases.find(|case| case.name == name)
    })
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
