//! Where the handles of a network leave word for its driver.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use crate::driver::DriverLink;
use crate::error::ConnectionError;
use crate::letting_go::let_go;
use crate::line::Line;
use crate::statistics::Counters;
use crate::tap::Feed;
use crate::wakers::{Wakers, Woken, wake};

/// Shared by the handles of one driver task and the task.
///
/// Locks: a line's lock is never taken while this one is held, and the reverse.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Something was left since the driver took the last. Changed under the lock, read without it.
    left: AtomicBool,
    handles: AtomicUsize,
    /// Of the whole network, which may have more hubs.
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct State {
    word: Word,
    phase: Phase,
    /// The sleeping driver.
    driver: Option<Waker>,
    /// Whoever waits for the end.
    closers: Wakers,
}

/// What was left for the driver.
#[derive(Debug, Default)]
pub(crate) struct Word {
    /// Links that want to be on the bus.
    pub(crate) joining: Vec<(Arc<Line>, Box<DriverLink>)>,
    /// Lines that changed.
    pub(crate) changed: Vec<Arc<Line>>,
    /// Taps that begin.
    pub(crate) tapping: Vec<Arc<Feed>>,
    /// A tap was dropped.
    pub(crate) taps_dropped: bool,
    /// Dropped when all that was left before is done.
    pub(crate) waiting: Vec<oneshot::Sender<()>>,
}

impl Word {
    /// All that was left before is done.
    pub(crate) fn settle(&mut self) {
        // that wakes whoever waits
        self.waiting.drain(..).for_each(let_go);
    }

    fn is_empty(&self) -> bool {
        self.joining.is_empty()
            && self.changed.is_empty()
            && self.tapping.is_empty()
            && !self.taps_dropped
            && self.waiting.is_empty()
    }
}

/// How long the driver shall go on.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// Until told otherwise.
    Open,
    /// Until all that was queued is sent.
    Closing,
    /// No longer: there are no handles.
    Abandoned,
    /// It has ended.
    Over(ConnectionError),
}

