//! The one call of this crate that the compiler cannot check.

use core::panic::AssertUnwindSafe;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::catch_unwind;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

/// Lets the reactor of `runtime` watch a descriptor.
///
/// # Errors
/// What the system answers, or that the runtime has no reactor. Tokio tells that by nothing but a panic,
/// which is caught here; its hook reports it all the same, and a program that is built to abort on panics
/// ends.
pub(super) fn register(
    runtime: &Handle,
    descriptor: OwnedFd,
    interest: Interest,
) -> io::Result<AsyncFd<OwnedFd>> {
    let _guard = runtime.enter();
    let registered = catch_unwind(AssertUnwindSafe(|| own(descriptor, interest)));
    registered.unwrap_or_else(|_| {
        Err(io::Error::other(
            "expected a tokio runtime with a reactor, found one without; build it with `enable_io`",
        ))
    })
}

#[expect(
    unsafe_code,
    reason = "tokio's safe constructors of AsyncFd are deprecated; what their successor asks for holds for OwnedFd"
)]
fn own(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor must stay the same and open until the AsyncFd ends. An OwnedFd always gives
    // the same one and closes it only when it is dropped, and the AsyncFd owns it.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest) }?)
}
