//! Where a case runs: a network of its own, with an interface of its own.

use crate::{interface, sys};

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
    interface::add_vcan("vcan0")
}