impl Hub {
    pub(crate) fn new(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                word: Word::default(),
                phase: Phase::Open,
                driver: None,
                closers: Wakers::default(),
            }),
            left: AtomicBool::new(false),
            handles: AtomicUsize::new(0),
            counters,
        })
    }

    /// What the network counts.
    pub(crate) const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// A link wants to be on the bus.
    pub(crate) fn join(
        &self,
        line: Arc<Line>,
        link: Box<DriverLink>,
    ) -> Result<(), ConnectionError> {
        let mut state = self.state();
        if let Some(error) = state.phase.refusal() {
            return Err(error);
        }
        state.word.joining.push((line, link));
        self.notify(state);
        Ok(())
    }

    /// A line has changed.
    pub(crate) fn changed(&self, line: &Arc<Line>) {
        let mut state = self.state();
        if let Phase::Over(_) = state.phase {
            // nobody would take it, and it would keep the line, which keeps the hub
            return;
        }
        state.word.changed.push(line.clone());
        self.notify(state);
    }

    /// Somebody wants to see all frames.
    pub(crate) fn tap(&self, feed: Arc<Feed>) -> Result<(), ConnectionError> {
        let mut state = self.state();
        if let Phase::Over(error) = &state.phase {
            return Err(error.clone());
        }
        state.word.tapping.push(feed);
        self.notify(state);
        Ok(())
    }

    /// Somebody does no longer.
    pub(crate) fn taps_changed(&self) {
        let mut state = self.state();
        state.word.taps_dropped = true;
        self.notify(state);
    }

    /// What comes back is over when the driver has done what was left for it until now.
    pub(crate) fn settled(&self) -> oneshot::Receiver<()> {
        let (waiting, settled) = oneshot::channel();
        let mut state = self.state();
        if !matches!(state.phase, Phase::Over(_)) {
            state.word.waiting.push(waiting);
            self.notify(state);
        }
        settled
    }

    /// Asks the driver to send what is queued, and then to end.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        if let Phase::Open = state.phase {
            state.phase = Phase::Closing;
        }
        self.notify(state);
    }

    /// Why no connection begins here any more, if none does.
    pub(crate) fn refusal(&self) -> Option<ConnectionError> {
        self.state().phase.refusal()
    }

    /// Whether it has no handles any more; then it ends soon.
    pub(crate) fn is_abandoned(&self) -> bool {
        matches!(self.state().phase, Phase::Abandoned)
    }

    /// Waits for the end.
    pub(crate) fn poll_over(
        &self,
        key: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<ConnectionError> {
        let mut state = self.state();
        if let Phase::Over(error) = &state.phase {
            return Poll::Ready(error.clone());
        }
        state.closers.register(key, cx.waker());
        Poll::Pending
    }

    /// Nobody waits for the end under this key any more.
    pub(crate) fn forget(&self, key: Option<u64>) {
        self.state().closers.remove(key);
    }

    /// Whether there may be something to [`take`](Self::take), or another phase.
    pub(crate) fn has_word(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Takes what was left. `word` is empty, and gives its memory.
    pub(crate) fn take(&self, word: &mut Word) -> Phase {
        let mut state = self.state();
        self.left.store(false, Ordering::Relaxed);
        core::mem::swap(&mut state.word, word);
        state.phase.clone()
    }

    /// Whether nothing was left since, and no other phase has begun than the one that the driver knows;
    /// then the driver is woken by the next word.
    pub(crate) fn sleep(&self, waker: &Waker, closing: bool) -> bool {
        let mut state = self.state();
        let idle = state.word.is_empty();
        let known = match state.phase {
            Phase::Open => true,
            Phase::Closing => closing,
            Phase::Abandoned | Phase::Over(_) => false,
        };
        if idle && known {
            match &mut state.driver {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return true;
        }
        false
    }

    /// The driver has ended; the first reason counts. Gives back what it did not take, and whoever waits
    /// for the end.
    pub(crate) fn end(&self, error: ConnectionError) -> (Word, Woken) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Over(_)) {
            state.phase = Phase::Over(error);
        }
        let word = core::mem::take(&mut state.word);
        (word, state.closers.take())
    }

    /// Something was left. Wakes the driver, if it sleeps, after the lock is released.
    fn notify(&self, mut state: MutexGuard<'_, State>) {
        self.left.store(true, Ordering::Release);
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            wake(driver);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn refusal(&self) -> Option<ConnectionError> {
        match self {
            Self::Open => None,
            Self::Over(error) => Some(error.clone()),
            _ => Some(ConnectionError::Closed),
        }
    }
}

/// A handle: while there is one, the driver goes on.
#[derive(Debug)]
pub(crate) struct Handle(Arc<Hub>);

impl Handle {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        hub.handles.fetch_add(1, Ordering::Relaxed);
        Self(hub)
    }

    pub(crate) const fn hub(&self) -> &Arc<Hub> {
        &self.0
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.0.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut state = self.0.state();
            if let Phase::Open | Phase::Closing = state.phase {
                state.phase = Phase::Abandoned;
            }
            self.0.notify(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::future::Future;
    use core::pin::pin;

    use super::*;
    use crate::config::Config;
    use crate::wakers::tests::Bad;

    #[test]
    fn whoever_waits_for_the_driver_is_woken_though_each_panics() {
        let hub = Hub::new(Arc::default());
        let bad = Arc::new(Bad::default());
        let waker = Waker::from(bad.clone());
        let mut cx = Context::from_waker(&waker);
        let (mut first, mut second) = (pin!(hub.settled()), pin!(hub.settled()));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        let (mut word, _) = hub.end(ConnectionError::Closed);
        word.settle();
        assert_eq!(bad.0.load(Ordering::Relaxed), 2);
        assert!(first.poll(&mut cx).is_ready() && second.poll(&mut cx).is_ready());
    }

    #[test]
    fn a_handle_that_outlives_the_driver_leaves_nothing_with_the_hub() {
        let hub = Hub::new(Arc::default());
        let id = |value| isotp_core::Id::standard(value).unwrap();
        let address = isotp_core::Address::normal(id(1), id(2)).unwrap();
        let line = Line::new(hub.clone(), address, &Config::default());
        line.abort_receive();
        assert_eq!(Arc::strong_count(&line), 2, "the hub has word of the line");
        drop(hub.end(ConnectionError::Closed));
        let _ = line.take_work();
        line.abort_receive();
        assert_eq!(Arc::strong_count(&line), 1, "the hub keeps the line");
    }
}
