//! Received messages, on their way out of the kernel.

use std::io;

use isotp_driver::{Instant, Interest, Readiness, Watch};

use super::monitor::RawMonitor;
use crate::raw::clock::StampClock;
use crate::sys::{self, BATCH, Inbound};

/// A batch of received messages.
#[derive(Debug)]
pub(super) struct Inlet {
    messages: Box<[Inbound; BATCH]>,
    next: usize,
    filled: usize,
    /// When the socket was seen empty, if this batch was all it had.
    emptied: Option<Instant>,
    clock: StampClock,
    /// The rest of the batch arrived after the driver had read its clock, and waits for the next round.
    deferred: bool,
    /// How many messages the socket is known to have dropped.
    dropped: u32,
}

/// A message, and what is to be known of it.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub(super) message: &'a Inbound,
    /// When it arrived: not later than `now`, and not before the one before it.
    pub(super) at: Instant,
    /// How many messages the socket had to drop since the one before it.
    pub(super) lost: u32,
}

impl Inlet {
    pub(super) fn new() -> Self {
        Self {
            messages: Box::new([const { Inbound::EMPTY }; BATCH]),
            next: 0,
            filled: 0,
            emptied: None,
            clock: StampClock::new(),
            deferred: false,
            dropped: 0,
        }
    }

    /// Whether there are messages that need no system call.
    pub(super) const fn has_more(&self) -> bool {
        self.next < self.filled
    }

    /// Asks the kernel for more, when the batch is used up; `false` if it has none.
    pub(super) fn fetch<W: Watch>(
        &mut self,
        now: Instant,
        readiness: &Readiness<W>,
        monitor: &RawMonitor,
    ) -> io::Result<bool> {
        self.next = 0;
        self.filled = 0;
        self.deferred = false;
        if let Some(at) = self.emptied.take() {
            self.clock.emptied(at);
        }
        let (filled, messages) = (&mut self.filled, &mut *self.messages);
        let received = readiness.try_io(Interest::READABLE, |socket| {
            monitor.add_call();
            *filled = sys::receive_batch(socket, messages)?;
            // that was all: it is known now that another call would find nothing
            if *filled < BATCH {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match received {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.emptied = Some(now),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(error) => return Err(error),
        }
        if self.filled > 0 {
            self.clock.compare();
        }
        Ok(self.filled > 0)
    }

    /// The next message of the batch, if it arrived before `now`.
    ///
    /// A frame that arrived later, while this round was busy, waits for the next: its moment would be
    /// in the future, and to call it earlier would make the frame that follows it too early. But it
    /// waits only once, since the driver may have a clock of its own that goes another way.
    pub(super) fn take(&mut self, now: Instant) -> Option<Taken<'_>> {
        let message = self.messages.get(self.next..self.filled)?.first()?;
        let notes = message.notes();
        let mut at = self.clock.moment(notes.stamp);
        if at > now {
            if !self.deferred {
                self.deferred = true;
                return None;
            }
            at = now;
        }
        self.next += 1;
        self.clock.told(at);
        let dropped = notes.dropped.unwrap_or(self.dropped);
        let lost = dropped.wrapping_sub(self.dropped);
        self.dropped = dropped;
        Some(Taken { message, at, lost })
    }

    /// Something is told that has no stamp of its own.
    pub(super) fn told(&mut self, now: Instant) {
        self.clock.told(now);
    }
}
