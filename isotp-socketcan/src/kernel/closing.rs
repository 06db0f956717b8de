//! Closes the kernel's sockets, away from the tasks.
//!
//! Whoever closes an ISO-TP socket waits: until what is being sent is sent or has failed, which no
//! option and no call shortens, and then for a grace period of the kernel's RCU, some 10 ms. So no
//! socket is closed before it is idle, and no task closes one.
//!
//! | thread | begins with | does | ends |
//! |---|---|---|---|
//! | the watcher | the first open socket | waits until sockets that were given up are idle, all at once; closes one after another | with the last |
//! | up to three helpers | idle sockets while the watcher closes one | close idle sockets | when there are none |
//!
//! The watcher is there before the first socket is used, so that giving one up needs nothing that may be
//! refused.

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::catch_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use futures_channel::oneshot;

use super::claims::Claim;
use super::socket::KernelSocket;
use crate::sys;

/// A socket that a thread closes when it is given up.
pub(super) struct Parting(Option<Held>);

/// Dropped in this order.
struct Held {
    socket: KernelSocket,
    claim: Option<Claim>,
    _seat: Seat,
}

/// A socket that was given up.
struct Left {
    held: Held,
    /// Whoever waits for the end has the other one.
    _alive: oneshot::Sender<()>,
}

/// Keeps the watcher.
struct Seat;

/// What the threads share.
struct Pool {
    /// Sockets that are open, or being closed.
    seats: usize,
    /// Wakes the watcher, if there is one.
    watcher: Option<PipeWriter>,
    /// It was woken, and has not looked yet.
    woken: bool,
    arrived: Vec<Left>,
    idle: VecDeque<Left>,
    helpers: usize,
}

impl Parting {
    /// # Errors
    /// There is no thread to be had, or no descriptor.
    pub(super) fn new(socket: KernelSocket, claim: Option<Claim>) -> io::Result<Self> {
        let seat = Seat::take()?;
        Ok(Self(Some(Held {
            socket,
            claim,
            _seat: seat,
        })))
    }

    pub(super) fn get(&mut self) -> io::Result<&mut KernelSocket> {
        match &mut self.0 {
            Some(held) => Ok(&mut held.socket),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn max_message(&self) -> usize {
        let held = self.0.as_ref();
        held.map_or(0, |held| held.socket.max_message())
    }

    /// Gives the socket up. What comes back is over when it is gone.
    pub(super) fn part(&mut self) -> oneshot::Receiver<()> {
        let (alive, gone) = oneshot::channel();
        if let Some(held) = self.0.take() {
            if let Some(claim) = &held.claim {
                claim.begin_close();
            }
            let mut pool = pool();
            pool.arrived.push(Left {
                held,
                _alive: alive,
            });
            pool.wake();
        }
        gone
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        drop(self.part());
    }
}

impl Seat {
    fn take() -> io::Result<Self> {
        let mut pool = pool();
        if pool.watcher.is_none() {
            let (woken, waker) = io::pipe()?;
            let watcher = Watcher {
                woken,
                busy: Vec::new(),
                untold: false,
            };
            spawn(move || watcher.run())?;
            pool.watcher = Some(waker);
            pool.woken = false;
        }
        pool.seats += 1;
        Ok(Self)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut pool = pool();
        pool.seats -= 1;
        if pool.seats == 0 {
            pool.wake();
        }
    }
}

impl Left {
    /// Whether closing it takes no longer than it must. Where that cannot be asked, there is nothing to
    /// wait for.
    fn is_idle(&mut self) -> bool {
        let socket = &self.held.socket;
        // first, since it would look like the end, as when the interface goes
        let _ = socket.take_errno();
        socket.is_idle().unwrap_or(true)
    }

    fn close(self) {
        // whoever waits for the address or the end is woken, by code that is not ours
        let _ = catch_unwind(AssertUnwindSafe(|| drop(self)));
    }
}

impl Pool {
    fn wake(&mut self) {
        if let Some(watcher) = &mut self.watcher
            && !self.woken
        {
            // one byte at a time fits into the pipe
            self.woken = watcher.write_all(&[0]).is_ok();
        }
    }

    /// Has as many helpers as are of use; it matters little if there is none.
    fn call_helpers(&mut self) {
        while self.helpers < HELPERS.min(self.idle.len()) {
            if spawn(help).is_err() {
                return;
            }
            self.helpers += 1;
        }
    }
}

/// Closes what is idle.
fn help() {
    loop {
        let mut pool = pool();
        let Some(left) = pool.idle.pop_front() else {
            pool.helpers -= 1;
            return;
        };
        drop(pool);
        left.close();
    }
}

struct Watcher {
    woken: PipeReader,
    busy: Vec<Left>,
    /// A socket was said to be idle, or to have an error, and is busy: kernels before 6.3 may say so at
    /// any time.
    untold: bool,
}

impl Watcher {
    fn run(mut self) {
        while let Some(idle) = self.look() {
            match idle {
                Some(left) => left.close(),
                None => self.wait(),
            }
        }
    }

    /// The next socket to be closed, if there is one; nothing at all if this is over.
    fn look(&mut self) -> Option<Option<Left>> {
        self.take_in();
        // tasks that give up sockets need not wait for this
        let idle: Vec<_> = self.busy.extract_if(.., Left::is_idle).collect();
        let claims = idle.iter().filter_map(|left| left.held.claim.as_ref());
        claims.for_each(Claim::idle);
        let mut pool = pool();
        pool.idle.extend(idle);
        let next = pool.idle.pop_front();
        pool.call_helpers();
        if next.is_none() && pool.seats == 0 {
            pool.watcher = None;
            return None;
        }
        Some(next)
    }

    fn take_in(&mut self) {
        let mut pool = pool();
        if pool.woken {
            let _ = self.woken.read(&mut [0]);
            pool.woken = false;
        }
        self.busy.append(&mut pool.arrived);
    }

    fn wait(&mut self) {
        let busy = self.busy.iter().map(|left| left.held.socket.as_fd());
        let (sockets, timeout): (Vec<BorrowedFd<'_>>, _) = if self.untold {
            (Vec::new(), Some(PAUSE))
        } else {
            let timeout = (!self.busy.is_empty()).then_some(UNTOLD);
            (busy.collect(), timeout)
        };
        let told = sys::wait_any(self.woken.as_fd(), &sockets, timeout);
        self.untold = told.is_err() || matches!(told, Ok(true)) && !self.untold;
    }
}

fn spawn(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(NAME.to_owned());
    thread.spawn(body).map(drop)
}

fn pool() -> MutexGuard<'static, Pool> {
    static POOL: Mutex<Pool> = Mutex::new(Pool {
        seats: 0,
        watcher: None,
        woken: false,
        arrived: Vec::new(),
        idle: VecDeque::new(),
        helpers: 0,
    });
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

const NAME: &str = "isotp-close";
const HELPERS: usize = 3;
/// Looks again after so long, should the kernel never tell.
const UNTOLD: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests;
