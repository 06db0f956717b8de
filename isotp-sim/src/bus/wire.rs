//! How the bus moves: arbitration, the frame on the wire, and what comes of it.

use core::time::Duration;

use isotp_core::{Frame, FrameView, Instant};

use super::port::{Overrun, Port};
use super::{Bus, Clock, DeliveryKind, PortId, Stats, has_can_length, instant};
use crate::bits::FrameBits;
use crate::faults::Fault;

/// The frame on the wire; its bytes are in `Bus::frame`.
#[derive(Debug)]
pub(super) struct OnWire {
    pub(super) port: PortId,
    pub(super) token: u64,
    /// When its last bit is over, in nanoseconds.
    pub(super) ends: u64,
    pub(super) fault: Option<Fault>,
}

/// Something that a fault put off.
#[derive(Debug)]
pub(super) enum Later {
    /// A frame arrives.
    Frame { from: PortId, frame: Frame },
    /// A confirmation arrives.
    Confirm {
        to: PortId,
        token: u64,
        frame: Frame,
    },
    /// A port is back.
    Back { port: PortId },
}

impl Bus {
    /// Sends a frame that is on the bus at once: frames take no time, no other waits, no port holds the bus
    /// up, and nothing can go wrong. For the other ports all is as after [`submit`](Self::submit) and
    /// [`handle_timeout`](Self::handle_timeout), which it saves. Its own port has nothing to receive, and
    /// hears none of its own frames; `true` takes the place of the confirmation. `false`, and nothing was
    /// sent, if it is not so.
    pub fn send_at_once(&mut self, now: Instant, port: PortId, frame: FrameView<'_>) -> bool {
        self.advance_clock(now);
        let now = self.time.now;
        // with nothing put off, no port is off the bus
        let alone = self.waiting == 0 && self.later.is_empty();
        let ready = |port: &Port| {
            port.config.queue > 0 && port.inbox.len() == 0 && !port.config.own_messages
        };
        if self.config.clock != Clock::Free
            || !alone
            || !self.config.faults.is_none()
            || !self.port(port).is_some_and(ready)
            || self.is_held()
            || !has_can_length(frame)
        {
            return false;
        }
        self.counters.submissions += 1;
        self.counters.on_wire += 1;
        self.counters.stats.count(frame);
        self.time.free = now;
        if self.ports.len() > 1 {
            let (ports, awake) = (&mut self.ports, &mut self.awake);
            broadcast(ports, awake, &mut self.counters.stats, frame, port, now);
        }
        true
    }

    /// The next thing that is due; `false` if nothing is.
    pub(super) fn step(&mut self) -> bool {
        let now = self.time.now;
        let later = self.later.first_key_value().map(|(key, _)| key.0);
        let wire = match &self.wire {
            Some(wire) => Some(wire.ends),
            None => self.next_start(),
        };
        let due = |at: Option<u64>| at.filter(|at| *at <= now);
        match (due(later), due(wire)) {
            (Some(later), wire) if wire.is_none_or(|wire| later < wire) => self.finish_later(),
            (_, Some(start)) => match self.wire.take() {
                Some(wire) => self.finish(wire),
                None => return self.start(start),
            },
            _ => {
                // remembered, so that no frame starts in the time during which the bus was held up
                self.time.held = self.wire.is_none() && self.waiting > 0 && self.is_held();
                return false;
            }
        }
        true
    }

    /// When the next frame can start; `None` if no port has one, or the bus is held up.
    pub(super) fn next_start(&self) -> Option<u64> {
        let oldest = self.oldest()?;
        (!self.is_held()).then(|| oldest.max(self.time.free))
    }

    /// Takes a port off the bus for a while; it goes on receiving.
    pub(super) fn switch_off(&mut self, port: PortId, at: u64, duration: Duration) {
        let until = after(at, duration);
        if let Some(target) = self.port_mut(port) {
            target.off_until = target.off_until.max(until);
            self.put_off(until, Later::Back { port });
        }
    }

    /// When the oldest frame in all queues was submitted.
    fn oldest(&self) -> Option<u64> {
        if self.waiting == 0 {
            return None;
        }
        let heads = self.ports.iter().filter_map(|port| port.queue.front());
        heads.map(|pending| pending.since).min()
    }

    fn is_held(&self) -> bool {
        self.ports.iter().any(Port::holds)
    }

