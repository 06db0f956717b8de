//! The one loop that drives every frame bus under every runtime.

mod buffer;
mod closing;
mod links;

pub(crate) use buffer::Buffer;

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use isotp_core::{Frame, Instant, Machine};

use crate::bus::{Arrival, Bus, BusError, NoBus, Taken};
use crate::error::ConnectionError;
use crate::hub::{Hub, Phase, Word};
use crate::letting_go::let_go;
use crate::runtime::{Interest, Runtime, Timer};
use crate::tap::Taps;
use crate::trace;
use links::Links;

pub(crate) use links::DriverLink;

/// The task of a network.
///
/// Each round: commands, received frames, then timeouts (what came before a deadline wins over it),
/// then frames to be sent, flow control first, until the bus is full. When a round sent nothing and
/// received all there was, the task sleeps until something can be received, or sent if the bus was
/// full, until the next deadline, or the next command. After some rounds or frames it yields.
pub(crate) struct Driver<R: Runtime> {
    runtime: R,
    alarm: Alarm<R::Timer>,
    bus: Box<dyn Bus>,
    hub: Arc<Hub>,
    links: Links,
    taps: Taps,
    frame: Frame,
    word: Word,
    /// The bus had no room when it was asked last.
    blocked: bool,
    confirms: bool,
    supports_fd: bool,
    /// Frames that were sent since the task was polled.
    sent: usize,
    /// The task ends when all that was queued is sent.
    closing: bool,
}

/// How a round ended.
enum Round {
    /// There may be more to do at once.
    Busy,
    /// Something will wake the task.
    Asleep,
    /// The task has ended.
    Over(ConnectionError),
}

impl<R: Runtime> Driver<R> {
    pub(crate) fn new(runtime: R, bus: Box<dyn Bus>, hub: Arc<Hub>) -> Self {
        Self {
            alarm: Alarm {
                timer: runtime.timer(),
                set: None,
            },
            runtime,
            confirms: bus.confirms(),
            supports_fd: bus.supports_fd(),
            sent: 0,
            bus,
            hub,
            links: Links::default(),
            taps: Taps::default(),
            frame: Frame::new(),
            word: Word::default(),
            blocked: false,
            closing: false,
        }
    }

    fn round(&mut self, cx: &mut Context<'_>) -> Result<Round, BusError> {
        let now = self.runtime.now();
        if let Some(error) = self.take_word(now)? {
            self.bus.flush(now)?;
            return Ok(Round::Over(error));
        }
        let more = self.receive(now)?;
        self.links
            .handle_timeout(more.unwrap_or(now), &mut *self.bus);
        if self.links.has_finished() {
            self.links.serve_finished(now, &mut *self.bus);
        }
        let sent = self.transmit(now)?;
        self.sent += sent;
        let changed = self.links.has_changing() && self.links.change(now);
        if sent > 0 {
            self.bus.flush(now)?;
        }
        let flushed = self.closing && self.links.is_flushed();
        let left = self.links.has_finished() || self.links.has_joined();
        if sent > 0 || changed || more.is_some() || flushed || left {
            return Ok(Round::Busy);
        }
        self.sleep(cx)
    }

    /// Commands, first of all: a connection that was dropped makes way for a new one.
    fn take_word(&mut self, now: Instant) -> Result<Option<ConnectionError>, BusError> {
        if !self.hub.has_word() && !self.links.has_joined() {
            let flushed = self.closing && self.links.is_flushed();
            return Ok(flushed.then_some(ConnectionError::Closed));
        }
        let phase = self.hub.take(&mut self.word);
        // one at a time: should code of the user panic, `end` finds the rest
        self.word.changed.reverse();
        while let Some(line) = self.word.changed.pop() {
            self.links.serve(now, &line, &mut *self.bus);
        }
        self.word.joining.reverse();
        while let Some((line, link)) = self.word.joining.pop() {
            self.links
                .join(line, link, &mut *self.bus, self.supports_fd);
        }
        self.serve_taps();
        if self.links.has_joined() {
            // the filters of the bus are set before anybody hears that there is a connection
            self.bus.flush(now)?;
            self.links.open_joined(&mut *self.bus);
        }
        self.word.settle();
        Ok(match phase {
            Phase::Open => None,
            Phase::Closing => {
                if !core::mem::replace(&mut self.closing, true) {
                    self.links.begin_flush(now);
                }
                self.links.is_flushed().then_some(ConnectionError::Closed)
            }
            Phase::Abandoned => Some(ConnectionError::Closed),
            Phase::Over(error) => Some(error),
        })
    }

    fn serve_taps(&mut self) {
        if core::mem::take(&mut self.word.taps_dropped) && self.taps.tidy() {
            self.bus.listen_to_all(false);
        }
        for feed in self.word.tapping.drain(..) {
            self.taps.add(feed);
            self.bus.listen_to_all(true);
        }
    }

