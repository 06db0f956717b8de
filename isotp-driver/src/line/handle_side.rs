//! What handles do with a line.

use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use isotp_core::Refused;

use super::{Line, Phase, Target};
use crate::error::{ConnectError, ConnectionError, SendError, TrySendError};
use crate::inbox::Inbox;
use crate::outbox::Cancelled;
use crate::payload::Outgoing;

impl Line {
    pub(crate) fn poll_open(
        &self,
        key: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), ConnectError>> {
        let mut state = self.state();
        Poll::Ready(match &state.phase {
            Phase::Opening => {
                state.rare().watchers.register(key, cx.waker());
                return Poll::Pending;
            }
            Phase::Refused(error) => Err(error.clone()),
            Phase::Over(error) => Err(ConnectError::Network(error.clone())),
            _ => Ok(()),
        })
    }

    /// The line that took this one's place, if another has its address.
    pub(crate) fn merged(&self) -> Option<Arc<Self>> {
        match &self.state().phase {
            Phase::Merged(host) => Some(host.clone()),
            _ => None,
        }
    }

    /// Begins to close; what is queued will be sent.
    pub(crate) fn close(self: &Arc<Self>) {
        self.change(|state| match state.phase {
            Phase::Opening => state.phase = Phase::Closing(None),
            Phase::Open(link) | Phase::Flushing(link) => state.phase = Phase::Closing(Some(link)),
            _ => {}
        });
    }

    /// The handle is gone.
    pub(crate) fn abandon(self: &Arc<Self>) {
        self.change(|state| state.phase.abandon());
    }

    pub(crate) fn poll_over(
        &self,
        key: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<ConnectionError> {
        let mut state = self.state();
        if let Phase::Over(error) = &state.phase {
            return Poll::Ready(error.clone());
        }
        state.rare().watchers.register(key, cx.waker());
        Poll::Pending
    }

    /// Nobody waits for the beginning or the end under this key any more.
    pub(crate) fn forget_watcher(&self, key: Option<u64>) {
        let mut state = self.state();
        if let Some(rare) = &mut state.rare {
            rare.watchers.remove(key);
        }
        state.tidy();
    }

    /// Queues a message; gives its number, under which its outcome is asked for. The task of `waker` waits
    /// for that from now on.
    pub(crate) fn send(
        self: &Arc<Self>,
        target: Target,
        payload: Outgoing,
        waker: Option<&Waker>,
    ) -> Result<u64, SendError> {
        let mut state = self.state();
        if let Some(error) = state.phase.sending_error() {
            return Err(error.into());
        }
        if state.listen_only {
            return Err(SendError::Refused(listens_only(payload)));
        }
        let outbox = state.outbox(target);
        let number = match waker {
            Some(waker) => outbox.push_awaited(payload, waker),
            None => outbox.push(payload, false),
        };
        self.note_change(state);
        Ok(number)
    }

    /// Queues a message that nobody waits for.
    pub(crate) fn try_send(self: &Arc<Self>, payload: Outgoing) -> Result<(), TrySendError> {
        let mut state = self.state();
        if let Some(error) = state.phase.sending_error() {
            return Err(TrySendError::Connection(error, payload));
        }
        if state.listen_only {
            return Err(TrySendError::Refused(listens_only(payload)));
        }
        if state.physical.queued() >= state.send_queue {
            return Err(TrySendError::Full(payload));
        }
        state.physical.push(payload, true);
        self.note_change(state);
        Ok(())
    }

    pub(crate) fn poll_sent(
        &self,
        target: Target,
        number: u64,
        waker: &Waker,
    ) -> Option<Result<(), SendError>> {
        self.state().outbox(target).poll(number, waker)
    }

    /// Nobody waits for the outcome any more.
    pub(crate) fn cancel(self: &Arc<Self>, target: Target, number: u64) {
        let mut state = self.state();
        match state.outbox(target).cancel(number) {
            Cancelled::MustAbort => self.note_change(state),
            // the message may be of a type that uses this connection when it is dropped
            Cancelled::Gone(left) => {
                drop(state);
                drop(left);
            }
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.state().physical.queued()
    }

    pub(crate) fn abort_receive(self: &Arc<Self>) {
        self.change(|state| state.abort_receive = true);
    }

    /// What is here, as `pop` takes it from the inbox, or the end.
    pub(crate) fn poll_take<T>(
        self: &Arc<Self>,
        pop: impl FnOnce(&mut Inbox) -> Option<T>,
        waiter: Option<(&mut Option<u64>, &mut Context<'_>)>,
    ) -> Poll<Result<T, ConnectionError>> {
        let mut state = self.state();
        let taken = pop(&mut state.inbox);
        if taken.is_none()
            && let Phase::Over(error) = &state.phase
        {
            return Poll::Ready(Err(error.clone()));
        }
        match (&taken, waiter) {
            (None, Some((key, cx))) => state.inbox.readers.register(key, cx.waker()),
            (Some(_), Some((key, _))) => state.inbox.readers.remove(key.take()),
            _ => {}
        }
        if state.inbox.wants_service() {
            self.note_change(state);
        }
        taken.map_or(Poll::Pending, |taken| Poll::Ready(Ok(taken)))
    }

    /// Why it is over.
    pub(crate) fn end_reason(&self) -> ConnectionError {
        match &self.state().phase {
            Phase::Over(error) => error.clone(),
            _ => ConnectionError::Closed,
        }
    }

    /// Whether it is no longer on the bus.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state().phase, Phase::Over(_))
    }

    /// How many messages may wait to be sent.
    pub(crate) fn send_queue(&self) -> usize {
        self.state().send_queue
    }

    /// Nobody waits for a message under this key any more.
    pub(crate) fn forget_reader(&self, key: Option<u64>) {
        self.state().inbox.readers.remove(key);
    }
}

fn listens_only(payload: Outgoing) -> Refused<Outgoing> {
    let error = isotp_core::SendError::ListenOnly;
    Refused { error, payload }
}
