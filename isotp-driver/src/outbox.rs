//! The messages of a connection that wait to be sent, in order.

use core::task::Waker;
use std::collections::VecDeque;

use crate::error::{ConnectionError, SendError};
use crate::message::Event;
use crate::payload::Outgoing;

/// First in, first out; one is being sent. What is over takes no memory, but for an outcome that somebody
/// still has to take. A message is the user's: whatever is left of one is given to the caller, who drops
/// it without holding a lock.
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
    entries: Entries,
    /// The number of the next entry.
    next: u64,
    /// No entry below this number waits.
    waiting: u64,
    /// The one that is being sent.
    current: Option<u64>,
}

/// By number, ascending. Empty, it has no memory: most connections have nothing to send.
#[derive(Debug, Default)]
struct Entries(VecDeque<(u64, Entry)>);

#[derive(Debug)]
pub(crate) struct Entry {
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
}

/// What became of a message that somebody no longer waits for.
#[derive(Debug)]
pub(crate) enum Cancelled {
    /// It is out of the queue.
    Gone(Option<Entry>),
    /// Its transfer must be aborted.
    MustAbort,
}

/// What an outcome asks for, after the lock is released.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    pub(crate) waker: Option<Waker>,
    /// The failure of a message that nobody waits for.
    pub(crate) failed: Option<Event>,
    /// What came with an outcome that nobody takes, such as a refused payload: dropped with this.
    pub(crate) left: Option<SendError>,
}

impl Outbox {
    /// Enters a message; gives its number.
    pub(crate) fn push(&mut self, payload: Outgoing, detached: bool) -> u64 {
        self.enter(Entry {
            state: State::Waiting(payload),
            waker: None,
            detached,
        })
    }

    /// Enters a message whose outcome this task waits for; gives its number.
    pub(crate) fn push_awaited(&mut self, payload: Outgoing, waker: &Waker) -> u64 {
        self.enter(Entry {
            state: State::Waiting(payload),
            waker: Some(waker.clone()),
            detached: false,
        })
    }

    fn enter(&mut self, entry: Entry) -> u64 {
        let number = self.next;
        self.next += 1;
        self.entries.0.push_back((number, entry));
        number
    }

    /// The next message to be sent, if none is.
    pub(crate) fn start(&mut self) -> Option<Outgoing> {
        if self.current.is_some() {
            return None;
        }
        let from = self.entries.position(self.waiting).unwrap_or_else(|at| at);
        for (number, entry) in self.entries.0.range_mut(from..) {
            self.waiting = *number + 1;
            if !matches!(entry.state, State::Waiting(_)) {
                continue;
            }
            self.current = Some(*number);
            if let State::Waiting(payload) = core::mem::replace(&mut entry.state, State::Sending) {
                return Some(payload);
            }
        }
        None
    }

    /// The message that was started cannot be sent yet. Gives it back if nobody wants that any more.
    pub(crate) fn put_back(&mut self, payload: Outgoing) -> Option<Outgoing> {
        let current = self.current.take()?;
        match self.entries.get_mut(current) {
            Some(entry) if matches!(entry.state, State::Sending) => {
                entry.state = State::Waiting(payload);
                self.waiting = current;
                None
            }
            _ => {
                self.entries.remove(current);
                Some(payload)
            }
        }
    }

    /// The outcome of the message that was started.
    pub(crate) fn finish(&mut self, outcome: Result<(), SendError>) -> Finished {
        let mut finished = Finished::default();
        let Some(current) = self.current.take() else {
            return finished;
        };
        match self.entries.get_mut(current) {
            Some(entry) if !entry.detached && matches!(entry.state, State::Sending) => {
                entry.state = State::Done(outcome);
                finished.waker = entry.waker.take();
            }
            _ => {
                let entry = self.entries.remove(current);
                let detached = entry.is_some_and(|entry| entry.detached);
                finished.left = outcome.err();
                finished.failed = finished.left.as_ref().filter(|_| detached).and_then(told);
            }
        }
        finished
    }

    /// The outcome, for whoever waits for it.
    pub(crate) fn poll(&mut self, number: u64, waker: &Waker) -> Option<Result<(), SendError>> {
        let entry = self.entries.get_mut(number)?;
        if matches!(entry.state, State::Done(_)) {
            return match self.entries.remove(number)?.state {
                State::Done(outcome) => Some(outcome),
                _ => None,
            };
        }
        match &mut entry.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        None
    }

    /// Nobody waits for the outcome any more.
    pub(crate) fn cancel(&mut self, number: u64) -> Cancelled {
        match self.entries.get_mut(number) {
            Some(entry) if matches!(entry.state, State::Sending) => {
                entry.state = State::Abandoned;
                entry.waker = None;
                Cancelled::MustAbort
            }
            Some(entry) if matches!(entry.state, State::Abandoned) => Cancelled::Gone(None),
            _ => Cancelled::Gone(self.entries.remove(number)),
        }
    }

