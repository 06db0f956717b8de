//! ISO-TP across TCP, as can-utils' `isotpserver` speaks it: client and server.
//!
//! The client is behind the connection string `isotpserver:HOST:PORT`, the server is [`Bridge`]:
//!
//! ```
//! # use isotp_driver::isotpserver::{Bridge, BridgeOptions};
//! # use isotp_driver::{Connection, Runtime};
//! # async fn example<R: Runtime>(runtime: R, connection: Connection) -> std::io::Result<()> {
//! // the runtime is Tokio::current(), Smol, AsyncStd or Threads::start()?, of the crate that you use
//! let bridge = Bridge::listen(&runtime, "127.0.0.1:20000", connection, BridgeOptions::default()).await?;
//! println!("isotpserver:{}", bridge.address());
//! # Ok(()) }
//! ```

mod client;
mod codec;
mod guest;
mod server;
#[cfg(test)]
mod tests;

pub use client::IsotpServerScheme;
pub use codec::{Decoder, MAX_MESSAGE, encode};
pub use server::{Bridge, BridgeOptions};
