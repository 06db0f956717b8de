//! What the driver does with a line.

use isotp_core::{Ignored, LinkId, NResult};

use super::{After, Line, Phase, Started, Target, Work, wake_readers};
use crate::error::{ConnectError, ConnectionError, SendError};
use crate::message::{Event, Message};
use crate::outbox::Entry;
use crate::payload::Outgoing;
use crate::trace;
use crate::wakers::wake;

impl Line {
    /// Whether somebody waits for it to be on the bus.
    pub(crate) fn is_awaited(&self) -> bool {
        matches!(self.state().phase, Phase::Opening | Phase::Closing(_))
    }

    /// The link is on the bus. `false` if the connection is no longer wanted.
    pub(crate) fn opened(&self, link: LinkId) -> bool {
        let mut state = self.state();
        match state.phase {
            Phase::Opening => state.phase = Phase::Open(link),
            Phase::Closing(_) => state.phase = Phase::Closing(Some(link)),
            _ => return false,
        }
        let watchers = state.take_watchers();
        drop(state);
        trace::opened(self);
        watchers.wake();
        true
    }

    /// The link cannot be on the bus.
    pub(crate) fn refused(&self, error: ConnectError) {
        let mut state = self.state();
        state.phase = Phase::Refused(error);
        let watchers = state.take_watchers();
        drop(state);
        watchers.wake();
    }

    /// Looks at all that changed since the last time.
    pub(crate) fn take_work(&self) -> Work {
        self.state().take_work()
    }

    /// The same, and the next message as [`start_send`](Self::start_send) gives it, if the line has a link
    /// and stays.
    pub(crate) fn take_work_and_start(&self) -> (Work, Option<Started>) {
        let mut state = self.state();
        let work = state.take_work();
        let stays = work.link.is_some() && !work.leave;
        let started = stays.then(|| state.start_send(Target::ALL)).flatten();
        (work, started)
    }

    /// The network is closing: nothing more is taken to be sent.
    pub(crate) fn begin_flush(&self) {
        let mut state = self.state();
        if let Phase::Open(link) = state.phase {
            state.phase = Phase::Flushing(link);
        }
    }

    /// Whether nothing is queued.
    pub(crate) fn is_flushed(&self) -> bool {
        self.state().is_flushed()
    }

    /// The only connection of its network is closing.
    pub(crate) fn begin_close(&self) {
        let mut state = self.state();
        match state.phase {
            Phase::Opening => state.phase = Phase::Closing(None),
            Phase::Open(link) => state.phase = Phase::Closing(Some(link)),
            _ => {}
        }
    }

    /// Whether it waits for nothing but the driver to be over.
    pub(crate) fn may_leave(&self) -> bool {
        self.state().may_leave()
    }

    /// The next message to be sent to one of `targets`, to which none is being sent; and to which of them
    /// others wait to be sent.
    pub(crate) fn start_send(&self, targets: &[Target]) -> Option<Started> {
        self.state().start_send(targets)
    }

    /// It cannot be sent yet.
    pub(crate) fn put_back(&self, target: Target, payload: Outgoing) {
        let unwanted = self.state().outbox(target).put_back(payload);
        drop(unwanted);
    }

    /// The outcome of the message that was started: its bytes were sent, or why not. Says what comes
    /// next.
    pub(crate) fn finish_send(&self, target: Target, outcome: Result<u32, SendError>) -> After {
        match &outcome {
            Ok(bytes) => self.count(|counters| counters.sent(*bytes)),
            Err(SendError::Failed(result)) => {
                self.count(|counters| counters.failed_to_send(*result));
            }
            Err(_) => {}
        }
        trace::sent(self, &outcome);
        let mut state = self.state();
        let finished = state.outbox(target).finish(outcome.map(drop));
        let after = state.after_sending();
        if let Some(event) = finished.failed {
            state.inbox.note(event);
            wake_readers(state);
        } else {
            drop(state);
        }
        if let Some(waker) = finished.waker {
            wake(waker);
        }
        after
    }

