//! What the driver does with a line.

use core::task::Waker;
use std::sync::Arc;

use isotp_core::{LinkId, NResult};

use super::{Line, Phase, Target, Work, wake_readers};
use crate::error::{ConnectError, ConnectionError, SendError};
use crate::message::{Event, Message};
use crate::payload::Outgoing;

impl Line {
    /// The link is on the bus. `false` if the connection is no longer wanted.
    pub(crate) fn opened(&self, link: LinkId) -> bool {
        let mut state = self.state();
        match state.phase {
            Phase::Opening => state.phase = Phase::Open(link),
            Phase::Closing(_) => state.phase = Phase::Closing(Some(link)),
            _ => return false,
        }
        let watchers = state.watchers.take();
        drop(state);
        watchers.wake();
        true
    }

    /// The link cannot be on the bus.
    pub(crate) fn refused(&self, error: ConnectError) {
        let mut state = self.state();
        state.phase = Phase::Refused(error);
        let watchers = state.watchers.take();
        drop(state);
        watchers.wake();
    }

    /// Another line has the address of this temporary one, and takes its place. `false` if this one is
    /// not temporary.
    pub(crate) fn merge(&self, host: &Arc<Self>) -> bool {
        if !self.temporary {
            return false;
        }
        let mut state = self.state();
        let collectors = core::mem::take(&mut state.collectors);
        state.phase = Phase::Merged(host.clone());
        let watchers = state.watchers.take();
        drop(state);
        host.state().collectors.extend(collectors);
        watchers.wake();
        true
    }

    /// Looks at all that changed since the last time.
    pub(crate) fn take_work(&self) -> Work {
        let mut state = self.state();
        state.changed = false;
        // whoever asks for work has the link ask for a place again
        state.inbox.take_refused();
        let abort_send = state.physical.is_abandoned();
        let leave = state.may_leave();
        let link = match state.phase {
            Phase::Open(link) | Phase::Flushing(link) => Some(link),
            Phase::Closing(link) | Phase::Dropped(link) => link,
            _ => None,
        };
        Work {
            link,
            abort_send,
            abort_receive: core::mem::take(&mut state.abort_receive),
            leave,
        }
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

    /// The next message to be sent, if none is.
    pub(crate) fn start_send(&self, target: Target) -> Option<Outgoing> {
        self.state().outbox(target).start()
    }

    /// It cannot be sent yet.
    pub(crate) fn put_back(&self, target: Target, payload: Outgoing) {
        let unwanted = self.state().outbox(target).put_back(payload);
        drop(unwanted);
    }

    /// The outcome of the message that was started.
    pub(crate) fn finish_send(&self, target: Target, outcome: Result<(), SendError>) {
        let mut state = self.state();
        let finished = state.outbox(target).finish(outcome);
        if let Some(event) = finished.failed {
            state.inbox.note(event);
            wake_readers(state);
        } else {
            drop(state);
        }
        if let Some(waker) = finished.waker {
            waker.wake();
        }
    }

    /// A place for a segmented message.
    pub(crate) fn reserve(&self) -> bool {
        let mut state = self.state();
        state.collectors.iter().all(|(to, _)| to.has_room()) && state.inbox.reserve()
    }

    /// The announced message came.
    pub(crate) fn deliver_reserved(&self, message: Message) {
        let mut state = self.state();
        if state.collect(Ok(&message)) {
            return state.inbox.release();
        }
        state.inbox.push_reserved(message);
        wake_readers(state);
    }

    /// A message came.
    pub(crate) fn deliver(&self, message: Message) {
        let mut state = self.state();
        if state.collect(Ok(&message)) {
            return;
        }
        state.inbox.push(message);
        wake_readers(state);
    }

    /// Messages were lost.
    pub(crate) fn lag(&self, lost: u32) {
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

    /// An announced message failed. `release` unless the place is used by the next already.
    pub(crate) fn reception_failed(&self, result: NResult, release: bool) {
        let mut state = self.state();
        if release {
            state.inbox.release();
        }
        if state.collect(Err(result)) {
            return;
        }
        state.inbox.note(Event::Failed(result));
        wake_readers(state);
    }

    /// The connection is over.
    pub(crate) fn end(&self, error: &ConnectionError) {
        let mut state = self.state();
        if let Phase::Refused(_) | Phase::Merged(_) | Phase::Over(_) = state.phase {
            return;
        }
        state.phase = Phase::Over(error.clone());
        let collectors = core::mem::take(&mut state.collectors);
        let ended = [state.physical.end(error), state.functional.end(error)];
        let watchers = state.watchers.take();
        wake_readers(state);
        watchers.wake();
        collectors.iter().for_each(|(to, _)| to.end_one());
        for (senders, left) in ended {
            senders.into_iter().for_each(Waker::wake);
            drop(left);
        }
    }
}
