//! One node on a virtual bus.

mod ahead;

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::Thread;
use std::time::Instant as StdInstant;

use isotp_core::{Frame, FrameView, Instant, TxToken};
use isotp_driver::{Arrival, Bus, BusError, Interest, Taken};
use isotp_sim::{Clock, DeliveryKind, PortId, SubmitError};

use crate::bus::{Ready, VirtualBus, Woken};
use ahead::Ahead;

/// A port of a [`VirtualBus`]: give it to a network, or use it from a thread.
#[derive(Debug)]
pub struct Port {
    bus: VirtualBus,
    id: PortId,
    ahead: Ahead,
    /// Frames were taken since the bus moved.
    taken: bool,
}

impl Port {
    pub(crate) const fn new(bus: VirtualBus, id: PortId, ready: Ready) -> Self {
        Self {
            bus,
            id,
            ahead: Ahead::new(ready),
            taken: false,
        }
    }

    #[cfg(test)]
    pub(crate) const fn id(&self) -> PortId {
        self.id
    }

    /// The bus that it is on.
    #[must_use]
    pub const fn bus(&self) -> &VirtualBus {
        &self.bus
    }

    /// Sends a frame; `false` if the port has no room, or CAN has no such frame.
    pub fn send_frame(&mut self, frame: FrameView<'_>) -> bool {
        let now = isotp_driver::process_time();
        // dropped after the lock, also if a tap panics
        let mut woken = Woken::default();
        let mut state = self.bus.lock();
        let taken = state.bus.submit(now, self.id, frame, 0).is_ok();
        state.advance(now, self.id, &mut woken);
        if state.bus.poll_timeout().is_some() {
            state.wake_all(&mut woken);
        }
        taken
    }

    /// The next frame that another port sent, if there is one already.
    pub fn try_frame(&mut self) -> Option<Frame> {
        let now = isotp_driver::process_time();
        let mut frame = Frame::new();
        loop {
            match self.take(now, &mut frame)? {
                Arrival::Received { .. } => return Some(frame),
                _ => continue,
            }
        }
    }

    /// The next frame that another port sent, waiting for it in this thread.
    pub fn wait_frame(&mut self, timeout: Duration) -> Option<Frame> {
        let end = StdInstant::now().checked_add(timeout);
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        loop {
            if let Some(frame) = self.try_frame() {
                return Some(frame);
            }
            if !self.sleep(&waker) {
                continue;
            }
            let moves = self.ahead.moves();
            let left = end.map(|end| end.saturating_duration_since(StdInstant::now()));
            if left == Some(Duration::ZERO) {
                return None;
            }
            let moves = moves.map(|at| at - isotp_driver::process_time());
            match left.into_iter().chain(moves).min() {
                Some(pause) => std::thread::park_timeout(pause),
                None => std::thread::park(),
            }
        }
    }

    /// Whether nothing has come, and this task is woken by the next that does.
    fn sleep(&mut self, waker: &Waker) -> bool {
        if self.ahead.sleeps(waker) {
            return true;
        }
        let sleeps = self.bus.lock().sleep(self.id, waker);
        if sleeps {
            self.ahead.set_sleeper(waker);
        }
        sleeps
    }

    /// The next thing that happened, with its frame.
    fn take(&mut self, now: Instant, frame: &mut Frame) -> Option<Arrival> {
        let mut delivery = self.ahead.pop(frame);
        if delivery.is_none() && !self.ahead.is_all(now) {
            // dropped after the lock, also if a tap panics
            let mut woken = Woken::default();
            let mut state = self.bus.lock();
            self.ahead.fill(&mut state, self.id, now);
            // what was taken may have made the room for which the bus waited
            while self.ahead.is_due(now) {
                state.advance(now, self.id, &mut woken);
                self.ahead.fill(&mut state, self.id, now);
            }
            drop(state);
            delivery = self.ahead.pop(frame);
        }
        let delivery = delivery?;
        let at = delivery.at.min(now);
        Some(match delivery.kind {
            DeliveryKind::Confirmed { token } => Arrival::Transmitted {
                at,
                token: TxToken::from_bits(token),
            },
            DeliveryKind::Failed { token } => Arrival::Failed {
                at,
                token: TxToken::from_bits(token),
            },
            DeliveryKind::Received | DeliveryKind::Echo => Arrival::Received { at },
        })
    }
}

impl Bus for Port {
    fn try_send(&mut self, now: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        let (frame, token) = (frame.view(), token.to_bits());
        // dropped after the lock, also if a tap panics
        let mut woken = Woken::default();
        let mut state = self.bus.lock();
        let alone = self.ahead.is_empty();
        if alone && state.send_at_once(now, self.id, frame, &mut woken) {
            return Ok(Taken::Sent);
        }
        self.taken = true;
        let submitted = state.bus.submit(now, self.id, frame, token).map(drop);
        // a fault may have put the port off the bus for a while
        self.ahead.note_moves(&state);
        match submitted {
            Ok(_) => Ok(Taken::Took),
            Err(SubmitError::Full) => Ok(Taken::Later),
            Err(SubmitError::Detached) => Err(BusError::new(SubmitError::Detached.to_string())),
            Err(_) => Ok(Taken::Never),
        }
    }

    fn flush(&mut self, now: Instant) -> Result<(), BusError> {
        if !core::mem::take(&mut self.taken) {
            return Ok(());
        }
        // dropped after the lock, also if a tap panics
        let mut woken = Woken::default();
        let mut state = self.bus.lock();
        state.advance(now, self.id, &mut woken);
        self.ahead.fill(&mut state, self.id, now);
        Ok(())
    }

    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        Ok(self.take(now, frame))
    }

    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        _interest: Interest,
    ) -> Poll<Result<(), BusError>> {
        if self.ahead.is_empty() && self.sleep(cx.waker()) {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.ahead.moves()
    }

    fn confirms(&self) -> bool {
        self.bus.options().port.confirms
    }

    /// Several where frames take no time: the driver then turns less often.
    fn in_flight(&self) -> u8 {
        let options = self.bus.options();
        match options.clock {
            Clock::Free => options.port.queue.min(IN_FLIGHT) as u8,
            _ => 1,
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let mut woken = Woken::default();
        self.bus.lock().detach(self.id, &mut woken);
    }
}

const IN_FLIGHT: usize = 8;

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
