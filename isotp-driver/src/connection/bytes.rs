//! Connections for code that wants a stream of bytes.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};

use super::Connection;
use crate::error::{ConnectionError, SendError};
use crate::message::Message;

/// A [`Connection`] as a stream of bytes, for code that asks for `AsyncRead` and `AsyncWrite`.
///
/// Each write is one message, taken whole; flushing waits until all are confirmed. Reads give the bytes
/// of one message after the other, and the borders between them are lost: one read never spans two
/// messages, but a message may take many. After the connection was closed reads give 0; after its bus
/// failed, an error.
///
/// This one has the traits of `futures-io`. The crate of a runtime with traits of its own has its own
/// wrapper.
#[derive(Debug)]
pub struct ByteStream {
    connection: Connection,
    message: Message,
    /// Bytes of `message` that are read.
    read: usize,
}

impl From<Connection> for ByteStream {
    fn from(connection: Connection) -> Self {
        Self {
            connection,
            message: Message::new(Vec::new(), 0, false, 0),
            read: 0,
        }
    }
}

impl ByteStream {
    /// The connection, with all of its methods. What it receives does not come out of the stream.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Bytes that are there, or have come; none at the end.
    ///
    /// # Errors
    /// The bus failed, or the runtime is gone.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        while self.read >= self.message.len() {
            let Connection { reading, line, .. } = &mut self.connection;
            match ready!(reading.poll(line, cx)) {
                Ok(message) => (self.message, self.read) = (message, 0),
                Err(ConnectionError::Closed) => return Poll::Ready(Ok(&[])),
                Err(error) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        Poll::Ready(Ok(self.message.get(self.read..).unwrap_or_default()))
    }

    /// So many of those bytes are used.
    pub fn consume(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(bytes).min(self.message.len());
    }

    /// Queues a message. It takes all of `bytes`; none of them make no message.
    ///
    /// # Errors
    /// The connection is over, or a message before this one failed.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let Connection {
            sending,
            line,
            facts,
            ..
        } = &mut self.connection;
        ready!(sending.poll_room(line, cx)).map_err(failed)?;
        let started = sending.start(line, facts, bytes.to_vec());
        Poll::Ready(started.map(|()| bytes.len()).map_err(failed))
    }

    /// Waits until all messages are confirmed.
    ///
    /// # Errors
    /// One has failed.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Connection { sending, line, .. } = &mut self.connection;
        sending.poll_flush(line, cx).map_err(failed)
    }

    /// Waits until all messages are confirmed, and leaves the bus.
    ///
    /// # Errors
    /// One has failed.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Connection { sending, line, .. } = &mut self.connection;
        sending.poll_close(line, cx).map_err(failed)
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let there = ready!(this.poll_fill(cx))?;
        let taken = there.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(there) {
            *to = *from;
        }
        this.consume(taken);
        Poll::Ready(Ok(taken))
    }
}

impl AsyncBufRead for ByteStream {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll_fill(cx)
    }

    fn consume(self: Pin<&mut Self>, bytes: usize) {
        self.get_mut().consume(bytes);
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_sent(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_closed(cx)
    }
}

/// How a failed message looks to code that knows of bytes alone.
fn failed(error: SendError) -> io::Error {
    let kind = match &error {
        SendError::Connection(_) => io::ErrorKind::BrokenPipe,
        SendError::Refused(_) => io::ErrorKind::InvalidInput,
        SendError::Failed(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error.to_string())
}
