//! Arrivals that a port took ahead of being asked for them.

use core::task::Waker;

use isotp_core::{Frame, Instant};
use isotp_sim::{Delivery, PortId};

use crate::bus::{Ready, State};

/// What was taken off the bus while its lock was held anyway, and is given out one at a time.
#[derive(Debug)]
pub(super) struct Ahead {
    /// The first of them at `next`, up to `end`; memory is used again.
    slots: Vec<(Delivery, Frame)>,
    next: usize,
    end: usize,
    /// It was all that there was.
    is_all: bool,
    /// When the bus had to move next; whoever changes that moves it, or wakes this port.
    moves: Option<Instant>,
    /// Something has come since then.
    ready: Ready,
    /// The task that the bus wakes when something comes, if `is_known`.
    sleeper: Option<Waker>,
    is_known: bool,
}

impl Ahead {
    pub(super) const fn new(ready: Ready) -> Self {
        Self {
            slots: Vec::new(),
            next: 0,
            end: 0,
            is_all: false,
            moves: None,
            ready,
            sleeper: None,
            is_known: false,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.next == self.end
    }

    const fn has_room(&self) -> bool {
        self.is_empty() || self.end < AHEAD
    }

    /// Whether there is no more than this, so that a look needs no lock.
    pub(super) fn is_all(&self, now: Instant) -> bool {
        self.is_all && !self.ready.is_set() && !self.is_due(now)
    }

    /// When the bus must move next.
    pub(super) const fn moves(&self) -> Option<Instant> {
        self.moves
    }

    /// Whether it must move now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.moves.is_some_and(|at| at <= now)
    }

    /// Looks when the bus must move next; after each change of that by this port.
    pub(super) fn note_moves(&mut self, state: &State) {
        self.moves = state.bus.poll_timeout();
    }

    /// Whether nothing has come since then, and the bus wakes this task when something does: the bus keeps
    /// it until then.
    pub(super) fn sleeps(&self, waker: &Waker) -> bool {
        let known = self.sleeper.as_ref().filter(|_| self.is_known);
        known.is_some_and(|known| known.will_wake(waker)) && !self.ready.is_set()
    }

    /// The bus has the task now. The lock is released: the last handle of a task may own a port.
    pub(super) fn set_sleeper(&mut self, waker: &Waker) {
        self.sleeper = Some(waker.clone());
        self.is_known = true;
    }

    /// Takes what there is, as far as there is room.
    pub(super) fn fill(&mut self, state: &mut State, port: PortId, now: Instant) {
        self.is_all = false;
        while self.has_room() {
            let (slot, frame) = self.slot();
            let Some(delivery) = state.bus.poll_receive(port, frame) else {
                self.is_all = true;
                break;
            };
            *slot = delivery;
            self.end += 1;
        }
        self.note_moves(state);
        if self.is_all && self.ready.is_set() && !self.is_due(now) {
            self.ready.clear();
            self.is_known = false;
        }
    }

    /// The slot behind the last.
    fn slot(&mut self) -> (&mut Delivery, &mut Frame) {
        if self.is_empty() {
            (self.next, self.end) = (0, 0);
        }
        if self.slots.len() == self.end {
            self.slots.push(Default::default());
        }
        let (slot, frame) = &mut self.slots[self.end];
        (slot, frame)
    }

    pub(super) fn pop(&mut self, frame: &mut Frame) -> Option<Delivery> {
        if self.is_empty() {
            return None;
        }
        let (delivery, ahead) = self.slots.get(self.next)?;
        frame.copy_from(ahead.view());
        self.next += 1;
        Some(*delivery)
    }
}

/// How many arrivals are taken at once.
const AHEAD: usize = 16;

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::{Context, Poll, Waker};
    use core::time::Duration;
    use std::sync::Arc;
    use std::task::Wake;

    use isotp_core::{Frame, FrameKind, FrameView, Id, TxToken};
    use isotp_driver::{Bus as _, Interest, Taken};

    use super::AHEAD;
    use crate::{Options, PortConfig, VirtualBus};

    /// Rows of all lengths around what is taken at once; what comes after a row is told.
    #[test]
    fn a_row_of_arrivals_comes_whole_and_in_order_and_the_next_is_told() {
        let bus = VirtualBus::default();
        let (mut sender, mut receiver) = (bus.port(), bus.port());
        let mut cx = Context::from_waker(Waker::noop());
        let interest = Interest {
            readable: true,
            writable: false,
        };
        for len in [1, AHEAD - 1, AHEAD, AHEAD + 1, 2 * AHEAD, 3 * AHEAD + 2] {
            assert!(receiver.poll_ready(&mut cx, interest).is_pending());
            for number in 0..len {
                assert!(sender.send_frame(FrameView {
                    id: Id::standard(1).unwrap(),
                    kind: FrameKind::Classic,
                    data: &[number as u8],
                }));
            }
            let told = receiver.poll_ready(&mut cx, interest);
            assert!(matches!(told, Poll::Ready(Ok(()))), "a row of {len}");
            let row = core::iter::from_fn(|| receiver.try_frame());
            let row: Vec<u8> = row.map(|frame| frame.data()[0]).collect();
            assert!(
                row.iter().copied().eq(0..len as u8),
                "a row of {len}: {row:?}"
            );
        }
    }

    /// Whoever waited last is woken, whichever way it waited.
    #[test]
    fn a_port_that_a_thread_waited_at_wakes_its_task_again() {
        struct Woke(AtomicBool);
        impl Wake for Woke {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let bus = VirtualBus::default();
        let (mut sender, mut receiver) = (bus.port(), bus.port());
        let woke = Arc::new(Woke(AtomicBool::new(false)));
        let waker = Waker::from(woke.clone());
        let mut cx = Context::from_waker(&waker);
        let interest = Interest::READABLE;
        assert!(receiver.poll_ready(&mut cx, interest).is_pending());
        assert!(receiver.wait_frame(Duration::from_millis(1)).is_none());
        assert!(receiver.poll_ready(&mut cx, interest).is_pending());
        assert!(sender.send_frame(FrameView {
            id: Id::standard(1).unwrap(),
            kind: FrameKind::Classic,
            data: &[1],
        }));
        assert!(woke.0.load(Ordering::SeqCst));
        assert!(receiver.poll_ready(&mut cx, interest).is_ready());
    }

    /// A thread that takes one frame may not come again, and the senders wait for the room that it made.
    #[test]
    fn a_bus_that_a_full_inbox_held_up_moves_when_a_frame_is_taken() {
        let bus = VirtualBus::new(Options {
            port: PortConfig {
                inbox: 1,
                ..PortConfig::default()
            },
            ..Options::default()
        });
        let (mut sender, mut receiver) = (bus.port(), bus.port());
        let (now, mut frame) = (isotp_driver::process_time(), Frame::new());
        frame.copy_from(FrameView {
            id: Id::standard(1).unwrap(),
            kind: FrameKind::Classic,
            data: &[1],
        });
        let mut confirmed = 0;
        for number in 0..3 {
            let token = TxToken::from_bits(number);
            match sender.try_send(now, &frame, token).unwrap() {
                Taken::Sent => confirmed += 1,
                taken => assert_eq!(taken, Taken::Took),
            }
        }
        sender.flush(now).unwrap();
        let mut confirmations = || {
            let mut room = Frame::new();
            core::iter::from_fn(|| sender.receive(now, &mut room).unwrap()).count()
        };
        confirmed += confirmations();
        assert_eq!(confirmed, 1, "one has room");
        assert!(receiver.try_frame().is_some());
        assert!(confirmations() > 0, "there is room for more");
    }
}
