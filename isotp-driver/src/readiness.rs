//! Waiting for a descriptor, poll by poll.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::runtime::{Interest, Watch};

/// A [`Watch`] for code that is polled, such as a [`Bus`](crate::Bus).
///
/// A runtime may only wake for errors of a descriptor through its async function, so a future of that
/// function is kept here. It is made once and used again, so that waiting allocates nothing.
pub struct Readiness<W> {
    watch: Arc<W>,
    wait: Box<dyn Wait>,
}

impl<W: Watch> Readiness<W> {
    /// Waits for what `watch` tells; others may wait for it too.
    #[must_use]
    pub fn new(watch: Arc<W>) -> Self {
        let wait = Box::new(reusable({
            let watch = Arc::clone(&watch);
            move |interest| {
                let watch = Arc::clone(&watch);
                async move { watch.ready(interest).await }
            }
        }));
        Self { watch, wait }
    }

    /// Ready as soon as any of `interest` is, or the descriptor has an error.
    ///
    /// # Errors
    /// What the runtime's reactor answers.
    pub fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<io::Result<Interest>> {
        self.wait.poll(cx, interest)
    }

    /// Tries a system call that does not block; see [`Watch::try_io`].
    ///
    /// # Errors
    /// What the call answers.
    pub fn try_io<T>(
        &self,
        interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        self.watch.try_io(interest, call)
    }

    /// Forgets readiness that is known to be stale.
    pub fn clear(&self, interest: Interest) {
        self.watch.clear(interest);
    }

    /// What is watched.
    #[must_use]
    pub const fn watch(&self) -> &Arc<W> {
        &self.watch
    }
}

impl<W> fmt::Debug for Readiness<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").finish_non_exhaustive()
    }
}

trait Wait: Send {
    fn poll(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<Interest>>;
}

/// A future that is put in the place of its predecessor.
struct Reusable<F, M> {
    make: M,
    future: Pin<Box<F>>,
    /// What `future` waits for; `None` if it is spent.
    waiting: Option<Interest>,
}

fn reusable<F, M: Fn(Interest) -> F>(make: M) -> Reusable<F, M> {
    let future = Box::pin(make(Interest::default()));
    Reusable {
        make,
        future,
        waiting: None,
    }
}

impl<F, M> Wait for Reusable<F, M>
where
    F: Future<Output = io::Result<Interest>> + Send,
    M: Fn(Interest) -> F + Send,
{
    fn poll(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<Interest>> {
        if self.waiting != Some(interest) {
            self.future.set((self.make)(interest));
            self.waiting = Some(interest);
        }
        let ready = self.future.as_mut().poll(cx);
        if ready.is_ready() {
            self.waiting = None;
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::future::poll_fn;
    use core::task::Waker;
    use std::sync::Mutex;

    /// Ready for what it is told to be, and counts how often somebody begins to wait.
    #[derive(Default)]
    struct Told {
        ready: Mutex<Option<Interest>>,
        began: Mutex<Vec<Interest>>,
    }

    impl Watch for Told {
        async fn ready(&self, interest: Interest) -> io::Result<Interest> {
            self.began.lock().unwrap().push(interest);
            let mut ended = false;
            poll_fn(|_| {
                assert!(!ended, "polled after it was ready");
                match self.ready.lock().unwrap().take() {
                    Some(ready) => {
                        ended = true;
                        Poll::Ready(Ok(ready))
                    }
                    None => Poll::Pending,
                }
            })
            .await
        }

        fn try_io<T>(
            &self,
            _: Interest,
            call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
        ) -> io::Result<T> {
            let null = std::fs::File::open("/dev/null")?;
            call(std::os::fd::AsFd::as_fd(&null))
        }

        fn clear(&self, _: Interest) {}
    }

    #[test]
    fn waiting_goes_on_until_it_is_ready_or_for_something_else() {
        let watch = Arc::new(Told::default());
        let mut readiness = Readiness::new(Arc::clone(&watch));
        let mut cx = Context::from_waker(Waker::noop());
        let mut poll = |interest| readiness.poll_ready(&mut cx, interest).map(Result::unwrap);
        let both = Interest {
            readable: true,
            writable: true,
        };

        assert_eq!(poll(Interest::READABLE), Poll::Pending);
        assert_eq!(poll(Interest::READABLE), Poll::Pending);
        assert_eq!(poll(both), Poll::Pending);
        *watch.ready.lock().unwrap() = Some(Interest::WRITABLE);
        assert_eq!(poll(both), Poll::Ready(Interest::WRITABLE));
        assert_eq!(poll(both), Poll::Pending);
        let began = watch.began.lock().unwrap().clone();
        assert_eq!(began, [Interest::READABLE, both, both]);
    }
}