    /// Arbitration at `start` among the heads of the queues.
    fn start(&mut self, start: u64) -> bool {
        let candidates = self.ports.iter().enumerate();
        let winner = candidates
            .filter_map(|(index, port)| port.candidate(start).map(|found| (index, found)))
            .min_by_key(|(_, (_, key))| *key);
        let Some((index, (position, _))) = winner else {
            return false;
        };
        let port = &mut self.ports[index];
        let generation = port.generation;
        let Some(pending) = port.queue.remove(position) else {
            return false;
        };
        self.waiting -= 1;
        core::mem::swap(&mut pending.frame, &mut self.frame);
        let token = pending.token;
        let number = self.counters.on_wire;
        self.counters.on_wire += 1;
        let fault = self.config.faults.on_wire(number);
        self.counters.stats.faults += u64::from(fault.is_some());
        let id = PortId {
            index: index as u32,
            generation,
        };
        let ends = self.occupy(start, fault);
        let wire = OnWire {
            port: id,
            token,
            ends,
            fault,
        };
        if ends > start {
            self.wire = Some(wire);
        } else {
            self.finish(wire);
        }
        true
    }

    /// Counts the frame and its bits, and says when it ends.
    fn occupy(&mut self, start: u64, fault: Option<Fault>) -> u64 {
        if matches!(fault, Some(Fault::Fail | Fault::BusOff(_))) {
            return start;
        }
        let stats = &mut self.counters.stats;
        stats.count(self.frame.view());
        let (Clock::Counted(timing) | Clock::Timed(timing)) = self.config.clock else {
            self.time.free = start;
            return start;
        };
        let bits = FrameBits::of(self.frame.view());
        stats.bits += u64::from(bits.total());
        stats.stuff_bits += u64::from(bits.stuff);
        stats.busy += timing.duration(bits);
        let ends = match self.config.clock {
            Clock::Timed(_) => start.saturating_add(timing.frame_nanos(bits)),
            _ => start,
        };
        let idle = if ends > start {
            timing.intermission_nanos()
        } else {
            0
        };
        self.time.free = ends.saturating_add(idle);
        ends
    }

    /// The frame on the wire is over.
    fn finish(&mut self, wire: OnWire) {
        let OnWire {
            port,
            token,
            ends,
            fault,
        } = wire;
        self.make_room(port);
        match fault {
            Some(Fault::Fail) => return self.tell(port, ends, DeliveryKind::Failed { token }),
            Some(Fault::BusOff(duration)) => {
                self.tell(port, ends, DeliveryKind::Failed { token });
                return self.bus_off(port, ends, duration);
            }
            Some(Fault::Lose) => {}
            Some(Fault::Delay(delay)) => {
                self.delay_frame(port, ends, delay);
            }
            Some(Fault::Reorder) => {
                let key = self.delay_frame(port, ends, REORDERED);
                self.overtaken.push(key);
            }
            Some(Fault::Corrupt { bit }) => {
                let whole = self.frame.clone();
                corrupt(&mut self.frame, bit);
                self.broadcast(port, ends);
                self.frame = whole;
            }
            Some(Fault::Duplicate) => {
                self.broadcast(port, ends);
                self.broadcast(port, ends);
            }
            _ => self.broadcast(port, ends),
        }
        self.confirm(port, token, ends, fault);
        if !matches!(fault, Some(Fault::Reorder)) {
            self.release_overtaken(ends);
        }
    }

    /// Echo and confirmation to the sender.
    fn confirm(&mut self, port: PortId, token: u64, at: u64, fault: Option<Fault>) {
        let Some(config) = self.port(port).map(|port| port.config) else {
            return;
        };
        if config.own_messages {
            self.tell(port, at, DeliveryKind::Echo);
        }
        if !config.confirms {
            return;
        }
        let confirmed = DeliveryKind::Confirmed { token };
        match fault {
            Some(Fault::ConfirmNever) => {}
            Some(Fault::ConfirmLate(delay)) => {
                let frame = self.frame.clone();
                let late = Later::Confirm {
                    to: port,
                    token,
                    frame,
                };
                self.put_off(after(at, delay), late);
            }
            Some(Fault::ConfirmTwice) => {
                self.tell(port, at, confirmed);
                self.tell(port, at, confirmed);
            }
            _ => self.tell(port, at, confirmed),
        }
    }

    /// All ports but the sender receive the bus's own frame.
    fn broadcast(&mut self, from: PortId, at: u64) {
        let (ports, awake) = (&mut self.ports, &mut self.awake);
        let stats = &mut self.counters.stats;
        broadcast(ports, awake, stats, self.frame.view(), from, at);
    }

    /// One port is told something about the frame.
    fn tell(&mut self, to: PortId, at: u64, kind: DeliveryKind) {
        let port = self.ports.get_mut(to.index as usize);
        let Some(port) = port.filter(|port| port.is(to)) else {
            return;
        };
        let delivered = port.inbox.push();
        delivered.frame.copy_from(self.frame.view());
        delivered.at = instant(at);
        delivered.from = to;
        delivered.kind = kind;
        if !core::mem::replace(&mut port.awake, true) {
            self.awake.push(to.index);
        }
    }

