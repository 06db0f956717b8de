//! Taps for threads.

use core::time::Duration;

use async_io::Timer;
use futures_lite::future::{block_on, or};
use isotp_driver::{ConnectionError, Tapped};

/// Every frame of a network, as [`Network::tap`](crate::Network::tap) shows it. Threads share it by
/// reference: each frame goes to one of them. It does not keep its network.
#[derive(Debug)]
pub struct Tap(isotp_driver::Tap);

impl Tap {
    pub(crate) const fn new(tap: isotp_driver::Tap) -> Self {
        Self(tap)
    }

    /// The next frame.
    ///
    /// # Errors
    /// [`ConnectionError`], when the network is over and all frames are taken.
    pub fn recv(&self) -> Result<Tapped, ConnectionError> {
        block_on(self.0.recv())
    }

    /// The next frame, if it comes within `timeout`; [`Duration::MAX`] waits for ever.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Option<Tapped>, ConnectionError> {
        let tapped = async { self.0.recv().await.map(Some) };
        let late = async {
            Timer::after(timeout).await;
            Ok(None)
        };
        block_on(or(tapped, late))
    }

    /// The next frame, if there is one already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<Tapped>, ConnectionError> {
        self.0.try_recv()
    }
}
