//! ISO-TP for programs without async: networks, and connections that send and receive messages.
//!
//! ```
//! use isotp_blocking::{Address, Config, Id, Network};
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let network = Network::open("virtual:demo")?;
//! let tester = Address::normal(Id::extended(0x1CDA_DCF9)?, Id::extended(0x1CDA_F9DC)?)?;      // tx_id, rx_id
//!
//! let server = network.connect(tester.reversed(), Config::default())?;
//! std::thread::spawn(move || while let Ok(message) = server.recv() { server.send(message).ok(); });   // ends when the network closes
//!
//! let client = network.connect(tester, Config::default())?;
//! client.send(b"Hello world!")?;                  // returns when the last frame is confirmed
//! assert_eq!(client.recv()?, b"Hello world!"[..]);
//! # Ok(()) }
//! ```
//!
//! A call blocks its thread and no other. One thread of this crate drives the networks of a process: it
//! begins with the first of them, and sleeps when there is nothing to do. [`Network::open`] takes a
//! connection string:
//!
//! | string | bus |
//! |---|---|
//! | `virtual:NAME` | in this process; see [`VirtualScheme`](isotp_virtual::VirtualScheme) for its options |
//! | `raw:IFACE` | on Linux: this stack on a raw CAN socket |
//! | `kernel:IFACE` | on Linux: the kernel's ISO-TP |
//! | `socketcan:IFACE` | on Linux: for each link the kernel, if it can honour its configuration, else this stack |
//! | `isotpserver:HOST:PORT` | a bridge across TCP; see [`isotpserver`] |
//!
//! [`Network::with_bus`] takes a bus object, such as a port of a
//! [`VirtualBus`](isotp_virtual::VirtualBus), or one of your own.
//!
//! [`Network::tap`] shows every frame, [`Network::request_functional`] collects the answers of many, and
//! [`isotpserver::Bridge`] lets others in by TCP. What the asynchronous crates have besides, threads have
//! otherwise:
//!
//! | with futures | with threads |
//! |---|---|
//! | a handler: `Network::serve` | a thread that loops over [`recv`](Connection::recv), as above |
//! | halves: `into_split` | one [`Connection`] by reference, or in an `Arc`: any thread sends, any receives |
//! | a call that is dropped, or has a timeout around it | [`recv_timeout`](Connection::recv_timeout), [`try_recv`](Connection::try_recv), [`try_send`](Connection::try_send); [`Network::close`] ends every call that waits |
//! | streams and sinks of messages, streams of bytes | none; [`into_inner`](Connection::into_inner) is the asynchronous connection |
//!
//! Each handle has the asynchronous one in it, for what is not here: [`Network::inner`],
//! [`Connection::inner`].
//!
//! In [`guide`]: which crate to take, coming from aioisotp, and what each error means.
#![forbid(unsafe_code)]

mod connection;
#[cfg(all(doc, not(doctest)))] // the code of the pages needs more than this crate
pub mod guide;
pub mod isotpserver;
mod network;
mod responses;
mod runtime;
mod tap;

pub use connection::Connection;
pub use network::Network;
pub use responses::Responses;
pub use runtime::Threads;
pub use tap::Tap;

/// The driver itself, for backends.
pub use isotp_driver as driver;
pub use isotp_driver::{
    Address, AddressError, AddressFormat, Bus, BusError, Cause, Config, ConfigError, ConnectError,
    ConnectionError, Duplex, Event, FlowControlUse, FrameKind, Guarantees, Half, Id, IdError,
    Ignored, Message, NResult, OpenError, Path, Payload, ReceiveConfig, RecvTimeoutError, Refused,
    RequestError, Response, RxBuffer, RxPadding, SendError, StMin, Statistics, Tapped, Timing,
    TransmitConfig, TrySendError,
};
/// Virtual buses.
pub use isotp_virtual as virtual_bus;

/// The example of the front page is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
