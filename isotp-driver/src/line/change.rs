//! Another configuration for a connection in use.

use core::sync::atomic::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use futures_channel::oneshot;

use super::{Line, Phase, State};
use crate::config::Config;
use crate::error::{ConnectError, ConnectionError};
use crate::letting_go::let_go;
use crate::trace;

/// A configuration that waits for its turn.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) config: Config,
    /// The protocol part, as the network's bus wants it.
    pub(crate) protocol: Arc<isotp_core::Config>,
    outcome: oneshot::Sender<Result<(), ConnectError>>,
}

/// Those that wait, in order. While one does, no message begins.
#[derive(Debug, Default)]
pub(super) struct Changes(VecDeque<Change>);

impl Change {
    pub(crate) fn new(
        config: Config,
        protocol: isotp_core::Config,
    ) -> (Self, oneshot::Receiver<Result<(), ConnectError>>) {
        let (outcome, waiting) = oneshot::channel();
        let protocol = Arc::new(protocol);
        let change = Self {
            config,
            protocol,
            outcome,
        };
        (change, waiting)
    }

    /// Whoever asked for it no longer does.
    fn is_withdrawn(&self) -> bool {
        self.outcome.is_canceled()
    }
}

impl Line {
    /// Asks for another configuration.
    pub(crate) fn ask(self: &Arc<Self>, wanted: Change) -> Result<(), ConnectError> {
        let mut state = self.state();
        match &state.phase {
            Phase::Opening | Phase::Open(_) => {}
            phase => {
                let over = phase.sending_error();
                let over = over.unwrap_or(ConnectionError::Closed);
                return Err(ConnectError::Network(over));
            }
        }
        state.rare().changes.0.push_back(wanted);
        self.note_change(state);
        Ok(())
    }

    /// Whoever asked has dropped the question: messages may wait for it.
    pub(crate) fn withdraw(self: &Arc<Self>) {
        self.change(|_| {});
    }

    /// The configuration whose turn it is.
    pub(crate) fn take_change(&self) -> Option<Change> {
        let mut state = self.state();
        let changes = &mut state.rare.as_mut()?.changes.0;
        changes.retain(|change| !change.is_withdrawn());
        let next = changes.pop_front();
        state.tidy();
        next
    }

    /// Its turn has not come.
    pub(crate) fn put_back_change(&self, change: Change) {
        self.state().rare().changes.0.push_front(change);
    }

    /// The link has it, or refuses it.
    pub(crate) fn changed(&self, change: Change, outcome: Result<(), ConnectError>) {
        if outcome.is_ok() {
            let mut state = self.state();
            state.inbox.set_capacity(change.config.queue);
            state.send_queue = change.config.send_queue;
            state.listen_only = change.config.protocol.receive.listen_only;
            let longest = change.config.max_message;
            self.longest.store(longest, Ordering::Relaxed);
            drop(state);
            trace::changed(self);
        }
        // nobody may wait any more
        let _ = change.outcome.send(outcome);
    }
}

impl State {
    /// Whether messages have to wait for another configuration.
    pub(super) fn awaits_change(&self) -> bool {
        matches!(self.phase, Phase::Open(_)) && self.has_changes()
    }

    pub(super) fn has_changes(&self) -> bool {
        let rare = self.rare.as_ref();
        rare.is_some_and(|rare| !rare.changes.is_empty())
    }
}

impl Changes {
    /// None of them has its turn any more; that wakes whoever waits for one.
    pub(super) fn end(&mut self) {
        self.0.drain(..).for_each(let_go);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
