//! Received messages that go to functional requests, and not to the inbox.

use std::sync::Arc;

use isotp_core::{Address, NResult};

use super::{Line, Phase, State};
use crate::collector::{Collector, Response};
use crate::message::Message;
use crate::wakers::Woken;

/// A running functional request that one of its responders answers here.
#[derive(Debug)]
pub(super) struct Collecting {
    to: Arc<Collector>,
    /// As the request names it.
    responder: Address,
    /// The number of the reception that has a place there.
    reception: Option<u32>,
}

/// What became of a line that is wanted where there is one already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// The other line took its place, or nobody wants it any more.
    Done,
    /// The other line is about to leave: this one can be on the bus then.
    Later,
    /// It is a connection of its own, and refused.
    Refused,
}

impl Collecting {
    pub(super) const fn new(to: Arc<Collector>, responder: Address) -> Self {
        Self {
            to,
            responder,
            reception: None,
        }
    }

    /// Ends with its line. Gives whom to wake.
    pub(super) fn end(self) -> Woken {
        self.to.end_one()
    }

    fn response(&self, outcome: Result<&Message, NResult>) -> Response {
        Response {
            responder: self.responder,
            outcome: outcome.cloned(),
        }
    }
}

impl Line {
    /// Another line has the address of this temporary one, and takes its place.
    ///
    /// Locks: that of a line which is not on the bus, then that of one which is.
    pub(crate) fn merge(&self, host: &Arc<Self>) -> Merge {
        if !self.temporary {
            return Merge::Refused;
        }
        let mut state = self.state();
        let Phase::Opening = state.phase else {
            return Merge::Done;
        };
        let mut other = host.state();
        // one that is opening is on the bus, and has only not heard of it
        let (Phase::Opening | Phase::Open(_)) = other.phase else {
            return Merge::Later;
        };
        let collecting = core::mem::take(&mut state.rare().collecting);
        other.rare().collecting.extend(collecting);
        drop(other);
        state.phase = Phase::Merged(host.clone());
        let watchers = state.take_watchers();
        drop(state);
        watchers.wake();
        Merge::Done
    }

    /// A functional request is over, or no longer wanted here.
    pub(crate) fn stop_collecting(self: &Arc<Self>, collector: &Arc<Collector>) {
        let mut state = self.state();
        if let Phase::Merged(host) = &state.phase {
            let host = host.clone();
            drop(state);
            return host.stop_collecting(collector);
        }
        if let Some(rare) = &mut state.rare {
            rare.collecting.retain(|entry| {
                let mine = Arc::ptr_eq(&entry.to, collector);
                if mine && entry.reception.is_some() {
                    entry.to.release();
                }
                !mine
            });
        }
        state.tidy();
        if self.temporary && state.collecting().is_empty() {
            // under the same lock: no other request may count on this line now
            state.phase.abandon();
            self.note_change(state);
        }
    }

    /// The number of the reception that has a place in this collector.
    pub(crate) fn reception_for(&self, collector: &Arc<Collector>) -> Option<u32> {
        let state = self.state();
        let mut entries = state.collecting().iter();
        entries
            .find(|entry| Arc::ptr_eq(&entry.to, collector))
            .and_then(|entry| entry.reception)
    }
}

impl State {
    pub(super) fn collecting(&self) -> &[Collecting] {
        self.rare.as_ref().map_or(&[], |rare| &rare.collecting)
    }

    fn collecting_mut(&mut self) -> &mut [Collecting] {
        self.rare
            .as_mut()
            .map_or(&mut [], |rare| &mut rare.collecting)
    }

    /// A place for a segmented message: in all running requests, or in the inbox.
    pub(super) fn reserve(&mut self) -> bool {
        if self.collecting().is_empty() {
            return self.inbox.reserve();
        }
        let number = self.inbox.number_reception();
        let entries = self.collecting_mut();
        let refused = entries.iter().position(|entry| !entry.to.reserve());
        let Some(refused) = refused else {
            for entry in entries {
                entry.reception = Some(number);
            }
            return true;
        };
        for entry in entries.iter().take(refused) {
            entry.to.release();
        }
        false
    }

    /// Gives the announced message to the requests that have a place for it. `None` if none has.
    pub(super) fn collect_reserved(&mut self, message: &Message) -> Option<Woken> {
        self.each_with_place(|entry| {
            entry.reception = None;
            entry.to.push_reserved(entry.response(Ok(message)))
        })
    }

    /// Tells the requests that have a place for the announced message that it failed. `None` if none
    /// has. With `another`, the next message has the place already.
    pub(super) fn collect_failure(&mut self, result: NResult, another: bool) -> Option<Woken> {
        let number = self.inbox.number_reception();
        self.each_with_place(|entry| {
            entry.reception = another.then_some(number);
            if another {
                entry.to.push(entry.response(Err(result)))
            } else {
                entry.to.push_reserved(entry.response(Err(result)))
            }
        })
    }

    /// Gives all running requests what needed no place. `None` if there are none.
    pub(super) fn collect(&self, outcome: Result<&Message, NResult>) -> Option<Woken> {
        let entries = self.collecting();
        let mut woken = Woken::default();
        for entry in entries {
            woken.join(entry.to.push(entry.response(outcome)));
        }
        (!entries.is_empty()).then_some(woken)
    }

    fn each_with_place(&mut self, mut tell: impl FnMut(&mut Collecting) -> Woken) -> Option<Woken> {
        let entries = self.collecting_mut().iter_mut();
        let with_place = entries.filter(|entry| entry.reception.is_some());
        with_place.map(&mut tell).reduce(|mut all, one| {
            all.join(one);
            all
        })
    }
}
