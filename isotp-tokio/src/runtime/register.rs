//! The one call of this crate that the compiler cannot check.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

/// Lets the reactor of `runtime` watch a descriptor.
///
/// # Panics
/// If the runtime has no reactor (`enable_io`), as everything of tokio does.
#[expect(
    unsafe_code,
    reason = "tokio's safe constructors of AsyncFd are deprecated; what their successor asks for holds for OwnedFd"
)]
pub(super) fn register(
    runtime: &Handle,
    descriptor: OwnedFd,
    interest: Interest,
) -> io::Result<AsyncFd<OwnedFd>> {
    let _guard = runtime.enter();
    // SAFETY: the descriptor must stay the same and open until the AsyncFd ends. An OwnedFd always gives
    // the same one and closes it only when it is dropped, and the AsyncFd owns it.
    let registered = unsafe { AsyncFd::register_with_interest(descriptor, interest) };
    Ok(registered?)
}
