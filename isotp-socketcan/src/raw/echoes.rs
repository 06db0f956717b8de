//! Our own frames on their way, until their echo comes.

use core::time::Duration;
use std::collections::VecDeque;

use isotp_driver::{Arrival, Frame, FrameView, Instant, TxToken};

/// Frames that were taken and whose echo has not come.
///
/// The echo is the same frame again, without a number, so it is matched by what it is:
///
/// - An echo confirms the oldest frame that is equal to it. Frames of one id leave in order, so those
///   of the same id before it are probably lost. If the socket is known to have dropped messages, it
///   was their echo, and they are told as sent. Else they have failed unless their echo comes within
///   100 ms: drivers, and virtual buses of a machine with several processors, may mix up neighbours.
/// - A frame that waits for more than a second is passed over while a younger one is equal to it. Were
///   it not, an echo that never came would let every later frame of the same content be confirmed by
///   its predecessor, or never.
/// - An echo that nothing waits for is ignored.
///
/// There is room for [`LIMIT`] frames. That also bounds the echoes in the receive queue, so that we do
/// not overrun it ourselves.
#[derive(Debug)]
pub(super) struct Echoes {
    waiting: VecDeque<Waiting>,
    /// What is to be told before anything else.
    told: VecDeque<Told>,
    /// The number of the next frame.
    next: u64,
    doubt: Option<Doubt>,
    /// When the first of the frames that were overtaken is given up.
    overtaken: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    since: Instant,
    /// When it is given up, if a later frame of its id had its echo before it.
    overtaken: Option<Instant>,
    token: TxToken,
    frame: Frame,
}

#[derive(Debug)]
struct Told {
    sent: bool,
    waiting: Waiting,
}

/// The socket dropped messages: some of them may be echoes of frames below a number. Those that have
/// none by then count as sent.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    until: Instant,
    below: u64,
}

impl Echoes {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::with_capacity(LIMIT),
            told: VecDeque::with_capacity(LIMIT),
            next: 0,
            doubt: None,
            overtaken: None,
        }
    }

    /// Whether another frame may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() + self.told.len() < LIMIT
    }

    /// How many frames wait for their echo.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// A frame was taken.
    pub(super) fn take(&mut self, now: Instant, frame: FrameView<'_>, token: TxToken) {
        let mut copy = Frame::new();
        copy.copy_from(frame);
        self.waiting.push_back(Waiting {
            number: self.next,
            since: now,
            overtaken: None,
            token,
            frame: copy,
        });
        self.next += 1;
    }

    /// An echo came: the token of its frame, if it can be told at once. If not, [`tell`](Self::tell)
    /// has what is to be told before it, and then itself.
    ///
    /// Of the frames that were taken, the last `unsent` are not on their way yet.
    pub(super) fn confirm(
        &mut self,
        at: Instant,
        echo: FrameView<'_>,
        unsent: usize,
    ) -> Option<TxToken> {
        let index = self.find(at, echo, self.next - unsent as u64)?;
        let confirmed = self.waiting.remove(index)?;
        let mut before = 0;
        for _ in 0..index {
            let overtaken = self.waiting.get_mut(before)?;
            let same = overtaken.frame.id() == echo.id;
            if same
                && self
                    .doubt
                    .is_some_and(|doubt| overtaken.number < doubt.below)
            {
                self.settle(before, true);
                continue;
            }
            if same && overtaken.overtaken.is_none() {
                overtaken.overtaken = Some(at + GRACE);
                self.overtaken.get_or_insert(at + GRACE);
            }
            before += 1;
        }
        if self.told.is_empty() {
            return Some(confirmed.token);
        }
        self.told.push_back(Told {
            sent: true,
            waiting: confirmed,
        });
        None
    }

    /// The socket has dropped messages, perhaps echoes of all but the last `unsent` frames.
    pub(super) fn doubt(&mut self, now: Instant, unsent: usize) {
        if self.waiting.len() > unsent {
            self.doubt = Some(Doubt {
                until: now + GRACE,
                below: self.next - unsent as u64,
            });
        }
    }

    /// None of the frames will be sent.
    pub(super) fn fail_all(&mut self) {
        self.doubt = None;
        self.overtaken = None;
        while !self.waiting.is_empty() {
            self.settle(0, false);
        }
    }

    /// Of the last `unsent` frames, the first `count` will not be sent.
    pub(super) fn fail_unsent(&mut self, unsent: usize, count: usize) {
        let first = self.next - unsent as u64;
        for number in first..first + count as u64 {
            let index = self
                .waiting
                .binary_search_by_key(&number, |waiting| waiting.number);
            if let Ok(index) = index {
                self.settle(index, false);
            }
        }
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(doubt) = self.doubt.filter(|doubt| now >= doubt.until) {
            self.doubt = None;
            while self
                .waiting
                .front()
                .is_some_and(|first| first.number < doubt.below)
            {
                self.settle(0, true);
            }
        }
        if self.overtaken.is_some_and(|until| now >= until) {
            self.give_up_overtaken(now);
        }
        // with room, they are in nobody's way, and their echo may still come
        while !self.has_room() && self.told.is_empty() && self.is_stale(now) {
            self.settle(0, false);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let doubt = self.doubt.map(|doubt| doubt.until);
        let full = self.waiting.front().filter(|_| !self.has_room());
        let full = full.map(|first| first.since + STALE);
        [doubt, full, self.overtaken].into_iter().flatten().min()
    }

    /// Whether there is something to tell.
    pub(super) fn has_news(&self) -> bool {
        !self.told.is_empty()
    }

    /// What became of a frame that got no echo.
    pub(super) fn tell(&mut self, at: Instant, frame: &mut Frame) -> Option<Arrival> {
        let Told { sent, waiting } = self.told.pop_front()?;
        let token = waiting.token;
        frame.copy_from(waiting.frame.view());
        Some(if sent {
            Arrival::Transmitted { at, token }
        } else {
            Arrival::Failed { at, token }
        })
    }

    fn find(&self, at: Instant, echo: FrameView<'_>, below: u64) -> Option<usize> {
        let equal = |waiting: &Waiting| {
            let frame = waiting.frame.view();
            waiting.number < below
                && frame.id == echo.id
                && frame.kind.is_fd() == echo.kind.is_fd()
                && frame.data == echo.data
        };
        let fresh = |waiting: &Waiting| at - waiting.since < STALE && equal(waiting);
        let fresh = self.waiting.iter().position(fresh);
        fresh.or_else(|| self.waiting.iter().position(equal))
    }

    fn give_up_overtaken(&mut self, now: Instant) {
        let mut index = 0;
        self.overtaken = None;
        while let Some(waiting) = self.waiting.get(index) {
            match waiting.overtaken {
                Some(until) if now >= until => self.settle(index, false),
                Some(until) => {
                    let first = self.overtaken.map_or(until, |first| first.min(until));
                    self.overtaken = Some(first);
                    index += 1;
                }
                None => index += 1,
            }
        }
    }

    fn is_stale(&self, now: Instant) -> bool {
        let first = self.waiting.front();
        first.is_some_and(|first| now - first.since >= STALE)
    }

    fn settle(&mut self, index: usize, sent: bool) {
        if let Some(waiting) = self.waiting.remove(index) {
            self.told.push_back(Told { sent, waiting });
        }
    }
}

/// Frames on their way at most.
pub(super) const LIMIT: usize = 128;

/// How long an echo may take before it gives way to a younger equal one.
const STALE: Duration = Duration::from_secs(1);

/// How long an echo may take that was perhaps dropped, or overtaken.
const GRACE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
