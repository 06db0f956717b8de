//! What a connection's handle and the driver share.

mod change;
mod collecting;
mod driver_side;
mod handle_side;

pub(crate) use change::Change;
pub(crate) use collecting::Merge;

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Address, LinkId};

use crate::collector::Collector;
use crate::config::Config;
use crate::error::{ConnectError, ConnectionError};
use crate::hub::Hub;
use crate::inbox::Inbox;
use crate::outbox::Outbox;
use crate::payload::Outgoing;
use crate::statistics::{Counters, Statistics};
use crate::wakers::{Wakers, Woken};
use change::Changes;
use collecting::Collecting;

/// One connection, as both sides see it.
#[derive(Debug)]
pub(crate) struct Line {
    state: Mutex<State>,
    hub: Arc<Hub>,
    counters: Counters,
    address: Address,
    /// Made for a functional request, and gone with it.
    temporary: bool,
    /// The longest message that it receives, in bytes.
    longest: AtomicU32,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    inbox: Inbox,
    physical: Outbox,
    /// Made when it is used: few connections send functional messages.
    functional: Option<Box<Outbox>>,
    send_queue: usize,
    listen_only: bool,
    /// The driver has word of a change that it has not looked at.
    changed: bool,
    abort_receive: bool,
    /// Made when it is used, and gone when it is empty.
    rare: Option<Box<Rare>>,
}

/// What a connection has for short times only.
#[derive(Debug, Default)]
struct Rare {
    /// Whoever waits for the beginning or the end.
    watchers: Wakers,
    /// Running functional requests, which get what would go to the inbox.
    collecting: Vec<Collecting>,
    /// Configurations that wait for their turn.
    changes: Changes,
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

impl Target {
    /// In the order in which they are looked at.
    pub(crate) const ALL: Targets = &[Self::Physical, Self::Functional];
}

/// Some of them, in that order.
pub(crate) type Targets = &'static [Target];

/// A message that is to be sent now, and to which targets others wait to be sent.
pub(crate) type Started = (Target, Outgoing, Targets);

/// What comes after the end of a transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The line waits for nothing but the driver to be over.
    Leave,
    /// Another message may wait to be sent.
    Send,
    /// None does.
    Rest,
}

/// What the driver has to do for a line.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) link: Option<LinkId>,
    pub(crate) abort_send: bool,
    pub(crate) abort_receive: bool,
    pub(crate) leave: bool,
    /// It leaves when all is sent.
    pub(crate) closing: bool,
    /// Another configuration is wanted.
    pub(crate) change: bool,
}

impl Line {
    pub(crate) fn new(hub: Arc<Hub>, address: Address, config: &Config) -> Arc<Self> {
        Self::make(hub, address, config, Vec::new())
    }

    /// A line for as long as its collector collects from it.
    pub(crate) fn temporary(
        hub: Arc<Hub>,
        config: &Config,
        collector: Arc<Collector>,
        responder: Address,
    ) -> Arc<Self> {
        let collecting = vec![Collecting::new(collector, responder)];
        Self::make(hub, responder, config, collecting)
    }

    fn make(
        hub: Arc<Hub>,
        address: Address,
        config: &Config,
        collecting: Vec<Collecting>,
    ) -> Arc<Self> {
        let temporary = !collecting.is_empty();
        let rare = temporary.then(|| {
            Box::new(Rare {
                collecting,
                ..Rare::default()
            })
        });
        Arc::new(Self {
            temporary,
            longest: AtomicU32::new(config.max_message),
            state: Mutex::new(State {
                phase: Phase::Opening,
                inbox: Inbox::new(config.queue),
                physical: Outbox::default(),
                functional: None,
                send_queue: config.send_queue,
                listen_only: config.protocol.receive.listen_only,
                changed: false,
                abort_receive: false,
                rare,
            }),
            hub,
            counters: Counters::default(),
            address,
        })
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// The longest message that it receives, in bytes.
    pub(crate) fn longest(&self) -> u32 {
        self.longest.load(Ordering::Relaxed)
    }

    /// It receives no message of more bytes from now on, until it is configured anew.
    pub(crate) fn receive_at_most(&self, bytes: u32) {
        self.longest.fetch_min(bytes, Ordering::Relaxed);
    }

    /// Counts something, here and for the network.
    pub(crate) fn count(&self, what: impl Fn(&Counters)) {
        what(&self.counters);
        what(self.hub.counters());
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.counters.read()
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
    fn take_work(&mut self) -> Work {
        self.changed = false;
        // whoever asks for work has the link ask for a place again
        self.inbox.take_refused();
        let link = match self.phase {
            Phase::Open(link) | Phase::Flushing(link) => Some(link),
            Phase::Closing(link) | Phase::Dropped(link) => link,
            _ => None,
        };
        Work {
            link,
            abort_send: self.physical.is_abandoned(),
            abort_receive: core::mem::take(&mut self.abort_receive),
            leave: self.may_leave(),
            closing: matches!(self.phase, Phase::Closing(_)),
            change: self.has_changes(),
        }
    }

    fn start_send(&mut self, targets: &[Target]) -> Option<Started> {
        if self.awaits_change() {
            return None;
        }
        let (target, payload) = targets.iter().find_map(|target| {
            let payload = match target {
                Target::Physical => self.physical.start(),
                Target::Functional => self.functional.as_mut()?.start(),
            };
            payload.map(|payload| (*target, payload))
        })?;
        let others = match (target, &self.functional) {
            (Target::Physical, Some(functional)) if functional.has_waiting() => {
                &[Target::Functional][..]
            }
            _ => &[],
        };
        Some((target, payload, others))
    }

    fn may_leave(&self) -> bool {
        match self.phase {
            Phase::Closing(_) => self.is_flushed(),
            Phase::Dropped(_) => true,
            _ => false,
        }
    }

    fn after_sending(&self) -> After {
        let functional = self.functional.as_ref();
        if self.may_leave() {
            After::Leave
        } else if self.physical.has_waiting()
            || functional.is_some_and(|outbox| outbox.has_waiting())
        {
            After::Send
        } else {
            After::Rest
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whoever waits for the beginning or the end, to be woken after the lock is released.
    fn take_watchers(&mut self) -> Woken {
        let watchers = self.rare.as_mut().map(|rare| rare.watchers.take());
        self.tidy();
        watchers.unwrap_or_default()
    }

    /// Lets go of memory that is not used.
    fn tidy(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.is_empty()) {
            self.rare = None;
        }
    }

    fn is_flushed(&self) -> bool {
        let functional = self.functional.as_ref().map_or(0, |outbox| outbox.queued());
        self.physical.queued() + functional == 0
    }

    fn outbox(&mut self, target: Target) -> &mut Outbox {
        match target {
            Target::Physical => &mut self.physical,
            Target::Functional => self.functional.get_or_insert_default(),
        }
    }
}

impl Rare {
    fn is_empty(&self) -> bool {
        self.watchers.is_empty() && self.collecting.is_empty() && self.changes.is_empty()
    }
}

impl Phase {
    /// The handle is gone.
    fn abandon(&mut self) {
        *self = match self {
            Self::Opening => Self::Dropped(None),
            Self::Open(link) | Self::Flushing(link) => Self::Dropped(Some(*link)),
            Self::Closing(link) => Self::Dropped(*link),
            _ => return,
        };
    }

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