    /// Whether the message that is being sent is one that nobody waits for any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        let current = self.current.and_then(|number| self.entries.get(number));
        current.is_some_and(|entry| matches!(entry.state, State::Abandoned))
    }

    /// The connection is over: ends whatever is here. Gives the tasks to be woken, and what is left.
    pub(crate) fn end(&mut self, error: &ConnectionError) -> (Vec<Waker>, Vec<Entry>) {
        self.current = None;
        let (mut wakers, mut left) = (Vec::new(), Vec::new());
        for (number, mut entry) in core::mem::take(&mut self.entries).0 {
            let outcome = match entry.state {
                State::Done(outcome) => outcome,
                State::Abandoned => continue,
                _ if entry.detached => {
                    left.push(entry);
                    continue;
                }
                _ => {
                    wakers.extend(entry.waker.take());
                    left.push(entry);
                    Err(error.clone().into())
                }
            };
            let entry = Entry {
                state: State::Done(outcome),
                waker: None,
                detached: false,
            };
            self.entries.0.push_back((number, entry));
        }
        (wakers, left)
    }

    /// Whether one may wait to be sent, at once and not after a look at all.
    pub(crate) fn has_waiting(&self) -> bool {
        let newest = self.entries.0.back();
        newest.is_some_and(|(number, _)| *number >= self.waiting)
    }

    /// Messages that wait or are being sent.
    pub(crate) fn queued(&self) -> usize {
        let done = |(_, entry): &&(u64, Entry)| matches!(entry.state, State::Done(_));
        self.entries.0.len() - self.entries.0.iter().filter(done).count()
    }
}

impl Entries {
    /// Where it is, or where it would be.
    fn position(&self, number: u64) -> Result<usize, usize> {
        match self.0.front() {
            // mostly it is the oldest
            Some((oldest, _)) if *oldest == number => Ok(0),
            _ => self.0.binary_search_by_key(&number, |(other, _)| *other),
        }
    }

    fn get(&self, number: u64) -> Option<&Entry> {
        let at = self.position(number).ok()?;
        self.0.get(at).map(|(_, entry)| entry)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Entry> {
        let at = self.position(number).ok()?;
        self.0.get_mut(at).map(|(_, entry)| entry)
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let at = self.position(number).ok()?;
        let (_, entry) = match at {
            0 => self.0.pop_front()?,
            _ => self.0.remove(at)?,
        };
        if self.0.is_empty() {
            self.0 = VecDeque::new();
        }
        Some(entry)
    }
}

/// How a failure is told that nobody waits for.
const fn told(error: &SendError) -> Option<Event> {
    match error {
        SendError::Failed(result) => Some(Event::SendFailed(*result)),
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
        assert!(outbox.entries.0.is_empty());
    }

    #[test]
    fn a_dropped_message_that_waits_is_never_sent() {
        let mut outbox = Outbox::default();
        outbox.push(payload(0), false);
        let dropped = outbox.push(payload(1), false);
        outbox.push(payload(2), false);
        assert_eq!(started(&mut outbox), Some(0));
        assert!(matches!(outbox.cancel(dropped), Cancelled::Gone(Some(_))));
        outbox.finish(Ok(()));
        assert_eq!(started(&mut outbox), Some(2));
    }

    #[test]
    fn the_outcome_of_a_dropped_message_is_not_that_of_the_next() {
        let mut outbox = Outbox::default();
        let first = outbox.push(payload(0), false);
        let second = outbox.push(payload(1), false);
        assert_eq!(started(&mut outbox), Some(0));
        assert!(matches!(outbox.cancel(first), Cancelled::MustAbort));
        assert!(outbox.is_abandoned());
        outbox.finish(Err(SendError::Failed(NResult::TimeoutBs)));
        assert!(outbox.poll(second, Waker::noop()).is_none());
        assert_eq!(started(&mut outbox), Some(1));
        outbox.finish(Ok(()));
        assert!(matches!(outbox.poll(second, Waker::noop()), Some(Ok(()))));
        assert!(outbox.entries.0.is_empty());
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
        assert_eq!(outbox.end(&ConnectionError::Closed).0.len(), 2);
        for number in [a, b] {
            let outcome = outbox.poll(number, Waker::noop());
            assert!(matches!(
                outcome,
                Some(Err(SendError::Connection(ConnectionError::Closed)))
            ));
        }
        assert_eq!(outbox.queued(), 0);
    }

    #[test]
    fn an_outcome_that_nobody_takes_keeps_nothing_else() {
        let mut outbox = Outbox::default();
        let held = outbox.push(payload(0), false);
        started(&mut outbox);
        outbox.finish(Ok(()));
        for _ in 0..100 {
            let number = outbox.push(payload(1), false);
            assert_eq!(started(&mut outbox), Some(1));
            outbox.finish(Ok(()));
            assert!(outbox.poll(number, Waker::noop()).is_some());
        }
        assert_eq!(outbox.entries.0.len(), 1);
        assert!(matches!(outbox.poll(held, Waker::noop()), Some(Ok(()))));
    }

    #[test]
    fn what_cannot_be_sent_yet_keeps_its_turn() {
        let mut outbox = Outbox::default();
        outbox.push(payload(0), true);
        let second = outbox.push(payload(1), false);
        let first = outbox.start().unwrap();
        assert!(outbox.put_back(first).is_none());
        assert_eq!(started(&mut outbox), Some(0));
        outbox.finish(Ok(()));
        let back = outbox.start().unwrap();
        assert!(matches!(outbox.cancel(second), Cancelled::MustAbort));
        assert!(outbox.put_back(back).is_some(), "nobody wants it");
        assert_eq!(outbox.queued(), 0);
    }
}
