//! What a connection's handle and the driver share.

use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Address, LinkId, NResult};

use crate::collector::{Collector, Response};
use crate::config::Config;
use crate::error::{ConnectError, ConnectionError, SendError, TrySendError};
use crate::hub::Hub;
use crate::inbox::Inbox;
use crate::message::{Event, Message};
use crate::outbox::{Cancelled, Outbox};
use crate::payload::Outgoing;
use crate::wakers::Wakers;

/// One connection, as both sides see it.
#[derive(Debug)]
pub(crate) struct Line {
    state: Mutex<State>,
    hub: Arc<Hub>,
    send_queue: usize,
    /// Made for a functional request, and gone with it.
    temporary: bool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    inbox: Inbox,
    physical: Outbox,
    functional: Outbox,
    /// The driver has word of a change that it has not looked at.
    changed: bool,
    abort_receive: bool,
    /// Whoever waits for the beginning or the end.
    watchers: Wakers,
    /// Running functional requests, which get what would go to the inbox, under this address.
    collectors: Vec<(Arc<Collector>, Address)>,
}

/// | phase | input | next |
/// |---|---|---|
/// | Opening | driver has the link | Open |
/// | Opening | driver refuses it | Refused |
/// | Opening, temporary | driver has another line of this address | Merged |
/// | Open | network closes | Flushing |
/// | Opening, Open, Flushing | close | Closing |
/// | Opening, Open, Flushing, Closing | handle dropped | Dropped |
/// | Closing | all is sent | Over |
/// | Dropped | driver saw it | Over |
/// | any but Refused | driver ends | Over |
#[derive(Debug)]
enum Phase {
    Opening,
    Refused(ConnectError),
    Merged(Arc<Line>),
    Open(LinkId),
    Flushing(LinkId),
    Closing(Option<LinkId>),
    Dropped(Option<LinkId>),
    Over(ConnectionError),
}

/// Which of the two kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Physical,
    Functional,
}

/// What the driver has to do for a line.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) link: Option<LinkId>,
    pub(crate) abort_send: bool,
    pub(crate) abort_receive: bool,
    pub(crate) leave: bool,
}

impl Line {
    pub(crate) fn new(hub: Arc<Hub>, config: &Config) -> Arc<Self> {
        Self::make(hub, config, Vec::new())
    }

    /// A line for as long as its collector collects from it.
    pub(crate) fn temporary(
        hub: Arc<Hub>,
        config: &Config,
        collector: Arc<Collector>,
        responder: Address,
    ) -> Arc<Self> {
        Self::make(hub, config, vec![(collector, responder)])
    }

    fn make(
        hub: Arc<Hub>,
        config: &Config,
        collectors: Vec<(Arc<Collector>, Address)>,
    ) -> Arc<Self> {
        Arc::new(Self {
            temporary: !collectors.is_empty(),
            state: Mutex::new(State {
                phase: Phase::Opening,
                inbox: Inbox::new(config.queue),
                physical: Outbox::default(),
                functional: Outbox::default(),
                changed: false,
                abort_receive: false,
                watchers: Wakers::default(),
                collectors,
            }),
            hub,
            send_queue: config.send_queue,
        })
    }

    // the handle's side

