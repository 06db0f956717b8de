//! ISO-TP for tokio: networks, and connections that send and receive messages.
//!
//! ```
//! use isotp_tokio::{Address, Config, Id, Network};
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let network = Network::open("virtual:demo").await?;
//! let tester = Address::normal(Id::extended(0x1CDA_DCF9)?, Id::extended(0x1CDA_F9DC)?)?;      // tx_id, rx_id
//!
//! let server = network.connect(tester.reversed(), Config::default()).await?;
//! tokio::spawn(async move { while let Ok(message) = server.recv().await { server.send(message).await.ok(); } });   // ends when the network closes
//!
//! let client = network.connect(tester, Config::default()).await?;
//! client.send(b"Hello world!").await?;                  // resolves when the last frame is confirmed
//! assert_eq!(client.recv().await?, b"Hello world!"[..]);
//! # Ok(()) }
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
//! Timers follow tokio's clock, `tokio::time::pause` included. On Linux, a timerfd makes them late by some
//! 50 microseconds and not by one or two ticks of tokio's, which are milliseconds: [`TokioTimer`] has the
//! rule. Elsewhere, a separation time below 1 ms becomes one or two. The runtime needs `enable_time`; it
//! needs `enable_io` for fine timers and for buses of the system.
//!
//! In [`guide`]: which crate to take, coming from aioisotp, and what each error means.
#![deny(unsafe_code)] // but for one call: see runtime/register.rs

mod bytes;
#[cfg(all(doc, not(doctest)))] // the code of the pages needs more than this crate
pub mod guide;
mod network;
mod runtime;

pub use bytes::ByteStream;
pub use network::Network;
#[cfg(unix)]
pub use runtime::TokioWatch;
pub use runtime::{Tokio, TokioListener, TokioStream, TokioTimer};

/// The driver itself, for backends.
pub use isotp_driver as driver;
#[doc(inline)]
pub use isotp_driver::user::*;
/// Virtual buses.
pub use isotp_virtual as virtual_bus;

/// The example of the project's front page is a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
