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

use core::task::{Context, Poll, ready};

use crate::runtime::Stream;

pub use client::IsotpServerScheme;
pub use codec::{Decoder, MAX_MESSAGE, encode};
pub use server::{Bridge, BridgeOptions};

/// Reads what nobody wants any more, for a turn: a peer that writes before it reads waits for that, and were
/// there bytes that nobody read, the system would take back what the peer has not taken. Ready at its end.
fn poll_discard(stream: &mut impl Stream, bytes: &mut [u8], cx: &mut Context<'_>) -> Poll<()> {
    for _ in 0..READS_A_TURN {
        match ready!(stream.poll_read(cx, bytes)) {
            Ok(0) | Err(_) => return Poll::Ready(()),
            Ok(_) => {}
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// A peer that sends without end does not keep other tasks from their turn.
const READS_A_TURN: usize = 16;
