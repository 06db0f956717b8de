//! Machines on a bus, run in virtual time.

use core::time::Duration;

use isotp_core::{Frame, Instant, TxToken};

use crate::bus::{Bus, DeliveryKind, Order, Overrun, PortConfig, PortId, SubmitError};
use crate::node::{Happening, Node};
use crate::trace::{Entry, Trace, What};

/// Machines on a simulated bus, and the clock that they share.
///
/// It is the run loop of [`Machine`](isotp_core::Machine) for all of them: frames and confirmations
/// first, then deadlines, then what wants to be sent; and when nothing moves, time jumps to the next
/// deadline of a machine or of the bus. Commands go to a machine through [`node_mut`](Self::node_mut) between runs.
/// See the [crate](crate) for an example.
#[derive(Debug)]
pub struct World<N> {
    bus: Bus,
    now: Instant,
    stations: Vec<Station<N>>,
    trace: Trace,
    /// The port that hears the frames for the trace, while it is kept.
    sniffer: Option<PortId>,
    frame: Frame,
}

#[derive(Debug)]
struct Station<N> {
    node: N,
    port: PortId,
}

/// Names one node of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(usize);

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// Nothing moves, and nothing has a deadline.
    Quiet,
    /// The time that the run was given is over.
    Deadline,
    /// Machines went on and on without time passing: a fault of theirs.
    Livelock,
}

impl NodeId {
    /// The position of the node: nodes are numbered from 0 in the order in which they were added.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

impl<N: Node> World<N> {
    /// A world with no machines, at time zero.
    #[must_use]
    pub fn new(mut bus: Bus) -> Self {
        Self {
            now: bus.now(),
            sniffer: Some(bus.attach(SNIFFER)),
            bus,
            stations: Vec::new(),
            trace: Trace::default(),
            frame: Frame::new(),
        }
    }

    /// Adds a machine on a port of its own, with the default settings.
    pub fn add(&mut self, name: &str, node: N) -> NodeId {
        self.add_with(name, node, PortConfig::default())
    }

    /// Adds a machine on a port with these settings. Without confirmations its configuration should
    /// count a commit as one.
    pub fn add_with(&mut self, name: &str, node: N, config: PortConfig) -> NodeId {
        let port = self.bus.attach(config);
        self.stations.push(Station { node, port });
        self.trace.names.push(name.to_owned());
        NodeId(self.stations.len() - 1)
    }

    /// Whether frames and events are kept in the trace: by default they are.
    pub fn record(&mut self, records: bool) {
        match self.sniffer {
            Some(port) if !records => {
                self.bus.detach(port);
                self.sniffer = None;
            }
            None if records => self.sniffer = Some(self.bus.attach(SNIFFER)),
            _ => {}
        }
    }

    /// Lets time pass in which nobody looks: a process that was stopped, or a clock that was set forward.
    /// Machines learn of all that was due meanwhile in the next run, late.
    pub fn stall(&mut self, pause: Duration) {
        self.now = self.now + pause;
    }

    /// Runs until nothing moves and nothing has a deadline.
    pub fn run(&mut self) -> Stop {
        self.run_until(Instant::MAX)
    }

    /// Runs up to `deadline`, and everything that is due at it.
    pub fn run_until(&mut self, deadline: Instant) -> Stop {
        let mut turns = 0;
        loop {
            let next = match self.settle(&mut turns) {
                Ok(next) => next,
                Err(stop) => return stop,
            };
            match next {
                None => {
                    if deadline < Instant::MAX {
                        self.now = self.now.max(deadline);
                    }
                    return Stop::Quiet;
                }
                Some(at) if at > deadline => {
                    self.now = self.now.max(deadline);
                    return Stop::Deadline;
                }
                Some(at) if at > self.now => {
                    self.now = at;
                    turns = 0;
                }
                // due already, though a turn has just ended: no machine does this for long
                Some(_) => turns += MOST_TURNS / MOST_IDLE_TURNS,
            }
        }
    }

    /// One turn of the run loop at the present time, as often as something moves. Afterwards the time
    /// of what comes next.
    fn settle(&mut self, turns: &mut u32) -> Result<Option<Instant>, Stop> {
        loop {
            *turns += 1;
            if *turns > MOST_TURNS {
                return Err(Stop::Livelock);
            }
            self.bus.handle_timeout(self.now);
            self.sniff();
            let mut moved = self.receive();
            self.expire();
            moved |= self.transmit();
            if !moved {
                break;
            }
        }
        let deadlines = self.stations.iter().filter_map(|s| s.node.poll_timeout());
        let machines = deadlines.map(|timeout| timeout.at).min();
        Ok(machines.into_iter().chain(self.bus.poll_timeout()).min())
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// A machine.
    ///
    /// # Panics
    /// If `id` is of another world that has more nodes.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &N {
        &self.stations[id.0].node
    }