    /// Takes in what the bus has. `Some` if there may be more: then all that happened until that
    /// moment is in.
    fn receive(&mut self, now: Instant) -> Result<Option<Instant>, BusError> {
        let mut last = now;
        for _ in 0..FRAMES_A_ROUND {
            let Some(arrival) = self.bus.receive(now, &mut self.frame)? else {
                return Ok(None);
            };
            let (at, frame) = (arrival.at(), self.frame.view());
            match arrival {
                Arrival::Received { .. } => {
                    self.taps.show(at, frame, false);
                    trace::frame(frame, false);
                    if !self.links.handle_frame(at, frame) {
                        self.hub.counters().frame_unclaimed();
                    }
                }
                Arrival::Transmitted { token, .. } => {
                    self.taps.show(at, frame, true);
                    self.links.handle_transmitted(at, frame, token);
                }
                Arrival::Failed { token, .. } => self.links.handle_failed(at, token),
            }
            last = at;
        }
        Ok(Some(last))
    }

    /// Sends until the bus is full, or there is nothing more to send. Gives how many frames it was.
    fn transmit(&mut self, now: Instant) -> Result<usize, BusError> {
        let mut sent = 0;
        self.blocked = false;
        while sent < FRAMES_A_ROUND {
            let Some(transmit) = self.links.router().poll_transmit(now, &mut self.frame) else {
                break;
            };
            let token = transmit.token();
            let taken = self.bus.try_send(now, &self.frame, token)?;
            match taken {
                Taken::Took | Taken::Sent => {
                    transmit.commit(now);
                    sent += 1;
                    self.links.count_sent(now, token);
                    let frame = self.frame.view();
                    trace::frame(frame, true);
                    if !self.confirms {
                        self.taps.show(now, frame, true);
                        self.links.handle_own_frame(now, frame, token);
                    } else if taken == Taken::Sent {
                        self.taps.show(now, frame, true);
                        self.links.handle_transmitted(now, frame, token);
                    }
                }
                Taken::Later => {
                    self.blocked = true;
                    break;
                }
                Taken::Never => {
                    transmit.reject(now);
                    self.links.deliver_events(now);
                }
            }
        }
        Ok(sent)
    }

    fn sleep(&mut self, cx: &mut Context<'_>) -> Result<Round, BusError> {
        let deadline = self.links.router().poll_timeout().map(|timeout| timeout.at);
        let others = [self.bus.poll_timeout(), self.links.poll_timeout()];
        let earliest = deadline
            .into_iter()
            .chain(others.into_iter().flatten())
            .min();
        if self.alarm.poll(earliest, cx).is_ready() {
            return Ok(Round::Busy);
        }
        let interest = Interest {
            readable: true,
            writable: self.blocked,
        };
        if let Poll::Ready(ready) = self.bus.poll_ready(cx, interest) {
            ready?;
            return Ok(Round::Busy);
        }
        if self.hub.sleep(cx.waker(), self.closing) {
            Ok(Round::Asleep)
        } else {
            Ok(Round::Busy)
        }
    }

    /// Lets go of the bus, and tells everybody; those who wait for that at last. Then it drops what is the
    /// user's: the task itself may live on for a while.
    fn end(&mut self, error: &ConnectionError) {
        let_go(core::mem::replace(&mut self.bus, Box::new(NoBus)));
        let mut left = self.links.end(error);
        self.taps.end(error);
        let (untaken, closers) = self.hub.end(error.clone());
        let mut words = [core::mem::take(&mut self.word), untaken];
        for word in &words {
            let joining = word.joining.iter().map(|(line, _)| line);
            for line in joining.chain(&word.changed) {
                left.extend(line.end(error));
            }
            word.tapping.iter().for_each(|feed| feed.end(error));
        }
        closers.wake();
        words.iter_mut().for_each(Word::settle);
        left.into_iter().for_each(let_go);
        let_go(words);
        let_go(core::mem::take(&mut self.links));
    }
}

impl<R: Runtime> Future for Driver<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        driver.sent = 0;
        for _ in 0..ROUNDS {
            match driver.round(cx) {
                Ok(Round::Busy) if driver.sent >= FRAMES_A_POLL => break,
                Ok(Round::Busy) => {}
                Ok(Round::Asleep) => return Poll::Pending,
                Ok(Round::Over(error)) => {
                    driver.end(&error);
                    return Poll::Ready(());
                }
                Err(error) => {
                    driver.end(&ConnectionError::Bus(error));
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<R: Runtime> Unpin for Driver<R> {}

impl<R: Runtime> Drop for Driver<R> {
    /// If the task did not end by itself, its runtime is gone.
    fn drop(&mut self) {
        self.end(&ConnectionError::Stopped);
    }
}

/// A timer that is not touched while a deadline moves later.
struct Alarm<T> {
    timer: T,
    /// What the timer is set to: no later than the deadline.
    set: Option<Instant>,
}

impl<T: Timer> Alarm<T> {
    /// Ready if it fired, perhaps too early.
    fn poll(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        if self.set.is_none_or(|set| deadline < set) {
            self.timer.set(Some(deadline));
            self.set = Some(deadline);
        }
        let fired = self.timer.poll_fired(cx);
        if fired.is_ready() {
            self.set = None;
        }
        fired
    }
}

const FRAMES_A_ROUND: usize = 64;
/// Then others have their turn: those who receive them may be in the same thread.
const FRAMES_A_POLL: usize = 128;
const ROUNDS: usize = 16;
