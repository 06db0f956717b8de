//! Watched descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use async_io::Async;
use isotp_driver::{Interest, Watch};

/// A descriptor that the reactor watches.
#[derive(Debug)]
pub struct IoWatch(Async<OwnedFd>);

impl IoWatch {
    /// Watches a descriptor, and makes it non-blocking.
    ///
    /// # Errors
    /// The reactor does not take it.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Async::new(descriptor).map(Self)
    }
}

impl Watch for IoWatch {
    /// The reactor asks the system anew each time, and an error of the descriptor wakes both directions.
    async fn ready(&self, interest: Interest) -> io::Result<Interest> {
        let readable = async { self.0.readable().await.map(|()| Interest::READABLE) };
        let writable = async { self.0.writable().await.map(|()| Interest::WRITABLE) };
        match (interest.readable, interest.writable) {
            (true, true) => futures_lite::future::or(readable, writable).await,
            (false, true) => writable.await,
            (true, false) => readable.await,
            (false, false) => futures_lite::future::pending().await,
        }
    }

    fn try_io<T>(
        &self,
        _interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        call(self.0.as_fd())
    }

    /// Nothing is kept that could be stale.
    fn clear(&self, _interest: Interest) {}
}
