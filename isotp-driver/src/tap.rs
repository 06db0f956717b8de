//! Every frame of a network, for logs.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Frame, FrameView, Instant};

use crate::error::ConnectionError;
use crate::hub::Hub;
use crate::wakers::Wakers;

/// Shows every frame that the network's bus gives or takes: see
/// [`Network::tap`](crate::Network::tap).
///
/// Dropped, it costs the network nothing any more.
#[derive(Debug)]
pub struct Tap {
    feed: Arc<Feed>,
    hub: Arc<Hub>,
}

/// A frame, as a [`Tap`] saw it.
#[derive(Clone)]
pub struct Tapped {
    /// When: for a received frame what the bus says, for a sent one when it was confirmed, or taken by a
    /// bus that does not confirm.
    pub at: Instant,
    /// Whether we sent it.
    pub sent: bool,
    /// Frames that were lost before this one, because nobody took them in time.
    pub lost: u64,
    /// The frame.
    pub frame: Frame,
}

impl Tap {
    pub(crate) const fn new(feed: Arc<Feed>, hub: Arc<Hub>) -> Self {
        Self { feed, hub }
    }

    /// The next frame.
    ///
    /// # Errors
    /// [`ConnectionError`], when the network is over and all frames are taken.
    ///
    /// # Cancel safety
    /// Dropped, it takes no frame.
    pub async fn recv(&self) -> Result<Tapped, ConnectionError> {
        let mut reader = Reader {
            feed: &self.feed,
            key: None,
        };
        poll_fn(|cx| reader.feed.poll(&mut reader.key, cx)).await
    }

    /// The next frame, if there is one already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<Tapped>, ConnectionError> {
        let mut state = self.feed.state();
        match (state.take(), &state.over) {
            (None, Some(error)) => Err(error.clone()),
            (tapped, _) => Ok(tapped),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.feed.state().dropped = true;
        self.hub.taps_changed();
    }
}

/// Time in seconds, direction, and the frame as candump writes it.
impl fmt::Display for Tapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.as_micros();
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let direction = if self.sent { "tx" } else { "rx" };
        write!(f, "({seconds}.{micros:06}) {direction} {}", self.frame)
    }
}

impl fmt::Debug for Tapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// From the driver to a tap: bounded, and of fixed memory.
#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    frames: VecDeque<Tapped>,
    /// Frames that found no room since the last one that did.
    lost: u64,
    over: Option<ConnectionError>,
    /// Nobody reads it any more.
    dropped: bool,
    readers: Wakers,
}

impl Feed {
    /// Reserves the memory; `None` if there is not as much.
    pub(crate) fn new(capacity: usize) -> Option<Arc<Self>> {
        let mut frames = VecDeque::new();
        frames.try_reserve_exact(capacity).ok()?;
        Some(Arc::new(Self {
            state: Mutex::new(State {
                frames,
                lost: 0,
                over: None,
                dropped: false,
                readers: Wakers::default(),
            }),
            capacity,
        }))
    }

    fn is_dropped(&self) -> bool {
        self.state().dropped
    }

    fn push(&self, at: Instant, frame: FrameView<'_>, sent: bool) {
        let mut state = self.state();
        if state.frames.len() >= self.capacity {
            state.lost = state.lost.saturating_add(1);
            return;
        }
        let mut copy = Frame::new();
        copy.copy_from(frame);
        let tapped = Tapped {
            at,
            sent,
            lost: core::mem::take(&mut state.lost),
            frame: copy,
        };
        state.frames.push_back(tapped);
        let readers = state.readers.take();
        drop(state);
        readers.wake();
    }

    pub(crate) fn end(&self, error: &ConnectionError) {
        let mut state = self.state();
        state.over.get_or_insert_with(|| error.clone());
        let readers = state.readers.take();
        drop(state);
        readers.wake();
    }

    fn poll(
        &self,
        key: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<Tapped, ConnectionError>> {
        let mut state = self.state();
        if let Some(tapped) = state.take() {
            return Poll::Ready(Ok(tapped));
        }
        if let Some(error) = &state.over {
            return Poll::Ready(Err(error.clone()));
        }
        state.readers.register(key, cx.waker());
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Tapped> {
        self.frames.pop_front()
    }
}

/// Waits for a frame.
struct Reader<'a> {
    feed: &'a Feed,
    key: Option<u64>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.feed.state().readers.remove(self.key);
    }
}

/// The taps of a driver.
#[derive(Debug, Default)]
pub(crate) struct Taps(Vec<Arc<Feed>>);

impl Taps {
    pub(crate) fn add(&mut self, feed: Arc<Feed>) {
        self.0.push(feed);
    }

    /// Forgets the taps that were dropped. Whether that were the last.
    pub(crate) fn tidy(&mut self) -> bool {
        let had = !self.0.is_empty();
        self.0.retain(|feed| !feed.is_dropped());
        had && self.0.is_empty()
    }

    #[inline]
    pub(crate) fn show(&self, at: Instant, frame: FrameView<'_>, sent: bool) {
        if !self.0.is_empty() {
            self.show_all(at, frame, sent);
        }
    }

    #[cold]
    fn show_all(&self, at: Instant, frame: FrameView<'_>, sent: bool) {
        self.0.iter().for_each(|feed| feed.push(at, frame, sent));
    }

    pub(crate) fn end(&mut self, error: &ConnectionError) {
        self.0.drain(..).for_each(|feed| feed.end(error));
    }
}
