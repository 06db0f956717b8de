//! The simulated bus: ports, arbitration, frames on the wire and what comes of them.

mod port;
mod wire;

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use isotp_core::{Frame, FrameKind, FrameView, Instant};

use crate::bits::BitTiming;
use crate::faults::{Fault, Faults};
use port::Port;
use wire::{Later, OnWire};

pub use port::{Order, Overrun, PortConfig};

/// A CAN bus without a clock of its own: frames and time go in, frames and confirmations come out.
///
/// The caller's loop: [`submit`](Self::submit) what ports want to send, [`handle_timeout`](Self::handle_timeout)
/// so that the bus moves, [`poll_receive`](Self::poll_receive) for the ports that
/// [`poll_wake`](Self::poll_wake) names, then wait until [`poll_timeout`](Self::poll_timeout). Frames
/// move in `handle_timeout` only, so that all that is submitted before it takes part in arbitration.
/// A frame costs O(ports); memory is used again once queues have found their size.
///
/// ```
/// use isotp_sim::core::{Frame, FrameKind, FrameView, Id, Instant};
/// use isotp_sim::{Bus, BusConfig, DeliveryKind, PortConfig};
/// let mut bus = Bus::new(BusConfig::default());
/// let (a, b) = (bus.attach(PortConfig::default()), bus.attach(PortConfig::default()));
/// let id = Id::standard(0x7E0).unwrap();
/// let view = FrameView { id, kind: FrameKind::Classic, data: &[2, 0x10, 3] };
/// bus.submit(Instant::ZERO, a, view, 42).unwrap();
/// bus.handle_timeout(Instant::ZERO);
/// let mut frame = Frame::new();
/// assert_eq!(bus.poll_receive(b, &mut frame).unwrap().kind, DeliveryKind::Received);
/// assert_eq!(frame.view(), view);
/// let confirmed = bus.poll_receive(a, &mut frame).unwrap();
/// assert_eq!(confirmed.kind, DeliveryKind::Confirmed { token: 42 });
/// ```
#[derive(Debug)]
pub struct Bus {
    config: BusConfig,
    ports: Vec<Port>,
    /// Frames in the queues of all ports.
    waiting: usize,
    time: Time,
    wire: Option<OnWire>,
    /// The frame on the wire, or the last one.
    frame: Frame,
    later: BTreeMap<(u64, u64), Later>,
    /// Keys of frames in `later` that go out right after the next frame.
    overtaken: Vec<(u64, u64)>,
    awake: Vec<u32>,
    counters: Counters,
}

/// How a bus behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusConfig {
    /// Whether frames take time, and whether their bits are counted.
    pub clock: Clock,
    /// What goes wrong.
    pub faults: Faults,
}

/// Whether frames take time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clock {
    /// They take none, and no bit is counted: the fastest.
    #[default]
    Free,
    /// They take none, but their bits and the time that they would have taken are counted.
    Counted(BitTiming),
    /// They take as long as on a real bus.
    Timed(BitTiming),
}

/// In nanoseconds from the caller's origin.
#[derive(Debug, Default)]
struct Time {
    /// The latest that the caller told.
    now: u64,
    /// When the frame on the wire and the intermission after it are over.
    free: u64,
    /// A full inbox held the bus up.
    held: bool,
}

#[derive(Debug, Default)]
struct Counters {
    stats: Stats,
    submissions: u64,
    on_wire: u64,
    later: u64,
}

/// Names one port of a bus; the name is not given to a later port again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortId {
    index: u32,
    generation: u32,
}

/// What a port is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// When it happened; for frames, at their last bit.
    pub at: Instant,
    /// Which port sent the frame; it may be gone by now.
    pub from: PortId,
    /// What happened.
    pub kind: DeliveryKind,
}

/// What happened to a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeliveryKind {
    /// Another port sent it.
    #[default]
    Received,
    /// This port sent it and asked to hear its own frames.
    Echo,
    /// It is on the bus.
    Confirmed {
        /// What the frame was submitted with.
        token: u64,
    },
    /// It will not get there.
    Failed {
        /// What the frame was submitted with.
        token: u64,
    },
}

