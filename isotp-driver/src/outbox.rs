//! The messages of a connection that wait to be sent, in order.

use core::task::Waker;
use std::collections::VecDeque;

use crate::error::{ConnectionError, SendError};
use crate::message::Event;
use crate::payload::Outgoing;

/// First in, first out. The front is the one that is being sent.
///
/// | entry | input | next |
/// |---|---|---|
/// | Waiting | its turn | Sending |
/// | Waiting | dropped | removed, nothing is sent |
/// | Sending | confirm | Done; removed if nobody waits for it |
/// | Sending | half duplex, not now | Waiting |
/// | Sending | dropped | Abandoned |
/// | Abandoned | confirm | removed |
/// | Done | taken | removed |
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: VecDeque<Entry>,
    /// Number of the front entry.
    first: u64,
    /// The one that is being sent.
    current: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// Whoever waits for the outcome.
    waker: Option<Waker>,
    /// Nobody ever waits for the outcome.
    detached: bool,
}

#[derive(Debug)]
enum State {
    Waiting(Outgoing),
    Sending,
    Abandoned,
    Done(Result<(), SendError>),
    Removed,
}

/// What became of a message that somebody no longer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// Nothing is left of it.
    Gone,
    /// Its transfer must be aborted.
    MustAbort,
}

/// What an outcome asks for, after the lock is released.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    pub(crate) waker: Option<Waker>,
    /// The failure of a message that nobody waits for.
    pub(crate) failed: Option<Event>,
}

impl Outbox {
    /// Enters a message; gives its number.
    pub(crate) fn push(&mut self, payload: Outgoing, detached: bool) -> u64 {
        self.entries.push_back(Entry {
            state: State::Waiting(payload),
            waker: None,
            detached,
        });
        self.first + self.entries.len() as u64 - 1
    }

    /// The next message to be sent, if none is.
    pub(crate) fn start(&mut self) -> Option<Outgoing> {
        if self.current.is_some() {
            return None;
        }
        for (number, entry) in (self.first..).zip(&mut self.entries) {
            if let State::Waiting(_) = entry.state {
                let state = core::mem::replace(&mut entry.state, State::Sending);
                self.current = Some(number);
                let State::Waiting(payload) = state else {
                    break;
                };
                return Some(payload);
            }
        }
        None
    }

    /// The message that was started cannot be sent yet.
    pub(crate) fn put_back(&mut self, payload: Outgoing) {
        let Some(current) = self.current.take() else {
            return;
        };
        if let Some(entry) = self.entry(current) {
            if matches!(entry.state, State::Abandoned) {
                entry.state = State::Removed;
            } else {
                entry.state = State::Waiting(payload);
            }
        }
        self.trim();
    }

    /// The outcome of the message that was started.
    pub(crate) fn finish(&mut self, outcome: Result<(), SendError>) -> Finished {
        let mut finished = Finished::default();
        let Some(current) = self.current.take() else {
            return finished;
        };
        if let Some(entry) = self.entry(current) {
            if entry.detached || matches!(entry.state, State::Abandoned) {
                let detached = entry.detached;
                entry.state = State::Removed;
                finished.failed = outcome.err().filter(|_| detached).and_then(told);
            } else {
                entry.state = State::Done(outcome);
                finished.waker = entry.waker.take();
            }
        }
        self.trim();
        finished
    }

    /// The outcome, for whoever waits for it.
    pub(crate) fn poll(&mut self, number: u64, waker: &Waker) -> Option<Result<(), SendError>> {
        let entry = self.entry(number)?;
        if let State::Done(_) = entry.state {
            let state = core::mem::replace(&mut entry.state, State::Removed);
            self.trim();
            let State::Done(outcome) = state else {
                return None;
            };
            return Some(outcome);
        }
        match &mut entry.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        None
    }

    /// Nobody waits for the outcome any more.
    pub(crate) fn cancel(&mut self, number: u64) -> Cancelled {
        let Some(entry) = self.entry(number) else {
            return Cancelled::Gone;
        };
        entry.waker = None;
        if let State::Sending = entry.state {
            entry.state = State::Abandoned;
            return Cancelled::MustAbort;
        }
        entry.state = State::Removed;
        self.trim();
        Cancelled::Gone
    }

    /// Whether the message that is being sent is one that nobody waits for any more.
    pub(crate) fn is_abandoned(&mut self) -> bool {
        let current = self.current;
        current
            .and_then(|number| self.entry(number))
            .is_some_and(|entry| matches!(entry.state, State::Abandoned))
    }

