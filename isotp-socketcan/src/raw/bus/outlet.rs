//! Frames that were taken, on their way into the kernel.

use core::time::Duration;
use std::io;

use isotp_driver::{FrameView, Instant, Interest, Readiness, Watch};

use super::monitor::RawMonitor;
use crate::raw::wire;
use crate::sys::{self, BATCH, Outbound};

/// Frames that wait for the next system call.
///
/// | state | when | next |
/// |---|---|---|
/// | Open | the kernel took everything so far | frames are taken |
/// | Full | the socket's queue is full (EAGAIN) | the socket becomes writable |
/// | Crowded | the interface's queue is full (ENOBUFS); the socket is "writable" all the time | an echo comes, or a pause ends that becomes longer each time |
///
/// What the kernel did not take stays, in order, and nothing is taken behind it until it has gone. If
/// it stays for more than a second it is given up.
#[derive(Debug)]
pub(super) struct Outlet {
    messages: Box<[Outbound; BATCH]>,
    /// The frames that wait: from, to.
    first: usize,
    end: usize,
    state: State,
    /// The next pause, should the interface's queue be full.
    pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Full { since: Instant },
    Crowded { since: Instant, until: Instant },
}

/// What became of the frames that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// The kernel has them, or those that are left may go later.
    Well,
    /// The first of those that are left can never be sent.
    Impossible,
}

impl Outlet {
    pub(super) fn new() -> Self {
        Self {
            messages: Box::new([Outbound::EMPTY; BATCH]),
            first: 0,
            end: 0,
            state: State::Open,
            pause: SHORTEST_PAUSE,
        }
    }

    /// Whether a frame may be taken.
    pub(super) const fn has_room(&self) -> bool {
        matches!(self.state, State::Open) && self.end < BATCH
    }

    /// Takes a frame, for which there is room; `false` if CAN has no such frame.
    pub(super) fn take(&mut self, frame: FrameView<'_>) -> bool {
        let Some(message) = self.messages.get_mut(self.end) else {
            return false;
        };
        let taken = wire::encode(frame, message);
        self.end += usize::from(taken);
        taken
    }

    /// How many frames wait.
    pub(super) const fn len(&self) -> usize {
        self.end - self.first
    }

    /// Whether it waits for the socket to become writable.
    pub(super) const fn is_full(&self) -> bool {
        matches!(self.state, State::Full { .. })
    }

    /// The socket became writable.
    pub(super) fn writable(&mut self) {
        if self.is_full() {
            self.retry();
        }
    }

    /// One of our frames has left the interface.
    pub(super) fn relieved(&mut self) {
        self.pause = SHORTEST_PAUSE;
        if matches!(self.state, State::Crowded { .. }) {
            self.retry();
        }
    }

    /// Whether the frames that wait should be sent now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        match self.state {
            State::Open => self.len() > 0,
            State::Full { .. } => false,
            State::Crowded { until, .. } => now >= until,
        }
    }

    /// Whether the frames that wait have waited for too long.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.since()
            .is_some_and(|since| self.len() > 0 && now >= since + PATIENCE)
    }

    /// When [`is_due`](Self::is_due) or [`is_over`](Self::is_over) may become true with time.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let over = self.since().filter(|_| self.len() > 0);
        let over = over.map(|since| since + PATIENCE);
        match self.state {
            State::Crowded { until, .. } => Some(over.map_or(until, |over| over.min(until))),
            _ => over,
        }
    }

    /// Forgets the frames that wait.
    pub(super) const fn clear(&mut self) {
        self.first = 0;
        self.end = 0;
        self.state = State::Open;
    }

    /// Forgets the first of the frames that wait.
    pub(super) const fn skip(&mut self) {
        self.advance(1);
    }

    /// Gives the kernel what waits. `echo`: the echo of an earlier frame is still to come.
    pub(super) fn send<W: Watch>(
        &mut self,
        now: Instant,
        echo: bool,
        readiness: &Readiness<W>,
        monitor: &RawMonitor,
    ) -> io::Result<Flushed> {
        let mut echo = echo;
        while self.len() > 0 {
            let waiting = self.messages.get(self.first..self.end).unwrap_or(&[]);
            let sent = readiness.try_io(Interest::WRITABLE, |socket| {
                monitor.add_call();
                sys::send_batch(socket, waiting)
            });
            match sent {
                Ok(count) => {
                    self.advance(count);
                    self.state = State::Open;
                    echo = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let since = self.since().unwrap_or(now);
                    self.state = State::Full { since };
                    monitor.add_full_socket();
                    return Ok(Flushed::Well);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => match error.raw_os_error() {
                    Some(libc::ENOBUFS) => {
                        self.crowd(now, echo);
                        monitor.add_full_interface();
                        return Ok(Flushed::Well);
                    }
                    // the interface does not take a frame of this kind, perhaps no longer
                    Some(libc::EINVAL | libc::EMSGSIZE) => return Ok(Flushed::Impossible),
                    _ => return Err(error),
                },
            }
        }
        self.state = State::Open;
        Ok(Flushed::Well)
    }

    /// The queue of the interface is full. If it is our own frames, an echo comes, and the pause is
    /// only for the case that it gets lost.
    fn crowd(&mut self, now: Instant, echo: bool) {
        let pause = if echo { LONGEST_PAUSE } else { self.pause };
        self.state = State::Crowded {
            since: self.since().unwrap_or(now),
            until: now + pause,
        };
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
    }

    /// Since when the kernel takes nothing.
    const fn since(&self) -> Option<Instant> {
        match self.state {
            State::Open => None,
            State::Full { since } | State::Crowded { since, .. } => Some(since),
        }
    }

    const fn advance(&mut self, count: usize) {
        self.first += count;
        if self.first >= self.end {
            self.first = 0;
            self.end = 0;
        }
    }

    /// The kernel may take something again.
    fn retry(&mut self) {
        match self.state {
            // what waits keeps its age, and goes before anything else is taken
            State::Full { since } | State::Crowded { since, .. } if self.len() > 0 => {
                let until = since;
                self.state = State::Crowded { since, until };
            }
            _ => self.state = State::Open,
        }
    }
}

/// A frame of 8 bytes takes about as long at 500 kbit/s.
const SHORTEST_PAUSE: Duration = Duration::from_micros(250);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// How long a frame that was taken waits for the kernel. N_As is as long by default, so that a
/// transfer has usually ended by then.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
