//! Which sockets there are. The kernel lists what every socket hears; there is no event to wait
//! for.

use std::thread;

use isotp_core::Id;

use crate::deadline::Deadline;
use crate::raw::raw_id;

/// Waits until a socket listens to the id: one of `isotp`, or `raw`.
pub(crate) fn come(id: Id, kind: &str, deadline: Deadline) -> Result<(), String> {
    while !is_heard(id, kind)? {
        deadline.left("a socket to listen")?;
        thread::yield_now();
    }
    Ok(())
}

/// Waits until no ISO-TP socket does. The project's adapter lets a thread close its sockets, since that can take
/// the kernel a while.
pub(crate) fn go(id: Id, deadline: Deadline) -> Result<(), String> {
    while is_heard(id, "isotp")? {
        deadline.left("the last ISO-TP socket to be closed")?;
        thread::yield_now();
    }
    Ok(())
}

fn is_heard(id: Id, kind: &str) -> Result<bool, String> {
    let list = if id.is_extended() {
        "/proc/net/can/rcvlist_eff"
    } else {
        "/proc/net/can/rcvlist_sff"
    };
    let text = std::fs::read_to_string(list).map_err(|error| format!("{list}: {error}"))?;
    Ok(text.lines().any(|line| {
        let mut words = line.split_whitespace();
        // device, id with its flags, mask, ..., who listens
        let listed = words
            .nth(1)
            .and_then(|word| u32::from_str_radix(word, 16).ok());
        listed == Some(raw_id(id)) && words.any(|word| word == kind)
    }))
}
