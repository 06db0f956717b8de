//! The adapters for Linux, as programs use them.

mod kernel_channel;
mod kernel_faults;
mod kernel_links;
mod kernel_options;
mod kernel_socket;
mod peer;
mod socketcan_links;

use crate::case::{Case, Need};
use crate::deadline::under_tokio;

/// The cases of the kernel's sockets, alone and under connections.
pub(crate) fn adapters() -> Vec<Case> {
    [
        kernel_socket::CASES,
        kernel_options::CASES,
        kernel_channel::CASES,
        kernel_faults::CASES,
        kernel_links::CASES,
        socketcan_links::CASES,
    ]
    .concat()
    .into_iter()
    .map(|(name, run)| Case {
        name: name.to_owned(),
        needs: &[Need::Isotp, Need::Network],
        seconds: SECONDS,
        run: Box::new(run),
    })
    .collect()
}

/// A name and a body.
type Named = (&'static str, fn(&str) -> Result<String, String>);

/// What went wrong, for `?`.
fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}

/// Fails with what was seen unless it is what was expected.
fn same<T: PartialEq + core::fmt::Debug>(what: &str, seen: T, expected: T) -> Result<(), String> {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, got {seen:?}"))
}

fn ensure(holds: bool, what: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// Runs a future to its end, in this thread, as a program with tokio does.
fn block_on<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    // before the case is killed, which would not say where it was
    under_tokio(SECONDS - 2, future)
}

/// What each case has.
const SECONDS: u64 = 30;
