//! Descriptors that tokio's reactor watches.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::{Context, Poll, Waker};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use isotp_driver::{Interest, Watch};
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::io::{Interest as TokioInterest, Ready};
use tokio::runtime::Handle;

use super::register::register;

/// A descriptor that tokio's reactor watches.
///
/// It adds to tokio's `AsyncFd`:
///
/// - An error wakes both directions, and each may look into it: what one forgets, the other still has.
/// - What tokio takes for closed for ever, because an error came, is looked at anew as soon as a call
///   proves that it is open. Otherwise a socket that had an error once would be ready for ever.
#[derive(Debug)]
pub struct TokioWatch {
    runtime: Handle,
    registered: Mutex<Registered>,
    errors: Errors,
}

type Registered = Arc<AsyncFd<OwnedFd>>;

impl TokioWatch {
    pub(super) fn new(runtime: &Handle, descriptor: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            registered: Mutex::new(Arc::new(register(runtime, descriptor, EVERYTHING)?)),
            runtime: runtime.clone(),
            errors: Errors::default(),
        })
    }

    fn registered(&self) -> Registered {
        let registered = self.registered.lock();
        registered.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the reactor knows of the descriptor right now.
    fn peek<'a>(
        &self,
        registered: &'a AsyncFd<OwnedFd>,
        interest: Interest,
    ) -> io::Result<Option<AsyncFdReadyGuard<'a, OwnedFd>>> {
        let ready = pin!(registered.ready(tokio_interest(interest)));
        match ready.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(guard) => {
                let mut guard = guard?;
                self.errors.take_from(&mut guard);
                Ok(Some(guard).filter(|guard| !guard.ready().is_empty()))
            }
            Poll::Pending => Ok(None),
        }
    }

    /// Clears what `guard` has seen, and nothing that came since.
    fn forget(
        &self,
        registered: &Registered,
        mut guard: AsyncFdReadyGuard<'_, OwnedFd>,
    ) -> io::Result<()> {
        let ready = guard.ready();
        guard.clear_ready();
        if ready.is_read_closed() || ready.is_write_closed() {
            return self.register_anew(registered);
        }
        Ok(())
    }

    /// The reactor never forgets that a descriptor is closed, so that it is given a new one. That loses
    /// nothing: what is ready at this moment is reported anew. Who still waits on the old one has it
    /// kept, and is woken by it.
    fn register_anew(&self, stale: &Registered) -> io::Result<()> {
        let registered = self.registered.lock();
        let mut registered = registered.unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&registered, stale) {
            let descriptor = stale.as_fd().try_clone_to_owned()?;
            *registered = Arc::new(register(&self.runtime, descriptor, EVERYTHING)?);
        }
        Ok(())
    }
}

impl Watch for TokioWatch {
    async fn ready(&self, interest: Interest) -> io::Result<Interest> {
        loop {
            let registered = self.registered();
            let mut waiting = pin!(registered.ready(tokio_interest(interest)));
            let ready = poll_fn(|cx| match waiting.as_mut().poll(cx)? {
                Poll::Ready(mut guard) => {
                    let ready = guard.ready();
                    self.errors.take_from(&mut guard);
                    Poll::Ready(io::Result::Ok(ready))
                }
                // asked last: another task may just have taken the error from the reactor
                Poll::Pending if self.errors.wait_for(interest) => Poll::Ready(Ok(Ready::EMPTY)),
                Poll::Pending => Poll::Pending,
            });
            let ready = ready.await?;
            let error = self.errors.wait_for(interest);
            let ready = Interest {
                readable: ready.is_readable() || error,
                writable: ready.is_writable() || error,
            };
            // another task may have been faster
            if ready != Interest::default() {
                return Ok(ready);
            }
        }
    }

    /// Nothing is called while the reactor knows of nothing.
    fn try_io<T>(
        &self,
        interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let registered = self.registered();
        let guard = self.peek(&registered, interest)?;
        let errors = self.errors.came();
        if guard.is_none() && !self.errors.wait_for(interest) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = call(registered.as_fd());
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.errors.looked_into(interest, errors);
            if let Some(guard) = guard {
                self.forget(&registered, guard)?;
            }
        }
        result
    }

    /// To miss nothing, forget before the call whose effect is waited for: it may be done from within
    /// [`try_io`](Watch::try_io).
    fn clear(&self, interest: Interest) {
        let registered = self.registered();
        let guard = self.peek(&registered, interest);
        self.errors.looked_into(interest, self.errors.came());
        if let Ok(Some(guard)) = guard {
            // should it fail, the descriptor stays ready, and the next call that would block tells why
            let _ = self.forget(&registered, guard);
        }
    }
}

/// Errors of a descriptor: how many came, and how many of them each direction knows of.
///
/// The reactor has one mark for both. It is taken away as soon as it is seen, after it was counted here.
#[derive(Debug, Default)]
struct Errors {
    came: AtomicU32,
    read: AtomicU32,
    written: AtomicU32,
}

impl Errors {
    fn came(&self) -> u32 {
        self.came.load(Ordering::SeqCst)
    }

    fn take_from(&self, guard: &mut AsyncFdReadyGuard<'_, OwnedFd>) {
        if guard.ready().is_error() {
            self.came.fetch_add(1, Ordering::SeqCst);
            guard.clear_ready_matching(Ready::ERROR);
        }
    }

    /// Who waits for neither direction waits for errors that one of them has not looked into.
    fn wait_for(&self, interest: Interest) -> bool {
        let came = self.came();
        let neither = interest == Interest::default();
        let wait = |asked, seen: &AtomicU32| asked && seen.load(Ordering::SeqCst) != came;
        wait(interest.readable || neither, &self.read)
            || wait(interest.writable || neither, &self.written)
    }

    fn looked_into(&self, interest: Interest, errors: u32) {
        let neither = interest == Interest::default();
        if interest.readable || neither {
            self.read.store(errors, Ordering::SeqCst);
        }
        if interest.writable || neither {
            self.written.store(errors, Ordering::SeqCst);
        }
    }
}

fn tokio_interest(interest: Interest) -> TokioInterest {
    let error = TokioInterest::ERROR;
    match (interest.readable, interest.writable) {
        (true, true) => EVERYTHING,
        (true, false) => error.add(TokioInterest::READABLE),
        (false, true) => error.add(TokioInterest::WRITABLE),
        (false, false) => error,
    }
}

const EVERYTHING: TokioInterest = TokioInterest::READABLE
    .add(TokioInterest::WRITABLE)
    .add(TokioInterest::ERROR);
