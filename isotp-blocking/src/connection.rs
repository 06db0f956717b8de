//! Connections for threads.

use core::time::Duration;

use futures_lite::future::block_on;
use isotp_driver::{
    Address, Config, ConnectError, ConnectionError, Event, Guarantees, Message, Path, Payload,
    RecvTimeoutError, SendError, Statistics, TrySendError,
};

/// Sends messages to one peer and receives messages from it. Threads share it by reference: one may send
/// while another receives.
#[derive(Debug)]
pub struct Connection(isotp_driver::Connection);

impl Connection {
    pub(crate) const fn new(connection: isotp_driver::Connection) -> Self {
        Self(connection)
    }

    /// Sends a message, and returns when its last frame is on the bus: N_USData.confirm.
    ///
    /// # Errors
    /// [`SendError::Failed`] with the N_Result of this very message, [`SendError::Refused`] with the
    /// payload if it makes no sense, [`SendError::Connection`] without it if the connection is over.
    pub fn send(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        block_on(self.0.send(message))
    }

    /// Sends a message to one of many peers: the one that has this source address (N_SA), such as the
    /// [`source`](Message::source) of a message to be answered; see
    /// [`send_to`](isotp_driver::Connection::send_to).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_to(&self, source: u8, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        block_on(self.0.send_to(source, message))
    }

    /// Sends a message whose bytes are made as they are needed, such as those of a file. The thread that
    /// drives all networks asks for them: the payload must not block for long.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_from(
        &self,
        payload: impl Payload + Send + Sync + 'static,
    ) -> Result<(), SendError> {
        block_on(self.0.send_from(payload))
    }

    /// Sends a functional message: one single frame to many.
    ///
    /// # Errors
    /// As [`send`](Self::send); refused without a functional tx id, and if it does not fit a single frame.
    pub fn send_functional(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        block_on(self.0.send_functional(message))
    }

    /// Queues a message and returns at once.
    ///
    /// # Errors
    /// [`TrySendError`] with the payload, if the queue is full, it makes no sense, or the connection is
    /// over.
    pub fn try_send(&self, message: impl Into<Vec<u8>>) -> Result<(), TrySendError> {
        self.0.try_send(message)
    }

    /// The next message.
    ///
    /// # Errors
    /// [`ConnectionError`], when the connection is over and all that it had received is taken.
    pub fn recv(&self) -> Result<Message, ConnectionError> {
        block_on(self.0.recv())
    }

    /// The next message, if it begins within `begin`; see
    /// [`recv_timeout`](isotp_driver::Connection::recv_timeout).
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    pub fn recv_timeout(&self, begin: Duration) -> Result<Message, RecvTimeoutError> {
        block_on(self.0.recv_timeout(begin))
    }

    /// The next message, if there is one already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<Message>, ConnectionError> {
        self.0.try_recv()
    }

    /// Forgets the messages that are there already; gives how many it were.
    pub fn drain(&self) -> usize {
        core::iter::from_fn(|| self.0.try_recv().ok().flatten()).count()
    }

    /// The next of all that happened, in order.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn next_event(&self) -> Result<Event, ConnectionError> {
        block_on(self.0.next_event())
    }

    /// How many messages wait to be sent or are being sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.queued()
    }

    /// Ends the reception of the message that is being received, if there is one.
    pub fn abort_receive(&self) {
        self.0.abort_receive();
    }

    /// Replaces the configuration at the next moment when nothing is being sent or received, and returns
    /// when that has happened; see [`configure`](isotp_driver::Connection::configure).
    ///
    /// # Errors
    /// As there.
    pub fn configure(&self, config: Config) -> Result<(), ConnectError> {
        block_on(self.0.configure(config))
    }

    /// What it did so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }

    /// Sends what is queued, leaves the bus, and returns when that is done.
    pub fn close(self) {
        block_on(self.0.close());
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.0.address()
    }

    /// What this connection can promise.
    #[must_use]
    pub const fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }

    /// Which way its messages go, and what decided that.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The asynchronous connection, for what is not here. Any executor drives its futures, such as
    /// `futures_lite::future::block_on`.
    #[must_use]
    pub const fn inner(&self) -> &isotp_driver::Connection {
        &self.0
    }

    /// The asynchronous connection alone, for what takes it over: halves, streams and sinks of messages,
    /// streams of bytes.
    #[must_use]
    pub fn into_inner(self) -> isotp_driver::Connection {
        self.0
    }
}