    fn wake(&mut self, id: PortId) {
        let Some(port) = self.port_mut(id) else {
            return;
        };
        if !core::mem::replace(&mut port.awake, true) {
            self.awake.push(id.index);
        }
    }

    /// The queue of a port has shrunk, or it is back.
    fn make_room(&mut self, id: PortId) {
        let now = self.time.now;
        if let Some(port) = self.port_mut(id)
            && port.off_until <= now
            && core::mem::take(&mut port.wants_room)
        {
            self.wake(id);
        }
    }

    /// What waits in the queue of a port that is off the bus fails.
    fn bus_off(&mut self, id: PortId, at: u64, duration: Duration) {
        self.switch_off(id, at, duration);
        let mut left = 0;
        while let Some(port) = self.port_mut(id) {
            port.deaf = true;
            let Some(pending) = port.queue.pop() else {
                break;
            };
            left += 1;
            let token = pending.token;
            let delivered = port.inbox.push();
            delivered.frame.copy_from(pending.frame.view());
            delivered.at = instant(at);
            delivered.from = id;
            delivered.kind = DeliveryKind::Failed { token };
        }
        self.waiting -= left;
    }

    fn delay_frame(&mut self, from: PortId, at: u64, delay: Duration) -> (u64, u64) {
        let frame = self.frame.clone();
        self.put_off(after(at, delay), Later::Frame { from, frame })
    }

    pub(super) fn put_off(&mut self, due: u64, what: Later) -> (u64, u64) {
        let key = (due, self.counters.later);
        self.counters.later += 1;
        self.later.insert(key, what);
        key
    }

    fn finish_later(&mut self) {
        if let Some(((due, _), what)) = self.later.pop_first() {
            self.perform(due, what);
        }
    }

    /// Frames that were put behind the one that just went by.
    fn release_overtaken(&mut self, at: u64) {
        while let Some(key) = self.overtaken.pop() {
            if let Some(what) = self.later.remove(&key) {
                self.perform(at, what);
            }
        }
    }

    fn perform(&mut self, at: u64, what: Later) {
        match what {
            Later::Frame { from, frame } => {
                let current = core::mem::replace(&mut self.frame, frame);
                self.broadcast(from, at);
                self.frame = current;
            }
            Later::Confirm { to, token, frame } => {
                let current = core::mem::replace(&mut self.frame, frame);
                self.tell(to, at, DeliveryKind::Confirmed { token });
                self.frame = current;
            }
            Later::Back { port } => {
                self.make_room(port);
                if let Some(port) = self.port_mut(port)
                    && port.off_until <= at
                {
                    port.deaf = false;
                }
            }
        }
    }
}

impl Stats {
    /// A frame is on the wire.
    const fn count(&mut self, frame: FrameView<'_>) {
        self.frames += 1;
        self.data_bytes += frame.data.len() as u64;
    }
}

/// All ports but the sender receive the frame.
fn broadcast(
    ports: &mut [Port],
    awake: &mut Vec<u32>,
    stats: &mut Stats,
    frame: FrameView<'_>,
    from: PortId,
    at: u64,
) {
    let instant = instant(at);
    for (index, port) in ports.iter_mut().enumerate() {
        let sender = index == from.index as usize && port.generation == from.generation;
        if !port.attached || sender || (port.deaf && port.off_until > at) {
            continue;
        }
        if port.config.overrun == Overrun::Lose && port.inbox.len() >= port.config.inbox {
            stats.overruns += 1;
            continue;
        }
        let delivered = port.inbox.push();
        delivered.frame.copy_from(frame);
        delivered.at = instant;
        delivered.from = from;
        delivered.kind = DeliveryKind::Received;
        if !core::mem::replace(&mut port.awake, true) {
            awake.push(index as u32);
        }
    }
}

fn after(at: u64, duration: Duration) -> u64 {
    at.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Inverts one bit of the data.
fn corrupt(frame: &mut Frame, bit: u16) {
    let mut data = [0; 64];
    let len = frame.data().len();
    data[..len].copy_from_slice(frame.data());
    let Some(position) = usize::from(bit).checked_rem(len * 8) else {
        return;
    };
    data[position / 8] ^= 0x80 >> (position % 8);
    let (id, kind) = (frame.id(), frame.kind());
    frame.copy_from(FrameView {
        id,
        kind,
        data: &data[..len],
    });
}

/// How long a reordered frame waits for another one.
const REORDERED: Duration = Duration::from_millis(10);
