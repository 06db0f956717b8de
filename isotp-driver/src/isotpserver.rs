//! ISO-TP across TCP, as can-utils' `isotpserver` speaks it: client and server.
//!
//! The client is behind the connection string `isotpserver:HOST:PORT`, the server is [`Bridge`].

mod client;
mod codec;
mod guest;
mod server;

pub use client::IsotpServerScheme;
pub use codec::{Decoder, MAX_MESSAGE, encode};
pub use server::{Bridge, BridgeOptions};
