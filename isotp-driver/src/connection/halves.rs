//! A connection in two parts, each with an owner of its own.

use core::time::Duration;
use std::sync::Arc;

use isotp_core::Payload;

use super::Connection;
use super::stream::{Reading, Sending};
use super::timeout::RecvTimeoutError;
use crate::error::{ConnectionError, SendError, TrySendError};
use crate::message::{Event, Message};

impl Connection {
    /// Splits it into a half that sends and a half that receives, for code that wants to own one.
    ///
    /// The connection leaves the bus when both are dropped. Sharing it in an `Arc` does as well: all its
    /// methods take `&self`.
    #[must_use]
    pub fn into_split(self) -> (SendHalf, RecvHalf) {
        let connection = Arc::new(self);
        let send = SendHalf {
            connection: connection.clone(),
            sending: Sending::default(),
        };
        let recv = RecvHalf {
            connection,
            reading: Reading::default(),
        };
        (send, recv)
    }
}

/// The sending half of a [`Connection`].
#[derive(Debug)]
pub struct SendHalf {
    pub(super) connection: Arc<Connection>,
    pub(super) sending: Sending,
}

impl SendHalf {
    /// See [`Connection::send`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        self.connection.send(message).await
    }

    /// See [`Connection::send_from`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_from(
        &self,
        payload: impl Payload + Send + Sync + 'static,
    ) -> Result<(), SendError> {
        self.connection.send_from(payload).await
    }

    /// See [`Connection::send_functional`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_functional(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        self.connection.send_functional(message).await
    }

    /// See [`Connection::try_send`].
    ///
    /// # Errors
    /// As there.
    pub fn try_send(&self, message: impl Into<Vec<u8>>) -> Result<(), TrySendError> {
        self.connection.try_send(message)
    }

    /// The whole connection, shared with the other half.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for SendHalf {
    fn drop(&mut self) {
        self.sending.cancel(&self.connection.line);
    }
}

/// The receiving half of a [`Connection`].
#[derive(Debug)]
pub struct RecvHalf {
    pub(super) connection: Arc<Connection>,
    pub(super) reading: Reading,
}

impl RecvHalf {
    /// See [`Connection::recv`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn recv(&self) -> Result<Message, ConnectionError> {
        self.connection.recv().await
    }

    /// See [`Connection::recv_timeout`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn recv_timeout(&self, begin: Duration) -> Result<Message, RecvTimeoutError> {
        self.connection.recv_timeout(begin).await
    }

    /// See [`Connection::try_recv`].
    ///
    /// # Errors
    /// As there.
    pub fn try_recv(&self) -> Result<Option<Message>, ConnectionError> {
        self.connection.try_recv()
    }

    /// See [`Connection::next_event`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn next_event(&self) -> Result<Event, ConnectionError> {
        self.connection.next_event().await
    }

    /// The whole connection, shared with the other half.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for RecvHalf {
    fn drop(&mut self) {
        self.reading.forget(&self.connection.line);
    }
}
