//! Counts of what a connection or a network did.

use core::fmt;
use core::mem::discriminant;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isotp_core::{Ignored, NResult};
use portable_atomic::{AtomicU64, Ordering};

/// What a [`Connection`](crate::Connection) or a [`Network`](crate::Network) did since it began.
///
/// A network counts what all its connections did, also those that are gone. Each count is exact; two of
/// them may be of different moments, since the driver goes on while they are read.
///
/// A way that carries whole messages (`kernel:`, `isotpserver:`) shows no frames and ignores none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Frames that the bus took from us.
    pub frames_sent: u64,
    /// Frames that were for us, those of other connections of the network among them. A frame on a
    /// functional id is counted by each connection that has it, and so by the network.
    pub frames_received: u64,
    /// Frames from the bus that no connection of the network has an id for; of a connection always 0.
    pub frames_unclaimed: u64,
    /// Messages that were confirmed.
    pub messages_sent: u64,
    /// Bytes in them.
    pub bytes_sent: u64,
    /// Messages that were received and kept.
    pub messages_received: u64,
    /// Bytes in them.
    pub bytes_received: u64,
    /// Messages that found the queue full, as [`Event::Lagged`](crate::Event::Lagged) tells them.
    pub messages_lost: u64,
    /// Messages that were begun and not confirmed: of each N_Result, the newest one, and how many.
    pub failed_to_send: Vec<(NResult, u64)>,
    /// Messages that were announced and did not come, likewise.
    pub failed_to_receive: Vec<(NResult, u64)>,
    /// Frames for us that had no effect, by reason.
    pub ignored: Vec<(Ignored, u64)>,
}

impl fmt::Display for Statistics {
    /// One line, for logs: the counts that are not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sent {} messages ({} bytes, {} frames), received {} ({} bytes, {} frames)",
            self.messages_sent,
            self.bytes_sent,
            self.frames_sent,
            self.messages_received,
            self.bytes_received,
            self.frames_received,
        )?;
        for (count, what) in [
            (self.messages_lost, "lost"),
            (self.frames_unclaimed, "frames unclaimed"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        for (result, count) in &self.failed_to_send {
            write!(f, ", {count} not sent: {}", result.name())?;
        }
        for (result, count) in &self.failed_to_receive {
            write!(f, ", {count} not received: {}", result.name())?;
        }
        for (reason, count) in &self.ignored {
            write!(f, ", {count} frames ignored: {reason}")?;
        }
        Ok(())
    }
}

/// What is counted while it happens. Counting a frame neither locks nor allocates; the first fault of
/// each kind may allocate.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// More than one task counts messages here. A locked instruction takes as long as twenty others.
    shared: bool,
    frames_sent: Counter,
    frames_received: Counter,
    frames_unclaimed: Counter,
    messages_sent: Counter,
    bytes_sent: Counter,
    messages_received: Counter,
    bytes_received: Counter,
    messages_lost: Counter,
    /// Most never have any.
    faults: Mutex<Option<Box<Faults>>>,
}

/// What went wrong: few kinds, each in one entry.
#[derive(Clone, Debug, Default)]
struct Faults {
    sending: Vec<(NResult, u64)>,
    receiving: Vec<(NResult, u64)>,
    ignored: Vec<(Ignored, u64)>,
}

impl Counters {
    /// For a network with channels, each of which has a task that counts messages.
    pub(crate) fn shared() -> Self {
        Self {
            shared: true,
            ..Self::default()
        }
    }

    /// Frames are counted by the task of the frame bus alone.
    pub(crate) fn frame_sent(&self) {
        self.frames_sent.add_alone(1);
    }

    pub(crate) fn frame_received(&self) {
        self.frames_received.add_alone(1);
    }

    pub(crate) fn frame_unclaimed(&self) {
        self.frames_unclaimed.add_alone(1);
    }

    pub(crate) fn sent(&self, bytes: u32) {
        self.add(&self.messages_sent, 1);
        self.add(&self.bytes_sent, bytes);
    }

    pub(crate) fn received(&self, bytes: u32) {
        self.add(&self.messages_received, 1);
        self.add(&self.bytes_received, bytes);
    }

    pub(crate) fn lost(&self, messages: u32) {
        self.add(&self.messages_lost, messages);
    }

    fn add(&self, counter: &Counter, more: u32) {
        if self.shared {
            counter.add(more.into());
        } else {
            counter.add_alone(more.into());
        }
    }

    pub(crate) fn failed_to_send(&self, result: NResult) {
        count(&mut self.faults().get_or_insert_default().sending, result);
    }

    pub(crate) fn failed_to_receive(&self, result: NResult) {
        count(&mut self.faults().get_or_insert_default().receiving, result);
    }

    pub(crate) fn ignored(&self, reason: Ignored) {
        count(&mut self.faults().get_or_insert_default().ignored, reason);
    }

    pub(crate) fn read(&self) -> Statistics {
        let faults = self.faults().as_deref().cloned().unwrap_or_default();
        Statistics {
            frames_sent: self.frames_sent.read(),
            frames_received: self.frames_received.read(),
            frames_unclaimed: self.frames_unclaimed.read(),
            messages_sent: self.messages_sent.read(),
            bytes_sent: self.bytes_sent.read(),
            messages_received: self.messages_received.read(),
            bytes_received: self.bytes_received.read(),
            messages_lost: self.messages_lost.read(),
            failed_to_send: faults.sending,
            failed_to_receive: faults.receiving,
            ignored: faults.ignored,
        }
    }

    fn faults(&self) -> MutexGuard<'_, Option<Box<Faults>>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of its kind more. What stands for the kind is the newest.
fn count<T>(entries: &mut Vec<(T, u64)>, fault: T) {
    let kind = discriminant(&fault);
    if let Some((newest, count)) = entries
        .iter_mut()
        .find(|(known, _)| discriminant(known) == kind)
    {
        *newest = fault;
        *count += 1;
    } else {
        entries.push((fault, 1));
    }
}

/// Exact on targets without 64-bit atomics too.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The same where a single task counts.
    fn add_alone(&self, more: u64) {
        self.0.store(self.read() + more, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_kind_are_one_entry_with_the_newest() {
        let counters = Counters::default();
        let wrong = |expected| NResult::WrongSn {
            expected,
            received: 0,
        };
        for expected in 1..=3 {
            counters.failed_to_receive(wrong(expected));
        }
        counters.failed_to_receive(NResult::TimeoutCr);
        let read = counters.read();
        assert_eq!(
            read.failed_to_receive,
            [(wrong(3), 3), (NResult::TimeoutCr, 1)]
        );
        assert!(read.failed_to_send.is_empty());
    }

    #[test]
    fn the_line_for_logs_tells_what_is_not_usual_only_if_it_is_there() {
        let counters = Counters::default();
        counters.sent(9);
        let usual = "sent 1 messages (9 bytes, 0 frames), received 0 (0 bytes, 0 frames)";
        assert_eq!(counters.read().to_string(), usual);
        counters.lost(2);
        counters.failed_to_send(NResult::TimeoutBs);
        counters.ignored(Ignored::ReservedPci);
        let expected = format!(
            "{usual}, 2 lost, 1 not sent: N_TIMEOUT_Bs, 1 frames ignored: reserved PCI type"
        );
        assert_eq!(counters.read().to_string(), expected);
    }
}
