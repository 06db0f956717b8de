//! Connections as streams of bytes with tokio's traits.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use isotp_driver::Connection;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

/// A [`Connection`] as a stream of bytes with tokio's `AsyncRead` and `AsyncWrite`.
///
/// Each write is one message; reads lose the borders between messages. See
/// [`isotp_driver::ByteStream`], which this wraps, for the rules.
///
/// ```
/// use isotp_tokio::{Address, ByteStream, Config, Id, Network};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let network = Network::open("virtual:bytes").await?;
/// let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
/// let mut tester = ByteStream::from(network.connect(address, Config::default()).await?);
/// let mut ecu = ByteStream::from(network.connect(address.reversed(), Config::default()).await?);
/// tester.write_all(b"a message").await?;
/// tester.flush().await?; // confirmed
/// let mut bytes = [0; 9];
/// ecu.read_exact(&mut bytes).await?;
/// assert_eq!(&bytes, b"a message");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ByteStream(isotp_driver::ByteStream);

impl From<Connection> for ByteStream {
    fn from(connection: Connection) -> Self {
        Self(connection.into())
    }
}

impl ByteStream {
    /// The connection, with all of its methods. What it receives does not come out of the stream.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        self.0.connection()
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &mut self.get_mut().0;
        let there = ready!(stream.poll_fill(cx))?;
        let taken = there.len().min(bytes.remaining());
        bytes.put_slice(there.get(..taken).unwrap_or_default());
        stream.consume(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for ByteStream {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().0.poll_fill(cx)
    }

    fn consume(self: Pin<&mut Self>, bytes: usize) {
        self.get_mut().0.consume(bytes);
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().0.poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_sent(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_closed(cx)
    }
}
