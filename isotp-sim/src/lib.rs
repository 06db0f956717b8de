//! A deterministic CAN bus for ISO-TP state machines: sans-IO, in virtual time, with seeded faults.
//!
//! [`Bus`] is the mechanism: ports with bounded controller queues, arbitration, confirmations, frame
//! lengths and [`Faults`]. It does no I/O and reads no clock, so that tests drive it in virtual time
//! and a driver in real time. [`World`] puts machines on a bus and runs them.
//!
//! ```
//! use isotp_sim::core::{Address, Config, GrowingBuffer, Id, Link, NResult};
//! use isotp_sim::{BitTiming, Bus, BusConfig, Clock, Happening, World};
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! static CONFIG: Config = Config::new();
//! let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
//! let clock = Clock::Timed(BitTiming::new(500_000, 2_000_000)?);
//! let mut world = World::new(Bus::new(BusConfig { clock, ..BusConfig::default() }));
//! let tester = world.add("tester", Link::new(address, &CONFIG, GrowingBuffer::new(4095))?);
//! let ecu = world.add("ecu", Link::new(address.reversed(), &CONFIG, GrowingBuffer::new(4095))?);
//! let now = world.now();
//! world.node_mut(tester).send(now, vec![0x55; 100])?;
//! world.run();
//! assert_eq!(world.messages(ecu).next(), Some(&[0x55; 100][..]));
//! assert!(world.events(tester).any(|event| *event == Happening::Confirmed(NResult::Ok)));
//! assert!(world.bus().stats().bits > 15 * 8 * 8);
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod bits;
mod bus;
mod faults;
mod node;
mod ring;
mod trace;
mod world;

pub use bits::{BitTiming, FrameBits, TimingError};
pub use bus::{
    Bus, BusConfig, Clock, Delivery, DeliveryKind, Order, Overrun, PortConfig, PortId, Stats,
    SubmitError, Submitted,
};
pub use faults::{Chance, Fault, Faults, Rng};
pub use node::{Happening, Node};
pub use trace::{Entry, Trace, What};
pub use world::{NodeId, Stop, World};

/// The protocol: what is put on the bus.
pub use isotp_core as core;
