//! Where the answers to a functional request come together.

use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Address, NResult};

use crate::message::Message;
use crate::wakers::Wakers;

/// What one responder answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// Who: the address of the list that the request was made with.
    pub responder: Address,
    /// What: a message, or why the one that it began failed.
    pub outcome: Result<Message, NResult>,
}

/// From the driver to whoever made the request: bounded.
#[derive(Debug)]
pub(crate) struct Collector {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    responses: VecDeque<Response>,
    /// Messages that found no room.
    lost: u64,
    /// A line that it collected from is over.
    ended: bool,
    readers: Wakers,
}

impl Collector {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            capacity,
        })
    }

    /// Whether there is room for another message.
    pub(crate) fn has_room(&self) -> bool {
        self.state().responses.len() < self.capacity
    }

    pub(crate) fn push(&self, response: Response) {
        let mut state = self.state();
        if state.responses.len() >= self.capacity {
            state.lost = state.lost.saturating_add(1);
            return;
        }
        state.responses.push_back(response);
        let readers = state.readers.take();
        drop(state);
        readers.wake();
    }

    /// A line that it collects from is over.
    pub(crate) fn end_one(&self) {
        let mut state = self.state();
        state.ended = true;
        let readers = state.readers.take();
        drop(state);
        readers.wake();
    }

    /// Whether a line has ended since the last time.
    pub(crate) fn take_ended(&self) -> bool {
        core::mem::take(&mut self.state().ended)
    }

    pub(crate) fn poll(&self, key: &mut Option<u64>, cx: &Context<'_>) -> Poll<Response> {
        let mut state = self.state();
        if let Some(response) = state.responses.pop_front() {
            return Poll::Ready(response);
        }
        state.readers.register(key, cx.waker());
        Poll::Pending
    }

    pub(crate) fn lost(&self) -> u64 {
        self.state().lost
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