    /// A machine, for commands.
    ///
    /// # Panics
    /// If `id` is of another world that has more nodes.
    pub fn node_mut(&mut self, id: NodeId) -> &mut N {
        &mut self.stations[id.0].node
    }

    /// The bus.
    #[must_use]
    pub const fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The bus, to change its faults, or to put frames on it from further ports.
    pub const fn bus_mut(&mut self) -> &mut Bus {
        &mut self.bus
    }

    /// What has happened.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Forgets what has happened.
    pub fn clear_trace(&mut self) {
        self.trace.entries.clear();
    }

    /// The events of one node.
    pub fn events(&self, node: NodeId) -> impl Iterator<Item = &Happening> {
        let events = self.trace.events();
        events.filter_map(move |(_, of, _, event)| (of == Some(node)).then_some(event))
    }

    /// The messages that one node received.
    pub fn messages(&self, node: NodeId) -> impl Iterator<Item = &[u8]> {
        self.events(node).filter_map(Happening::data)
    }

    /// Delivers what the bus has for the machines.
    fn receive(&mut self) -> bool {
        let mut moved = false;
        for index in 0..self.stations.len() {
            let port = self.stations[index].port;
            while let Some(delivery) = self.bus.poll_receive(port, &mut self.frame) {
                moved = true;
                let node = &mut self.stations[index].node;
                match delivery.kind {
                    DeliveryKind::Received => node.handle_frame(delivery.at, self.frame.view()),
                    DeliveryKind::Confirmed { token } => {
                        node.handle_transmitted(delivery.at, TxToken::from_bits(token));
                    }
                    DeliveryKind::Failed { token } => {
                        node.handle_failed(delivery.at, TxToken::from_bits(token));
                    }
                    DeliveryKind::Echo => {}
                }
                self.tell(index);
            }
        }
        moved
    }

    /// Deadlines that are over.
    fn expire(&mut self) {
        for index in 0..self.stations.len() {
            let node = &mut self.stations[index].node;
            if node
                .poll_timeout()
                .is_some_and(|timeout| timeout.at <= self.now)
            {
                node.handle_timeout(self.now);
            }
            self.tell(index);
        }
    }

    /// Takes what the machines want to send, as far as the controllers have room.
    fn transmit(&mut self) -> bool {
        let mut moved = false;
        for index in 0..self.stations.len() {
            loop {
                let Station { node, port } = &mut self.stations[index];
                let Some(transmit) = node.poll_transmit(self.now, &mut self.frame) else {
                    break;
                };
                match self.bus.submit(self.now, *port, self.frame.view(), 0) {
                    Ok(submitted) => {
                        let token = transmit.commit(self.now);
                        submitted.tag(token.to_bits());
                        node.note_committed(self.now, token);
                    }
                    Err(SubmitError::Full) => break,
                    Err(_) => {
                        transmit.reject(self.now);
                        node.note_rejected(self.now);
                    }
                }
                moved = true;
                self.tell(index);
            }
            self.tell(index);
        }
        moved
    }

    /// Writes down what happened to a machine.
    fn tell(&mut self, index: usize) {
        while let Some((slot, event)) = self.stations[index].node.poll_happening() {
            if self.sniffer.is_some() {
                self.trace.entries.push(Entry {
                    at: self.now,
                    node: Some(NodeId(index)),
                    what: What::Event { slot, event },
                });
            }
        }
    }

    /// Writes down the frames that went by.
    fn sniff(&mut self) {
        let Some(sniffer) = self.sniffer else {
            return;
        };
        while let Some(delivery) = self.bus.poll_receive(sniffer, &mut self.frame) {
            let sender = |station: &Station<N>| station.port == delivery.from;
            self.trace.entries.push(Entry {
                at: delivery.at,
                node: self.stations.iter().position(sender).map(NodeId),
                what: What::Frame(self.frame.clone()),
            });
        }
    }
}

const SNIFFER: PortConfig = PortConfig {
    queue: 0,
    order: Order::Fifo,
    inbox: usize::MAX,
    overrun: Overrun::Lose,
    confirms: false,
    own_messages: false,
};

/// Turns of the run loop without time passing; each moves at least one frame.
const MOST_TURNS: u32 = 100_000_000;
/// Turns after which a deadline was still due.
const MOST_IDLE_TURNS: u32 = 1000;
