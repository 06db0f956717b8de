//! Calls that block, for programs without a runtime.

use core::time::Duration;
use std::io;
use std::time::Instant;

use isotp_driver::{Incoming, NResult};

use super::socket::{KernelSocket, NotSent};

impl KernelSocket {
    /// Sends a message, and waits until it is over: the result is that of this very message.
    ///
    /// # Errors
    /// [`NotSent`]; [`TimedOut`](NotSent::TimedOut) after `timeout`.
    pub fn send(&mut self, message: &[u8], timeout: Duration) -> Result<NResult, NotSent> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.try_send(message) {
                Ok(()) => break,
                Err(NotSent::Busy) => self.wait_idle(deadline)?,
                Err(NotSent::QueueFull) => pause(deadline)?,
                Err(error) => return Err(error),
            }
        }
        loop {
            if let Some(result) = self.try_outcome()? {
                return Ok(result);
            }
            if let Err(error) = self.wait_idle(deadline) {
                self.abandon();
                return Err(error);
            }
        }
    }

    /// Waits for the next message of any size, or a failed reception.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) after `timeout`; else the interface is down or gone.
    pub fn recv(&mut self, message: &mut Vec<u8>, timeout: Duration) -> io::Result<Incoming> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.try_recv(message) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !self.poll(libc::POLLIN, left)? {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    /// Waits until a transfer may have ended.
    fn wait_idle(&self, deadline: Instant) -> Result<(), NotSent> {
        let left = deadline.saturating_duration_since(Instant::now());
        if !self.poll(libc::POLLOUT, left)? {
            return Err(NotSent::TimedOut);
        }
        // kernels before 6.3 may say so at any time
        if !self.is_idle()? {
            pause(deadline)?;
        }
        Ok(())
    }
}

/// A short while, where the kernel does not tell when the time has come.
fn pause(deadline: Instant) -> Result<(), NotSent> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(NotSent::TimedOut);
    }
    std::thread::sleep(left.min(PAUSE));
    Ok(())
}

const PAUSE: Duration = Duration::from_millis(2);