    /// The connection is over: ends whatever is here. Gives the tasks to be woken.
    pub(crate) fn end(&mut self, error: &ConnectionError) -> Vec<Waker> {
        self.current = None;
        let mut wakers = Vec::new();
        for entry in &mut self.entries {
            entry.state = match entry.state {
                State::Waiting(_) | State::Sending if !entry.detached => {
                    State::Done(Err(error.clone().into()))
                }
                State::Done(_) => continue,
                _ => State::Removed,
            };
            wakers.extend(entry.waker.take());
        }
        self.trim();
        wakers
    }

    /// Messages that wait or are being sent.
    pub(crate) fn queued(&self) -> usize {
        let open = |entry: &&Entry| {
            matches!(
                entry.state,
                State::Waiting(_) | State::Sending | State::Abandoned
            )
        };
        self.entries.iter().filter(open).count()
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.entries.get_mut(at)
    }

    /// Forgets what is over at the front.
    fn trim(&mut self) {
        while let Some(front) = self.entries.front()
            && matches!(front.state, State::Removed)
        {
            self.entries.pop_front();
            self.first += 1;
        }
    }
}

/// How a failure is told that nobody waits for.
fn told(error: SendError) -> Option<Event> {
    match error {
        SendError::Failed(result) => Some(Event::SendFailed(result)),
        SendError::Refused(refused) => Some(Event::SendRefused(refused.error)),
        SendError::Connection(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use isotp_core::{NResult, Refused};

    use super::*;

    fn payload(byte: u8) -> Outgoing {
        vec![byte].into()
    }

    fn started(outbox: &mut Outbox) -> Option<u8> {
        let bytes = outbox.start()?.into_bytes();
        bytes.and_then(|bytes| bytes.first().copied())
    }

    #[test]
    fn messages_leave_in_order_and_one_at_a_time() {
        let mut outbox = Outbox::default();
        for byte in 0..3 {
            outbox.push(payload(byte), true);
        }
        for byte in 0..3 {
            assert_eq!(started(&mut outbox), Some(byte));
            assert_eq!(started(&mut outbox), None);
            outbox.finish(Ok(()));
        }
        assert!(outbox.entries.is_empty());
    }

    #[test]
    fn a_dropped_message_that_waits_is_never_sent() {
        let mut outbox = Outbox::default();
        outbox.push(payload(0), false);
        let dropped = outbox.push(payload(1), false);
        outbox.push(payload(2), false);
        assert_eq!(started(&mut outbox), Some(0));
        assert_eq!(outbox.cancel(dropped), Cancelled::Gone);
        outbox.finish(Ok(()));
        assert_eq!(started(&mut outbox), Some(2));
    }

    #[test]
    fn the_outcome_of_a_dropped_message_is_not_that_of_the_next() {
        let mut outbox = Outbox::default();
        let first = outbox.push(payload(0), false);
        let second = outbox.push(payload(1), false);
        assert_eq!(started(&mut outbox), Some(0));
        assert_eq!(outbox.cancel(first), Cancelled::MustAbort);
        assert!(outbox.is_abandoned());
        outbox.finish(Err(SendError::Failed(NResult::TimeoutBs)));
        assert!(outbox.poll(second, Waker::noop()).is_none());
        assert_eq!(started(&mut outbox), Some(1));
        outbox.finish(Ok(()));
        assert!(matches!(outbox.poll(second, Waker::noop()), Some(Ok(()))));
        assert!(outbox.entries.is_empty());
    }

    #[test]
    fn a_refusal_that_nobody_waits_for_is_told() {
        let mut outbox = Outbox::default();
        let error = isotp_core::SendError::Empty;
        for detached in [true, false] {
            outbox.push(payload(0), detached);
            let payload = outbox.start().unwrap();
            let refused = Refused { error, payload };
            let finished = outbox.finish(Err(SendError::Refused(refused)));
            let expected = detached.then_some(Event::SendRefused(error));
            assert_eq!(finished.failed, expected);
        }
    }

    #[test]
    fn the_end_reaches_all_that_wait() {
        let mut outbox = Outbox::default();
        let (a, b) = (
            outbox.push(payload(0), false),
            outbox.push(payload(1), false),
        );
        outbox.push(payload(2), true);
        assert!(outbox.poll(a, Waker::noop()).is_none());
        assert!(outbox.poll(b, Waker::noop()).is_none());
        started(&mut outbox);
        assert_eq!(outbox.end(&ConnectionError::Closed).len(), 2);
        for number in [a, b] {
            let outcome = outbox.poll(number, Waker::noop());
            assert!(matches!(
                outcome,
                Some(Err(SendError::Connection(ConnectionError::Closed)))
            ));
        }
        assert_eq!(outbox.queued(), 0);
    }
}
