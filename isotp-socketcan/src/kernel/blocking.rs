//! Calls that block, for programs without a runtime.

use core::time::Duration;
use std::io;

use isotp_driver::{Incoming, NResult};

use super::socket::{KernelSocket, NotSent};
use crate::end::End;

impl KernelSocket {
    /// Sends a message, and waits until it is over: the result is that of this very message.
    ///
    /// # Errors
    /// [`NotSent`]; [`TimedOut`](NotSent::TimedOut) after `timeout`, which may be longer than time can
    /// be counted: then never.
    pub fn send(&mut self, message: &[u8], timeout: Duration) -> Result<NResult, NotSent> {
        let end = End::after(Some(timeout));
        loop {
            match self.try_send(message) {
                Ok(()) => break,
                Err(NotSent::Busy) => self.wait_idle(end)?,
                Err(NotSent::QueueFull) => pause(end)?,
                Err(error) => return Err(error),
            }
        }
        loop {
            if let Some(result) = self.try_outcome()? {
                return Ok(result);
            }
            if let Err(error) = self.wait_idle(end) {
                self.abandon();
                return Err(error);
            }
        }
    }

    /// Waits for the next message of any size, or a failed reception.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) after `timeout`, as in [`send`](Self::send); else the
    /// interface is down or gone.
    pub fn recv(&mut self, message: &mut Vec<u8>, timeout: Duration) -> io::Result<Incoming> {
        let end = End::after(Some(timeout));
        loop {
            match self.try_recv(message) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
            self.poll(libc::POLLIN, end.left()?)?;
        }
    }

    /// Waits until a transfer may have ended.
    fn wait_idle(&self, end: End) -> Result<(), NotSent> {
        self.poll(libc::POLLOUT, left(end)?)?;
        // kernels before 6.3 may say so at any time
        if !self.is_idle()? {
            pause(end)?;
        }
        Ok(())
    }
}

/// A short while, where the kernel does not tell when the time has come.
fn pause(end: End) -> Result<(), NotSent> {
    std::thread::sleep(left(end)?.map_or(PAUSE, |left| left.min(PAUSE)));
    Ok(())
}

fn left(end: End) -> Result<Option<Duration>, NotSent> {
    end.left().map_err(|_| NotSent::TimedOut)
}

const PAUSE: Duration = Duration::from_millis(2);
