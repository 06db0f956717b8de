//! Buses that do as they are told.

use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};

use isotp_driver::{Address, Arrival, Bus, BusError, Frame, Instant, Interest, Taken, TxToken};

/// A bus on whose other end nobody is; all handles are the same cable.
#[derive(Clone, Default)]
pub(crate) struct Cable(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Takes no frame.
    full: bool,
    /// Confirms no frame that it took.
    holds: bool,
    out: bool,
    /// It lets through what its connections hear.
    filtered: bool,
    /// How many frames it was offered.
    offered: u32,
    taken: Vec<(Frame, TxToken)>,
    driver: Option<Waker>,
}

impl Cable {
    /// It takes no frame from now on.
    pub(crate) fn fill(&self) {
        self.0.lock().unwrap().full = true;
    }

    /// It confirms frames when it is told to.
    pub(crate) fn hold(&self) {
        self.0.lock().unwrap().holds = true;
    }

    /// Now.
    pub(crate) fn let_go(&self) {
        self.change(|state| state.holds = false);
    }

    /// How many frames it has that are not confirmed.
    pub(crate) fn held(&self) -> usize {
        self.0.lock().unwrap().taken.len()
    }

    pub(crate) fn offered(&self) -> u32 {
        self.0.lock().unwrap().offered
    }

    /// Pulls it out.
    pub(crate) fn pull(&self) {
        self.change(|state| state.out = true);
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap();
        let outcome = change(&mut state);
        let driver = state.driver.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
        outcome
    }

    /// Whether the filter for the last connection is set.
    pub(crate) fn is_filtered(&self) -> bool {
        self.0.lock().unwrap().filtered
    }

    /// Whether nobody else has it: the driver is gone.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Bus for Cable {
    fn connected(&mut self, _: &Address) {
        self.0.lock().unwrap().filtered = false;
    }

    fn flush(&mut self, _: Instant) -> Result<(), BusError> {
        self.0.lock().unwrap().filtered = true;
        Ok(())
    }

    fn try_send(&mut self, _: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        let mut state = self.0.lock().unwrap();
        state.offered += 1;
        if state.full {
            return Ok(Taken::Later);
        }
        state.taken.push((frame.clone(), token));
        Ok(Taken::Took)
    }

    fn receive(&mut self, at: Instant, room: &mut Frame) -> Result<Option<Arrival>, BusError> {
        let mut state = self.0.lock().unwrap();
        if state.out {
            return Err(BusError::new(PULLED));
        }
        if state.holds || state.taken.is_empty() {
            return Ok(None);
        }
        let (frame, token) = state.taken.remove(0);
        *room = frame;
        Ok(Some(Arrival::Transmitted { at, token }))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        let mut state = self.0.lock().unwrap();
        if state.out || (!state.holds && !state.taken.is_empty()) {
            return Poll::Ready(Ok(()));
        }
        state.driver = Some(cx.waker().clone());
        Poll::Pending
    }

    fn confirms(&self) -> bool {
        true
    }
}

/// What the pulled cable says.
pub(crate) const PULLED: &str = "the cable is out; put it in";