    pub(crate) fn poll_open(
        &self,
        key: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), ConnectError>> {
        let mut state = self.state();
        Poll::Ready(match &state.phase {
            Phase::Opening => {
                state.watchers.register(key, cx.waker());
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

    /// A functional request is over, or no longer wanted.
    pub(crate) fn stop_collecting(self: &Arc<Self>, collector: &Arc<Collector>) {
        let mut state = self.state();
        if let Phase::Merged(host) = &state.phase {
            let host = host.clone();
            drop(state);
            return host.stop_collecting(collector);
        }
        let mine = |(other, _): &(Arc<Collector>, Address)| Arc::ptr_eq(other, collector);
        state.collectors.retain(|entry| !mine(entry));
        let unused = self.temporary && state.collectors.is_empty();
        drop(state);
        if unused {
            self.abandon();
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
        self.change(|state| match state.phase {
            Phase::Opening => state.phase = Phase::Dropped(None),
            Phase::Open(link) | Phase::Flushing(link) => state.phase = Phase::Dropped(Some(link)),
            Phase::Closing(link) => state.phase = Phase::Dropped(link),
            _ => {}
        });
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
        state.watchers.register(key, cx.waker());
        Poll::Pending
    }

    /// Nobody waits for the beginning or the end under this key any more.
    pub(crate) fn forget_watcher(&self, key: Option<u64>) {
        self.state().watchers.remove(key);
    }

    /// Queues a message; gives its number.
    pub(crate) fn send(
        self: &Arc<Self>,
        target: Target,
        payload: Outgoing,
    ) -> Result<u64, SendError> {
        let mut state = self.state();
        if let Some(error) = state.phase.sending_error() {
            return Err(error.into());
        }
        let number = state.outbox(target).push(payload, false);
        self.note_change(state);
        Ok(number)
    }

    /// Queues a message that nobody waits for.
    pub(crate) fn try_send(self: &Arc<Self>, payload: Outgoing) -> Result<(), TrySendError> {
        let mut state = self.state();
        if let Some(error) = state.phase.sending_error() {
            return Err(TrySendError::Connection(error, payload));
        }
        if state.physical.queued() >= self.send_queue {
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
        if taken.is_none()
            && let Some((key, cx)) = waiter
        {
            state.inbox.readers.register(key, cx.waker());
        }
        if state.inbox.wants_service() {
            self.note_change(state);
        }
        taken.map_or(Poll::Pending, |taken| Poll::Ready(Ok(taken)))
    }

    /// Whether a segmented message is being received.
    pub(crate) fn is_receiving(&self) -> bool {
        self.state().inbox.is_receiving()
    }

    /// Whether it is no longer on the bus.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state().phase, Phase::Over(_))
    }

    /// How many messages may wait to be sent.
    pub(crate) const fn send_queue(&self) -> usize {
        self.send_queue
    }

    /// Nobody waits for a message under this key any more.
    pub(crate) fn forget_reader(&self, key: Option<u64>) {
        self.state().inbox.readers.remove(key);
    }

    // the driver's side

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

    fn change(self: &Arc<Self>, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        self.note_change(state);
    }

    /// Leaves word for the driver, once until it looks.
    fn note_change(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let known = core::mem::replace(&mut state.changed, true);
        drop(state);
        if !known {
            self.hub.changed(self);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_leave(&self) -> bool {
        match self.phase {
            Phase::Closing(_) => self.is_flushed(),
            Phase::Dropped(_) => true,
            _ => false,
        }
    }

    /// Gives it to the running functional requests. `false` if there are none.
    fn collect(&self, outcome: Result<&Message, NResult>) -> bool {
        for (to, responder) in &self.collectors {
            to.push(Response {
                responder: *responder,
                outcome: outcome.cloned(),
            });
        }
        !self.collectors.is_empty()
    }

    fn is_flushed(&self) -> bool {
        self.physical.queued() + self.functional.queued() == 0
    }

    fn outbox(&mut self, target: Target) -> &mut Outbox {
        match target {
            Target::Physical => &mut self.physical,
            Target::Functional => &mut self.functional,
        }
    }
}

impl Phase {
    fn sending_error(&self) -> Option<ConnectionError> {
        match self {
            Self::Opening | Self::Open(_) => None,
            Self::Over(error) => Some(error.clone()),
            _ => Some(ConnectionError::Closed),
        }
    }
}

/// Wakes whoever waits for a message, after the lock is released.
fn wake_readers(mut state: MutexGuard<'_, State>) {
    let readers = state.inbox.readers.take();
    drop(state);
    readers.wake();
}