/// A frame that was taken.
#[derive(Debug)]
pub struct Submitted<'a> {
    token: &'a mut u64,
}

impl Submitted<'_> {
    /// Replaces its token.
    pub const fn tag(self, token: u64) {
        *self.token = token;
    }
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError {
    /// Later: the controller's queue is full, or it is off the bus. `poll_wake` names the port when
    /// there is room again.
    Full,
    /// Never: CAN has no frame of this length, or a [`Fault`] says so.
    Refused,
    /// There is no such port any more.
    Detached,
}

/// What has been on the bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames on the wire.
    pub frames: u64,
    /// Their data bytes.
    pub data_bytes: u64,
    /// Their bits with stuff bits and intermission, unless the clock is [`Clock::Free`].
    pub bits: u64,
    /// How many of them are stuff bits.
    pub stuff_bits: u64,
    /// How long they take, intermissions included.
    pub busy: Duration,
    /// How many faults hit a frame or a submission.
    pub faults: u64,
    /// Frames that a full inbox lost.
    pub overruns: u64,
}

impl Bus {
    /// A bus with no ports, at the caller's origin of time.
    #[must_use]
    pub fn new(config: BusConfig) -> Self {
        Self {
            config,
            ports: Vec::new(),
            waiting: 0,
            time: Time::default(),
            wire: None,
            frame: Frame::new(),
            later: BTreeMap::new(),
            overtaken: Vec::new(),
            awake: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// A new port. It receives the frames that end from now on.
    pub fn attach(&mut self, config: PortConfig) -> PortId {
        let free = self.ports.iter().position(|port| !port.attached);
        let index = free.unwrap_or(self.ports.len());
        if free.is_none() {
            self.ports.push(Port::default());
        }
        let port = &mut self.ports[index];
        port.attach(config);
        PortId {
            index: index as u32,
            generation: port.generation,
        }
    }

    /// Takes a port off the bus, with all that waits in its queue and its inbox. A frame on the wire
    /// still arrives. `false` if there was no such port.
    pub fn detach(&mut self, port: PortId) -> bool {
        let left = self.port_mut(port).map(Port::detach);
        self.waiting -= left.unwrap_or_default();
        left.is_some()
    }

    /// A port wants to send a frame; `token` comes back with its confirmation or failure. A token that
    /// is known only after the frame was taken is set by [`Submitted::tag`]. The bus does not move
    /// before [`handle_timeout`](Self::handle_timeout).
    ///
    /// # Errors
    /// [`SubmitError`]; the frame was not taken, and nothing more is told of it.
    pub fn submit(
        &mut self,
        now: Instant,
        port: PortId,
        frame: FrameView<'_>,
        token: u64,
    ) -> Result<Submitted<'_>, SubmitError> {
        self.advance_clock(now);
        let since = self.time.now;
        let from_port = self.wire.as_ref().is_some_and(|wire| wire.port == port);
        let in_controller = usize::from(from_port);
        let target = self.port_mut(port).ok_or(SubmitError::Detached)?;
        if target.off_until > since || target.queue.len() + in_controller >= target.config.queue {
            target.wants_room = true;
            return Err(SubmitError::Full);
        }
        let number = self.counters.submissions;
        self.counters.submissions += 1;
        if let Some(fault) = self.config.faults.on_submission(number) {
            self.counters.stats.faults += 1;
            return Err(self.refuse(port, fault));
        }
        if !has_can_length(frame) {
            return Err(SubmitError::Refused);
        }
        let Some(port) = self.ports.get_mut(port.index as usize) else {
            return Err(SubmitError::Detached);
        };
        self.waiting += 1;
        let pending = port.queue.push();
        pending.frame.copy_from(frame);
        pending.token = token;
        pending.since = since;
        Ok(Submitted {
            token: &mut pending.token,
        })
    }

    /// Time has passed: the bus moves up to `now`. Afterwards [`poll_timeout`](Self::poll_timeout) is
    /// later. A `now` that runs backward is clamped.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        if core::mem::take(&mut self.time.held) {
            self.time.free = self.time.free.max(self.time.now);
        }
        while self.step() {}
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next; `None` while nothing moves.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let later = self.later.keys().next().map(|(due, _)| *due);
        let wire = match &self.wire {
            Some(wire) => Some(wire.ends),
            None => self.next_start(),
        };
        later.into_iter().chain(wire).min().map(instant)
    }

    /// A port that has something to receive, or room again after [`SubmitError::Full`]. Each is named
    /// once, until something new happens to it.
    pub fn poll_wake(&mut self) -> Option<PortId> {
        while let Some(index) = self.awake.pop() {
            let port = &mut self.ports[index as usize];
            if core::mem::take(&mut port.awake) && port.attached {
                let generation = port.generation;
                return Some(PortId { index, generation });
            }
        }
        None
    }

    /// The next thing that a port is told, with the frame that it is about written into `frame`.
    pub fn poll_receive(&mut self, port: PortId, frame: &mut Frame) -> Option<Delivery> {
        let delivered = self.port_mut(port)?.inbox.pop()?;
        frame.copy_from(delivered.frame.view());
        Some(Delivery {
            at: delivered.at,
            from: delivered.from,
            kind: delivered.kind,
        })
    }

    /// Whether [`poll_receive`](Self::poll_receive) has something for a port.
    #[must_use]
    pub fn has_received(&self, port: PortId) -> bool {
        self.port(port).is_some_and(|port| port.inbox.len() > 0)
    }

    /// How many frames a port can submit before [`SubmitError::Full`].
    #[must_use]
    pub fn room(&self, port: PortId) -> usize {
        let on_wire = self.wire.as_ref().is_some_and(|wire| wire.port == port);
        self.port(port).map_or(0, |port| {
            let used = port.queue.len() + usize::from(on_wire);
            port.config.queue.saturating_sub(used)
        })
    }

    /// The latest time that it was told.
    #[must_use]
    pub const fn now(&self) -> Instant {
        instant(self.time.now)
    }

    /// What has been on the bus.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.counters.stats
    }

    /// Replaces the faults; frames that are delayed already stay so.
    pub fn set_faults(&mut self, faults: Faults) {
        self.config.faults = faults;
    }

    fn advance_clock(&mut self, now: Instant) {
        self.time.now = self.time.now.max(nanos(now));
    }

    fn port(&self, id: PortId) -> Option<&Port> {
        self.ports.get(id.index as usize).filter(|port| port.is(id))
    }

    fn port_mut(&mut self, id: PortId) -> Option<&mut Port> {
        let port = self.ports.get_mut(id.index as usize);
        port.filter(|port| port.is(id))
    }

    /// A fault hit a submission.
    fn refuse(&mut self, port: PortId, fault: Fault) -> SubmitError {
        let Fault::Full(duration) = fault else {
            return SubmitError::Refused;
        };
        self.switch_off(port, self.time.now, duration);
        if let Some(port) = self.port_mut(port) {
            port.wants_room = true;
        }
        SubmitError::Full
    }
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the controller's queue is full; try again when it has room",
            Self::Refused => "the controller will never take this frame",
            Self::Detached => "the port is not attached to this bus; attach a new one",
        })
    }
}

impl core::error::Error for SubmitError {}

/// Whether a DLC names the length of the frame.
fn has_can_length(frame: FrameView<'_>) -> bool {
    match frame.kind {
        FrameKind::Classic => frame.data.len() <= 8,
        FrameKind::Fd { .. } => {
            matches!(frame.data.len(), 0..=8 | 12 | 16 | 20 | 24 | 32 | 48 | 64)
        }
    }
}

const fn nanos(instant: Instant) -> u64 {
    instant.as_micros().saturating_mul(1000)
}

/// Never early: a part of a microsecond counts as a whole one.
const fn instant(nanos: u64) -> Instant {
    Instant::from_micros(nanos.div_ceil(1000))
}

#[cfg(test)]
mod tests;