    /// A place for a segmented message.
    pub(crate) fn reserve(&self) -> bool {
        self.state().reserve()
    }

    /// Whether there is a place for a message; if not, the driver hears when there is one.
    pub(crate) fn has_room(&self) -> bool {
        self.state().inbox.has_room()
    }

    /// The announced message came. It goes where its place is; should that be gone with a request, it
    /// goes to the connection.
    pub(crate) fn deliver_reserved(&self, message: Message) {
        self.take_in(message, true);
    }

    /// A message came.
    pub(crate) fn deliver(&self, message: Message) {
        self.take_in(message, false);
    }

    fn take_in(&self, message: Message, reserved: bool) {
        trace::received(self, &message);
        let size = message.size();
        let mut state = self.state();
        let collected = if reserved {
            state.collect_reserved(&message)
        } else {
            state.collect(Ok(&message))
        };
        if let Some(woken) = collected {
            self.count_received(true, size);
            drop(state);
            return woken.wake();
        }
        let kept = if reserved && state.inbox.reception().is_some() {
            state.inbox.push_reserved(message);
            true
        } else {
            state.inbox.push(message)
        };
        self.count_received(kept, size);
        wake_readers(state);
    }

    /// Before anybody hears of the message: who reads it may look at the numbers.
    fn count_received(&self, kept: bool, size: u32) {
        if kept {
            self.count(|counters| counters.received(size));
        } else {
            self.count(|counters| counters.lost(1));
        }
    }

    /// Messages were lost.
    pub(crate) fn lag(&self, lost: u32) {
        self.count(|counters| counters.lost(lost));
        trace::lost(self, lost);
        let mut state = self.state();
        state.inbox.lag(lost);
        wake_readers(state);
    }

    /// An indication.
    pub(crate) fn indicate(&self, event: Event) {
        let mut state = self.state();
        state.inbox.note(event);
        wake_readers(state);
    }

    /// A frame had no effect.
    pub(crate) fn ignored(&self, reason: Ignored) {
        self.count(|counters| counters.ignored(reason));
        trace::ignored(self, reason);
    }

    /// An announced message failed. With `another`, the next one has its place already.
    pub(crate) fn reception_failed(&self, result: NResult, another: bool) {
        self.count(|counters| counters.failed_to_receive(result));
        trace::not_received(self, result);
        let mut state = self.state();
        let collected = match state.collect_failure(result, another) {
            None if state.inbox.reception().is_some() => {
                state.inbox.fail_reserved(another);
                None
            }
            None => state.collect(Err(result)),
            collected => collected,
        };
        if let Some(woken) = collected {
            drop(state);
            return woken.wake();
        }
        state.inbox.note(Event::Failed(result));
        wake_readers(state);
    }

    /// The connection is over. Gives what is left of its messages: they are the user's, and dropping one
    /// may panic.
    #[must_use = "to be dropped when everybody has been told"]
    pub(crate) fn end(&self, error: &ConnectionError) -> Vec<Entry> {
        let mut state = self.state();
        if let Phase::Refused(_) | Phase::Merged(_) | Phase::Over(_) = state.phase {
            return Vec::new();
        }
        state.phase = Phase::Over(error.clone());
        let mut rare = state.rare.take().unwrap_or_default();
        let functional = state.functional.as_mut().map(|outbox| outbox.end(error));
        let ended = [state.physical.end(error), functional.unwrap_or_default()];
        wake_readers(state);
        trace::over(self, error);
        rare.watchers.take().wake();
        let collecting = rare.collecting.drain(..);
        collecting.for_each(|entry| entry.end().wake());
        let mut all_left = Vec::new();
        for (senders, left) in ended {
            senders.into_iter().for_each(wake);
            all_left.extend(left);
        }
        rare.changes.end();
        all_left
    }
}
