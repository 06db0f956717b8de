//! The handle of a connection.

mod bytes;
mod change;
mod halves;
mod stream;
mod timeout;

pub use bytes::ByteStream;
pub use halves::{RecvHalf, SendHalf};
pub use timeout::RecvTimeoutError;

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use isotp_core::{Address, Payload, Refused};

use crate::error::{ConnectError, ConnectionError, SendError, TrySendError};
use crate::guarantees::{Guarantees, Path};
use crate::hub::Handle;
use crate::inbox::Inbox;
use crate::line::{Line, Target};
use crate::message::{Event, Message};
use crate::network::BusFacts;
use crate::payload::Outgoing;
use crate::runtime::AnyRuntime;
use crate::statistics::Statistics;
use stream::{Reading, Sending};

/// Sends messages to one peer and receives messages from it.
///
/// All methods take `&self`: one task may send while another receives, and messages sent by many tasks
/// leave in the order in which they were first polled. Flow control is answered by the network's
/// driver, whatever the application does.
///
/// Received messages wait in a bounded queue ([`Config::queue`](crate::Config::queue)). While it is
/// full, a peer that begins a segmented message is told to wait (FC.WAIT, paced by N_Br, at most N_WFTmax
/// times in a row), so that none whose sender saw `N_OK` is lost. ISO-TP cannot hold back a single
/// frame: one that finds the queue full is dropped, and [`Event::Lagged`] tells how many were.
///
/// Dropping the connection leaves the bus at once, ending what is being sent or received;
/// [`close`](Self::close) sends first what is queued. What this connection can promise is in
/// [`guarantees`](Self::guarantees).
///
/// It is also a [`Stream`](futures_core::Stream) and a [`Sink`](futures_sink::Sink) of messages, and can
/// be [split](Self::into_split).
pub struct Connection {
    line: Arc<Line>,
    _handle: Handle,
    facts: Facts,
    reading: Reading,
    sending: Sending,
}

/// What never changes about a connection.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) guarantees: Guarantees,
    pub(crate) path: Arc<Path>,
    /// The frame bus that it is on, unless it is a channel.
    pub(crate) bus: Option<BusFacts>,
    /// The longest message that can be sent.
    pub(crate) max_send: u32,
    pub(crate) runtime: Arc<dyn AnyRuntime>,
}

impl Facts {
    /// Refuses at once what can never be sent.
    pub(crate) fn check(&self, payload: Outgoing) -> Result<Outgoing, Refused<Outgoing>> {
        let error = if let Some(error) = payload.too_long(self.max_send) {
            error
        } else if payload.size() == 0 {
            isotp_core::SendError::Empty
        } else {
            return Ok(payload);
        };
        Err(Refused { error, payload })
    }
}

impl Connection {
    pub(crate) fn new(line: Arc<Line>, handle: Handle, facts: Facts) -> Self {
        Self {
            line,
            _handle: handle,
            facts,
            reading: Reading::default(),
            sending: Sending::default(),
        }
    }

    pub(crate) const fn line(&self) -> &Arc<Line> {
        &self.line
    }

    /// Refuses at once what can never be sent.
    pub(crate) fn check(&self, payload: Outgoing) -> Result<Outgoing, Refused<Outgoing>> {
        self.facts.check(payload)
    }

    /// Waits until the driver has taken the connection in.
    pub(crate) async fn opened(self) -> Result<Self, ConnectError> {
        Watch::new(&self.line).opened().await?;
        Ok(self)
    }

    /// Sends a message, and waits until its last frame is on the bus: N_USData.confirm.
    ///
    /// # Errors
    /// [`SendError::Failed`] with the N_Result of this very message, [`SendError::Refused`] with the
    /// payload if it makes no sense, [`SendError::Connection`] without it if the connection is over.
    ///
    /// # Cancel safety
    /// Dropped before the bus took its first frame, it sends nothing; dropped later, it aborts the
    /// transfer, and a single frame may be sent all the same. The next `send` works in either case.
    pub async fn send(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        self.deliver(Target::Physical, message.into().into()).await
    }

