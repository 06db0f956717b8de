//! An interrupt that moves frames, and a task that owns the link: the shape of RTIC, and of any firmware
//! with interrupts.
//!
//! The interrupt knows the controller and no protocol, the task the protocol and no controller. Between
//! them are three queues, each with one writer and one reader, so there is no lock: received frames with
//! the time of their reception, frames to be sent, and reports of which of these the controller took.
//! The link's configuration must say [`Confirmation::Reported`](isotp_core::Confirmation), so that STmin
//! and N_As count from that report and not from a place in a queue.
//!
//! The task runs when the interrupt asks for it, when the deadline that [`Task::run`] gave is due, and
//! after each command to the link. Where it says so it has frames for the interrupt, which must then be
//! set pending.

use embedded_can::nb::Can;
use heapless::spsc::{Consumer, Producer, Queue};
use isotp_core::{Frame, FrameKind, FrameView, Instant, Machine, TxToken};

/// The queues. They live in a `static`, or wherever they outlive both ends.
#[derive(Debug)]
pub struct Queues {
    received: Queue<Received, RECEIVED>,
    outgoing: Queue<Outgoing, OUTGOING>,
    reports: Queue<Report, OUTGOING>,
}

impl Queues {
    /// Empty queues.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            received: Queue::new(),
            outgoing: Queue::new(),
            reports: Queue::new(),
        }
    }

    /// The end of the interrupt and that of the task.
    pub fn split<F>(&mut self) -> (Handler<'_, F>, Task<'_>) {
        let (received_in, received_out) = self.received.split();
        let (outgoing_in, outgoing_out) = self.outgoing.split();
        let (reports_in, reports_out) = self.reports.split();
        let handler = Handler {
            received: received_in,
            outgoing: outgoing_out,
            reports: reports_in,
            held: None,
            lost: 0,
        };
        let task = Task {
            received: received_out,
            outgoing: outgoing_in,
            reports: reports_out,
        };
        (handler, task)
    }
}

impl Default for Queues {
    fn default() -> Self {
        Self::new()
    }
}

/// The end of the interrupt, for a controller with frames of type `F`.
#[allow(
    missing_debug_implementations,
    reason = "the ends of heapless queues have none"
)]
pub struct Handler<'a, F> {
    received: Producer<'a, Received>,
    outgoing: Consumer<'a, Outgoing>,
    reports: Producer<'a, Report>,
    /// What the controller handed back.
    held: Option<F>,
    lost: u32,
}

impl<F: embedded_can::Frame> Handler<'_, F> {
    /// The interrupt: a frame came, or there is room for one, or the task has one. Whether the task has
    /// to run.
    pub fn interrupt<C: Can<Frame = F>>(&mut self, can: &mut C, now: Instant) -> bool {
        let mut news = false;
        while let Ok(frame) = can.receive() {
            let Some(view) = FrameView::from_embedded_can(FrameKind::Classic, &frame) else {
                continue;
            };
            let mut received = Received {
                at: now,
                frame: Frame::new(),
            };
            received.frame.copy_from(view);
            let queued = self.received.enqueue(received);
            self.lost = self.lost.saturating_add(u32::from(queued.is_err()));
            news = true;
        }
        while let Some(token) = self.transmit(can) {
            if let Some(token) = token {
                // there is room: the queue of frames is no shorter, and each frame has one report
                let _ = self.reports.enqueue(Report { at: now, token });
                news = true;
            }
        }
        news
    }

    /// Frames for which the queue had no room. It is too short then, or the task too slow.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.lost
    }

    /// Hands one frame to the controller; `None` if there is none, or no room. The token is that of a
    /// frame which the link did not know to be taken.
    fn transmit<C: Can<Frame = F>>(&mut self, can: &mut C) -> Option<Option<TxToken>> {
        if !self.reports.ready() {
            return None; // the task runs first, and asks for this interrupt again
        }
        if let Some(back) = self.held.take() {
            // tried once an interrupt, or a controller that hands it back each time would keep us here
            self.held = can.transmit(&back).unwrap_or(Some(back));
            return self.held.is_none().then_some(None);
        }
        let outgoing = self.outgoing.peek()?;
        let token = outgoing.token;
        if let Some(wire) = outgoing.frame.to_embedded_can::<F>() {
            self.held = can.transmit(&wire).ok()?;
        }
        self.outgoing.dequeue();
        Some(Some(token))
    }
}

/// The end of the task.
#[allow(
    missing_debug_implementations,
    reason = "the ends of heapless queues have none"
)]
pub struct Task<'a> {
    received: Consumer<'a, Received>,
    outgoing: Producer<'a, Outgoing>,
    reports: Consumer<'a, Report>,
}

impl Task<'_> {
    /// One run of the task; `drain` takes the link's events, and may send. Whether the interrupt has to
    /// be set pending. The task must run again at the link's `poll_timeout`.
    pub fn run<L: Machine>(
        &mut self,
        link: &mut L,
        now: Instant,
        drain: &mut impl FnMut(&mut L, Instant),
    ) -> bool {
        let mut news = false;
        // before the frames: one of them can be the flow control that answers what was reported
        while let Some(report) = self.reports.dequeue() {
            link.handle_transmitted(report.at, report.token);
            drain(link, now);
            news = true; // if the interrupt waited for room, there is some now
        }
        while let Some(received) = self.received.dequeue() {
            link.handle_frame(received.at, received.frame.view());
            drain(link, now);
        }
        link.handle_timeout(now);
        drain(link, now);
        let mut outgoing = Frame::new();
        while self.outgoing.ready()
            && let Some(offer) = link.poll_transmit(now, &mut outgoing)
        {
            let token = offer.commit(now);
            let frame = outgoing.clone();
            let _ = self.outgoing.enqueue(Outgoing { frame, token });
            drain(link, now);
            news = true;
        }
        news
    }
}

/// A frame and when it came: the task may be late.
#[derive(Debug)]
struct Received {
    at: Instant,
    frame: Frame,
}

/// A frame to be sent and the token that says which it is.
#[derive(Debug)]
struct Outgoing {
    frame: Frame,
    token: TxToken,
}

/// The controller took this frame.
#[derive(Debug)]
struct Report {
    at: Instant,
    token: TxToken,
}

/// Room for 15 received frames: those that come while the task is held up.
const RECEIVED: usize = 16;
/// Room for 3 frames: of one link a data frame, a flow control and a functional message can be
/// on their way at once.
const OUTGOING: usize = 4;
