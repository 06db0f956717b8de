//! What a connection's handle and the driver share.

mod driver_side;
mod handle_side;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Address, LinkId, NResult};

use crate::collector::{Collector, Response};
use crate::config::Config;
use crate::error::{ConnectError, ConnectionError};
use crate::hub::Hub;
use crate::inbox::Inbox;
use crate::message::Message;
use crate::outbox::Outbox;
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
