//! ISO-TP for every async runtime: [`Network`] and [`Connection`], the one loop that drives them, and
//! the traits that a runtime and a backend implement.
//!
//! Programs take the crate of their runtime, such as `isotp-tokio`, which has everything here and opens
//! connection strings. This crate is for those who write a backend ([`Bus`] for frames,
//! [`MessageChannel`] for whole messages, [`Scheme`] for its connection string) or add a [`Runtime`].
//!
//! A bus is one trait. The smallest takes every frame and has none to give:
//!
//! ```
//! use core::task::{Context, Poll};
//! use isotp_driver::{Arrival, Bus, BusError, Frame, Instant, Interest, Taken, TxToken};
//!
//! struct Quiet;
//! impl Bus for Quiet {
//!     fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
//!         Ok(Taken::Took)
//!     }
//!     fn receive(&mut self, _: Instant, _: &mut Frame) -> Result<Option<Arrival>, BusError> {
//!         Ok(None)
//!     }
//!     fn poll_ready(&mut self, _: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
//!         Poll::Pending
//!     }
//! }
//! let taken = Quiet.try_send(Instant::from_micros(0), &Frame::new(), TxToken::from_bits(0));
//! assert_eq!(taken.ok(), Some(Taken::Took));
//! ```
//!
//! It is enough for connections of one network, which hear each other's frames on any bus.
#![forbid(unsafe_code)]

mod bus;
mod channel;
mod channel_driver;
mod collector;
mod config;
mod connection;
mod driver;
mod error;
mod guarantees;
mod hub;
mod inbox;
pub mod isotpserver;
mod keepalive;
mod letting_go;
mod line;
mod message;
mod network;
mod outbox;
mod payload;
#[cfg(unix)]
mod readiness;
mod request;
mod runtime;
mod scheme;
mod serve;
mod statistics;
mod tap;
mod trace;
mod wakers;

pub use bus::{Arrival, Bus, BusError, Taken};
pub use channel::{BoxFuture, Channels, Incoming, MessageChannel, Opened, Permit};
pub use collector::Response;
pub use config::Config;
pub use connection::{ByteStream, Connection, RecvHalf, RecvTimeoutError, SendHalf};
pub use error::{ConnectError, ConnectionError, OpenError, SendError, TrySendError};
pub use guarantees::{Guarantees, Path};
pub use keepalive::Keepalive;
pub use message::{Event, Message};
pub use network::Network;
pub use payload::Outgoing;
#[cfg(unix)]
pub use readiness::Readiness;
pub use request::{RequestError, Responses};
#[cfg(unix)]
pub use runtime::Watch;
pub use runtime::{Interest, Listener, Runtime, Stream, Timer, process_origin, process_time};
pub use scheme::{Backend, Scheme, open};
pub use serve::{Server, ServerEnd};
pub use statistics::Statistics;
pub use tap::{Tap, Tapped};

/// The protocol itself, and its own configuration.
pub use isotp_core as core;
pub use isotp_core::{
    Address, AddressError, AddressFormat, Cause, ConfigError, Confirmation, Duplex, FlowControlUse,
    Frame, FrameKind, FrameView, Half, Id, IdError, Ignored, Instant, NResult, Payload,
    ReceiveConfig, Refused, RxBuffer, RxPadding, StMin, Timing, TransmitConfig, TxToken,
};

/// What programs use: the crate of each runtime has all of it under the same names.
pub mod user {
    pub use crate::isotpserver;
    pub use crate::{
        Address, AddressError, AddressFormat, Bus, BusError, Cause, Config, ConfigError,
        ConnectError, Connection, ConnectionError, Duplex, Event, FlowControlUse, FrameKind,
        Guarantees, Half, Id, IdError, Ignored, Message, NResult, OpenError, Path, Payload,
        ReceiveConfig, RecvHalf, RecvTimeoutError, Refused, RequestError, Response, Responses,
        RxBuffer, RxPadding, SendError, SendHalf, Server, ServerEnd, StMin, Statistics, Tap,
        Tapped, Timing, TransmitConfig, TrySendError,
    };
}
