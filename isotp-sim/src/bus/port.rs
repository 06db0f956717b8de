//! One controller on the bus: what it wants to send, and what it has received.

use isotp_core::{Frame, Instant};

use super::{DeliveryKind, PortId};
use crate::ring::Ring;

/// How a port behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortConfig {
    /// Frames that the controller takes before it is full, the one on the wire included.
    pub queue: usize,
    /// Which of its own frames goes first.
    pub order: Order,
    /// Frames that wait to be received before `overrun` applies. Confirmations and failures always
    /// have room.
    pub inbox: usize,
    /// What a full inbox means.
    pub overrun: Overrun,
    /// The port is told when a frame that it sent is on the bus. Failures are told in any case.
    pub confirms: bool,
    /// The port receives its own frames too, as [`DeliveryKind::Echo`].
    pub own_messages: bool,
}

impl Default for PortConfig {
    /// Queues of 64 and 1024 frames, first in first out, loss-free, with confirmations.
    fn default() -> Self {
        Self {
            queue: 64,
            order: Order::Fifo,
            inbox: 1024,
            overrun: Overrun::Hold,
            confirms: true,
            own_messages: false,
        }
    }
}

/// Which of its own frames a controller sends first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The oldest.
    #[default]
    Fifo,
    /// The one with the lowest id; the oldest of those with the same.
    ById,
}

/// What happens to a frame while an inbox is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overrun {
    /// No frame starts on the bus until there is room, as if the receiver sent overload frames. One
    /// port that is never read stops the bus.
    #[default]
    Hold,
    /// The port loses the frame, as controllers do.
    Lose,
}

#[derive(Debug)]
pub(super) struct Port {
    pub(super) generation: u32,
    pub(super) attached: bool,
    /// In `Bus::awake`.
    pub(super) awake: bool,
    /// A submission met a full queue.
    pub(super) wants_room: bool,
    /// Off the bus, or full, until then, in nanoseconds.
    pub(super) off_until: u64,
    /// It does not even receive while it is off.
    pub(super) deaf: bool,
    pub(super) config: PortConfig,
    pub(super) queue: Ring<Pending>,
    pub(super) inbox: Ring<Delivered>,
}

/// A frame in a controller's queue.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) frame: Frame,
    pub(super) token: u64,
    /// When it was submitted, in nanoseconds.
    pub(super) since: u64,
}

/// Something that a port is told.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    pub(super) frame: Frame,
    pub(super) at: Instant,
    pub(super) from: PortId,
    pub(super) kind: DeliveryKind,
}

impl Port {
    pub(super) fn attach(&mut self, config: PortConfig) {
        self.attached = true;
        self.config = config;
    }

    /// The memory of the queues goes with the port. Says how many frames waited to be sent.
    pub(super) fn detach(&mut self) -> usize {
        let left = self.queue.len();
        *self = Self {
            generation: self.generation.wrapping_add(1),
            awake: self.awake,
            ..Self::default()
        };
        left
    }

    /// Whether `id` names this port, and not one that was here before.
    pub(super) const fn is(&self, id: PortId) -> bool {
        self.attached && self.generation == id.generation
    }

    /// Whether the bus must wait for this port.
    pub(super) const fn holds(&self) -> bool {
        self.inbox.len() >= self.config.inbox
            && matches!(self.config.overrun, Overrun::Hold)
            && self.attached
    }

    /// Which of the frames submitted by `start` it offers for arbitration: position and key.
    pub(super) fn candidate(&self, start: u64) -> Option<(usize, u32)> {
        let key = |pending: &Pending| pending.frame.id().arbitration_key();
        match self.config.order {
            Order::Fifo => {
                let front = self
                    .queue
                    .front()
                    .filter(|pending| pending.since <= start)?;
                Some((0, key(front)))
            }
            Order::ById => {
                let offered = self
                    .queue
                    .iter()
                    .take_while(|pending| pending.since <= start);
                offered.map(key).enumerate().min_by_key(|(_, key)| *key)
            }
        }
    }
}

impl Default for Port {
    fn default() -> Self {
        Self {
            generation: 0,
            attached: false,
            awake: false,
            wants_room: false,
            off_until: 0,
            deaf: false,
            config: PortConfig::default(),
            queue: Ring::new(),
            inbox: Ring::new(),
        }
    }
}
