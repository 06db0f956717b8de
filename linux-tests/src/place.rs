//! Where a case runs: a network of its own, with an interface of its own.

use crate::{sys, tool};

/// Whether processes of this user may make networks and interfaces: one of them tries.
pub(crate) fn may_make_networks() -> bool {
    let worker = std::process::Command::new("/proc/self/exe")
        .args(["--worker", "--network"])
        .stdin(std::process::Stdio::null())
        .output();
    worker.is_ok_and(|output| output.status.success())
}

/// Moves this process to a new network, in which a vcan0 is up.
pub(crate) fn enter_new_network() -> Result<(), String> {
    sys::new_network().map_err(|error| format!("a network of its own: {error}"))?;
    make_vcan("vcan0")
}

/// A virtual bus that carries FD frames.
pub(crate) fn make_vcan(name: &str) -> Result<(), String> {
    tool::run("ip", &format!("link add {name} type vcan"))?;
    tool::run("ip", &format!("link set {name} up mtu 72")).map(drop)
}
