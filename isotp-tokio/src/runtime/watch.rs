//! Descriptors that tokio's reactor watches.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use isotp_driver::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

/// A descriptor that tokio's reactor watches.
#[derive(Debug)]
pub struct TokioWatch(AsyncFd<OwnedFd>);

impl TokioWatch {
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that may close their descriptor early; OwnedFd does not"
    )]
    pub(super) fn new(runtime: &Handle, descriptor: OwnedFd) -> io::Result<Self> {
        let _guard = runtime.enter();
        let interest = tokio::io::Interest::READABLE
            .add(tokio::io::Interest::WRITABLE)
            .add(tokio::io::Interest::ERROR);
        let watched = AsyncFd::try_with_interest(descriptor, interest)?;
        Ok(Self(watched))
    }
}

impl isotp_driver::Watch for TokioWatch {
    /// With error readiness: the reader's errors of some sockets are signalled by nothing else, and
    /// tokio's poll functions do not wake for it.
    async fn ready(&self, interest: Interest) -> io::Result<Interest> {
        let guard = self.0.ready(tokio_interest(interest)).await?;
        let ready = guard.ready();
        Ok(Interest {
            readable: ready.is_readable() || ready.is_error(),
            writable: ready.is_writable() || ready.is_error(),
        })
    }

    fn try_io<T>(
        &self,
        interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        self.0.try_io(tokio_interest(interest), |descriptor| {
            call(descriptor.as_fd())
        })
    }

    fn clear(&self, interest: Interest) {
        let stale = |_: &OwnedFd| Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.0.try_io(tokio_interest(interest), stale);
    }
}

fn tokio_interest(interest: Interest) -> tokio::io::Interest {
    let error = tokio::io::Interest::ERROR;
    match (interest.readable, interest.writable) {
        (true, true) => error
            .add(tokio::io::Interest::READABLE)
            .add(tokio::io::Interest::WRITABLE),
        (true, false) => error.add(tokio::io::Interest::READABLE),
        (false, true) => error.add(tokio::io::Interest::WRITABLE),
        (false, false) => error,
    }
}
