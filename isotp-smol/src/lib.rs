//! ISO-TP for smol: networks, and connections that send and receive messages.
//!
//! ```
//! use isotp_smol::{Address, Config, Id, Network};
//! # smol::block_on(async {
//! let network = Network::open("virtual:demo").await?;
//! let tester = Address::normal(Id::extended(0x1CDA_DCF9)?, Id::extended(0x1CDA_F9DC)?)?;      // tx_id, rx_id
//!
//! let server = network.connect(tester.reversed(), Config::default()).await?;
//! smol::spawn(async move { while let Ok(message) = server.recv().await { server.send(message).await.ok(); } }).detach();   // ends when the network closes
//!
//! let client = network.connect(tester, Config::default()).await?;
//! client.send(b"Hello world!").await?;                  // resolves when the last frame is confirmed
//! assert_eq!(client.recv().await?, b"Hello world!"[..]);
//! # Ok::<(), Box<dyn core::error::Error>>(()) }).unwrap();
//! ```
//!
//! [`Network::open`] takes a connection string:
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
//! A [`Connection`] is a `Stream` and a `Sink` of messages; [`ByteStream`] makes `AsyncRead` and
//! `AsyncWrite` of it. Timers are those of the reactor, late by some 50 microseconds.
//!
//! In [`guide`]: which crate to take, coming from aioisotp, and what each error means.
#![forbid(unsafe_code)]

#[cfg(all(doc, not(doctest)))] // the code of the pages needs more than this crate
pub mod guide;
mod network;
mod runtime;

pub use network::Network;
pub use runtime::Smol;

/// The driver itself, for backends.
pub use isotp_driver as driver;
pub use isotp_driver::ByteStream;
#[doc(inline)]
pub use isotp_driver::user::*;
/// Virtual buses.
pub use isotp_virtual as virtual_bus;

/// The example of the front page is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
