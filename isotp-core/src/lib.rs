//! ISO 15765-2 (ISO-TP, DoCAN) as a pure state machine: no I/O, no clock, no heap needed, no panic.
//!
//! ISO-TP carries messages of up to 4 GiB over CAN frames of 8 to 64 bytes. A [`Link`] sends and
//! receives messages with one peer; a [`Router`] holds many links on one bus; an [`Observer`] listens
//! to two others. [`Machine`] is what drives them: frames and time go in, frames and deadlines come out.
//!
//! Requirement ids such as `PCI-07` in this documentation name the rules of ISO 15765-2 as they are
//! listed in the project's `docs/conformance.md`. Which of its crates to take is in `docs/which-crate.md`, and what
//! each error means at the bench in `docs/what-happens-when.md`.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, reason = "tests check by panicking")
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod address;
mod buffer;
mod channels;
mod config;
#[cfg(feature = "embedded-can")]
mod embedded_can;
mod error;
mod event;
mod frame;
mod functional;
mod link;
mod machine;
mod observer;
mod payload;
pub mod pdu;
mod receiver;
mod router;
mod sender;
#[cfg(feature = "std")]
mod std_time;
#[cfg(test)]
mod testing;
mod time;

pub use address::{Address, AddressFormat, Filter, Half};
#[cfg(feature = "alloc")]
pub use buffer::GrowingBuffer;
pub use buffer::RxBuffer;
pub use config::{
    Config, Confirmation, Duplex, FlowControlUse, ReceiveConfig, RxPadding, StMin, Timing,
    TransmitConfig,
};
#[cfg(feature = "embedded-can")]
pub use embedded_can::WrongIdLength;
pub use error::{
    AddressError, Cause, ChangeError, ConfigError, IdError, Ignored, NResult, Refused, SendError,
};
pub use event::{Event, Message};
pub use frame::{Frame, FrameKind, FrameView, Id};
pub use link::{Link, Parameter, ReconfigureError};
pub use machine::{Machine, Transmit, TxToken};
pub use observer::{Direction, Observed, Observer};
pub use payload::{Payload, Prepared};
pub use receiver::Receiver;
pub use router::{InsertError, LinkId, Order, RefusedLink, Router, Slot, Slots};
pub use sender::Sender;
#[cfg(feature = "std")]
pub use std_time::Clock;
pub use time::{Instant, Timeout, Timer};

/// The example of the front page is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