    /// Sends a message to one of many peers: the one that has this source address (N_SA), such as the
    /// [`source`](Message::source) of a message to be answered. It takes an address that
    /// [receives from any source](Address::with_any_source), and is [`send`](Self::send) with any other;
    /// `send` goes to whoever sent the last message.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_to(&self, source: u8, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        let payload = Outgoing::from(message.into()).towards(source);
        self.deliver(Target::Physical, payload).await
    }

    /// Sends a message whose bytes are made as they are needed, such as those of a file.
    ///
    /// The payload is asked in the driver's task: it must not block for long. While it has no bytes, it
    /// is asked again when N_Cs has run out, and the transfer fails if there are none then.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_from(
        &self,
        payload: impl Payload + Send + Sync + 'static,
    ) -> Result<(), SendError> {
        let payload = Outgoing::source(payload);
        self.deliver(Target::Physical, payload).await
    }

    /// Sends a functional message: one single frame to many. It neither waits for physical messages nor
    /// holds them up.
    ///
    /// # Errors
    /// As [`send`](Self::send); refused if the address has no functional tx id, or the message does not
    /// fit a single frame.
    ///
    /// # Cancel safety
    /// Dropped before its turn has come, it sends nothing; dropped later, it may be sent.
    pub async fn send_functional(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        let payload = message.into().into();
        self.deliver(Target::Functional, payload).await
    }

    /// Queues a message and returns at once. If it fails later, [`next_event`](Self::next_event) says
    /// so: [`Event::SendFailed`], or [`Event::SendRefused`].
    ///
    /// # Errors
    /// [`TrySendError`] with the payload, if [`Config::send_queue`](crate::Config::send_queue) messages
    /// wait already, if it makes no sense, or if the connection is over.
    pub fn try_send(&self, message: impl Into<Vec<u8>>) -> Result<(), TrySendError> {
        let payload = self.facts.check(message.into().into());
        self.line.try_send(payload.map_err(TrySendError::Refused)?)
    }

    /// How many messages wait to be sent or are being sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.line.queued()
    }

    /// The next message. Indications before it are passed over.
    ///
    /// # Errors
    /// [`ConnectionError`], when the connection is over and all that it had received is taken.
    ///
    /// # Cancel safety
    /// Dropped, it takes no message.
    pub async fn recv(&self) -> Result<Message, ConnectionError> {
        self.take(Inbox::pop_message).await
    }

    /// The next message, if there is one already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<Message>, ConnectionError> {
        match self.line.poll_take(Inbox::pop_message, None) {
            Poll::Ready(message) => message.map(Some),
            Poll::Pending => Ok(None),
        }
    }

    /// The next of all that happened, in order: beginnings of segmented messages, messages, failed
    /// receptions, losses, failed messages of [`try_send`](Self::try_send).
    ///
    /// As many events that are no messages wait as [`Config::queue`](crate::Config::queue) says, but at
    /// least 8. While nobody takes them, the oldest beginnings and failed receptions are forgotten
    /// first, then losses are added up into one event, and only among themselves do failed messages of
    /// `try_send` push out older ones. [`recv`](Self::recv) passes over them all.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Dropped, it takes no event.
    pub async fn next_event(&self) -> Result<Event, ConnectionError> {
        self.take(Inbox::pop).await
    }

    /// Ends the reception of the message that is being received, if there is one.
    pub fn abort_receive(&self) {
        self.line.abort_receive();
    }

    /// Sends what is queued, leaves the bus, and returns when that is done. If no data frame goes out for 10
    /// seconds, since the peer says WAIT and nothing else, the rest is given up; while the peer does not
    /// answer, each message takes N_Bs. Across TCP it also waits until the server has read all and closed its
    /// end, for 10 seconds at most.
    ///
    /// # Cancel safety
    /// Dropped, it leaves the bus at once, as dropping the connection does.
    pub async fn close(self) {
        let mut watch = Watch::new(&self.line);
        self.line.close();
        poll_fn(|cx| self.line.poll_over(&mut watch.key, cx)).await;
    }

    /// What it did so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.line.statistics()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.line.address()
    }

    /// What this connection can promise.
    #[must_use]
    pub const fn guarantees(&self) -> Guarantees {
        self.facts.guarantees
    }

    /// Which way its messages go, and what decided that.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.facts.path
    }

    async fn deliver(&self, target: Target, payload: Outgoing) -> Result<(), SendError> {
        let payload = self.check(payload).map_err(SendError::Refused)?;
        Delivery::new(&self.line, target, payload).await
    }

    async fn take<T>(&self, pop: impl Fn(&mut Inbox) -> Option<T>) -> Result<T, ConnectionError> {
        let mut reader = Reader::new(&self.line);
        poll_fn(|cx| self.line.poll_take(&pop, Some((&mut reader.key, cx)))).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.line.abandon();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("address", self.address())
            .field("path", &self.facts.path)
            .finish_non_exhaustive()
    }
}

/// Queues a message when it is polled first, and waits for its outcome.
pub(crate) struct Delivery<'a> {
    line: &'a Arc<Line>,
    target: Target,
    /// `None` once it is queued.
    payload: Option<Outgoing>,
    /// `None` when the outcome was taken.
    number: Option<u64>,
}

impl<'a> Delivery<'a> {
    pub(crate) const fn new(line: &'a Arc<Line>, target: Target, payload: Outgoing) -> Self {
        Self {
            line,
            target,
            payload: Some(payload),
            number: None,
        }
    }
}

impl Future for Delivery<'_> {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(payload) = self.payload.take() {
            let queued = self.line.send(self.target, payload, Some(cx.waker()));
            self.number = Some(queued?);
            return Poll::Pending;
        }
        let Some(number) = self.number else {
            return Poll::Pending;
        };
        match self.line.poll_sent(self.target, number, cx.waker()) {
            Some(outcome) => {
                self.number = None;
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.line.cancel(self.target, number);
        }
    }
}

/// Waits for a message.
struct Reader<'a> {
    line: &'a Line,
    key: Option<u64>,
}

impl<'a> Reader<'a> {
    const fn new(line: &'a Line) -> Self {
        Self { line, key: None }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if self.key.is_some() {
            self.line.forget_reader(self.key);
        }
    }
}

/// Waits for the beginning or the end.
pub(crate) struct Watch {
    line: Arc<Line>,
    key: Option<u64>,
}

impl Watch {
    pub(crate) fn new(line: &Arc<Line>) -> Self {
        Self {
            line: line.clone(),
            key: None,
        }
    }

    pub(crate) async fn opened(mut self) -> Result<(), ConnectError> {
        poll_fn(|cx| self.line.poll_open(&mut self.key, cx)).await
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.line.forget_watcher(self.key);
    }
}
