//! Where the answers to a functional request come together.

use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Address, NResult};

use crate::message::Message;
use crate::wakers::{Wakers, Woken};

/// What one responder answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// Who: the address of the list that the request was made with.
    pub responder: Address,
    /// What: a message, or why the one that it began failed.
    pub outcome: Result<Message, NResult>,
}

/// From the driver to whoever made the request: bounded.
///
/// Locks: it is called under the lock of a line, so it wakes nobody itself.
///
/// Invariant: `responses + reserved <= capacity`, so what has a place is never lost.
#[derive(Debug)]
pub(crate) struct Collector {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    responses: VecDeque<Response>,
    /// Places of segmented messages that are being received.
    reserved: usize,
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

    /// Keeps a place for a segmented message.
    pub(crate) fn reserve(&self) -> bool {
        let mut state = self.state();
        let room = state.responses.len() + state.reserved < self.capacity;
        state.reserved += usize::from(room);
        room
    }

    /// The announced message will not come.
    pub(crate) fn release(&self) {
        let mut state = self.state();
        state.reserved = state.reserved.saturating_sub(1);
    }

    /// What was announced, or that it failed.
    pub(crate) fn push_reserved(&self, response: Response) -> Woken {
        let mut state = self.state();
        state.reserved = state.reserved.saturating_sub(1);
        state.responses.push_back(response);
        state.readers.take()
    }

    /// What has no place; it is lost if there is none.
    pub(crate) fn push(&self, response: Response) -> Woken {
        let mut state = self.state();
        if state.responses.len() + state.reserved >= self.capacity {
            state.lost = state.lost.saturating_add(1);
            return Woken::default();
        }
        state.responses.push_back(response);
        state.readers.take()
    }

    /// A line that it collects from is over.
    pub(crate) fn end_one(&self) -> Woken {
        let mut state = self.state();
        state.ended = true;
        state.readers.take()
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
