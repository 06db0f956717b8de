//! Backends that speak whole messages: a kernel's ISO-TP sockets, a bridge across TCP.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use isotp_core::{Address, NResult};

use crate::bus::{BusError, FLUSH_PATIENCE};
use crate::config::Config;
use crate::error::ConnectError;
use crate::guarantees::{Guarantees, Path};

/// One connection of a backend that does ISO-TP itself.
///
/// One task owns it; it sends one message at a time, while it receives. No method blocks. After a
/// [`BusError`] it is not used again.
pub trait MessageChannel: Send {
    /// Sends a message, and is ready when the backend knows what became of it. Called with the same
    /// message until then, or until [`cancel_send`](Self::cancel_send).
    ///
    /// # Errors
    /// The channel is gone.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<Result<NResult, BusError>>;

    /// The sender has lost interest in the message. The next [`poll_send`](Self::poll_send) brings
    /// another one; if this one cannot be stopped, that one waits for it, and the outcome of this one
    /// is never taken for the outcome of that one.
    fn cancel_send(&mut self);

    /// The next thing that was received; the bytes of a message go into `message`, which is empty.
    ///
    /// # Errors
    /// The channel is gone.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Vec<u8>,
    ) -> Poll<Result<Incoming, BusError>>;

    /// Lets go of what it has, for a connection that is [closed](crate::Connection::close); ready when
    /// another channel can have the address, and no frame of this one is answered any more.
    ///
    /// A connection that is dropped drops its channel instead.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>
    where
        Self: 'static,
    {
        drop(self);
        Box::pin(core::future::ready(()))
    }

    /// How long a message may take while its connection is closing; then it is given up. `None` if the
    /// channel itself ends each message in time. 10 seconds unless it says otherwise.
    fn close_patience(&self) -> Option<Duration> {
        Some(FLUSH_PATIENCE)
    }

    /// Whether what is not received waits where it comes from: then nothing is asked for while the connection's
    /// queue is full, unless it closes. Otherwise a message that finds no place is lost, and counted.
    fn waits(&self) -> bool {
        false
    }

    /// The longest message that it can send. Longer ones are refused before they get here.
    fn max_message(&self) -> u32 {
        u32::MAX
    }
}

/// What a channel received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming {
    /// A message.
    Message,
    /// A message that failed on its way.
    Failed(NResult),
}

/// Opens the channels of a network.
pub trait Channels: Send + Sync {
    /// Opens a channel for this address and configuration, or declines.
    ///
    /// # Errors
    /// The link cannot be had, and the reason.
    fn open<'a>(
        &'a self,
        address: &'a Address,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>>;

    /// Lets a link through to the network's bus that [`open`](Self::open) was not asked about, since
    /// its messages go into a buffer of the caller's, or since it is there for a functional request.
    ///
    /// # Errors
    /// The link would be in the way of one of these channels.
    fn admit<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Permit, ConnectError>> {
        let _ = address;
        Box::pin(core::future::ready(Ok(Permit::default())))
    }
}

/// Keeps an address for a link that is on its way to the network's bus.
///
/// It is dropped when the bus was [told](crate::Bus::connected) of the link, and may keep the address
/// from then on; else when there is no link, because it was refused or nobody waits for it any more.
/// By default it keeps nothing.
#[derive(Default)]
pub struct Permit(Option<Box<dyn Send>>);

impl Permit {
    /// Keeps this.
    #[must_use]
    pub fn new(kept: impl Send + 'static) -> Self {
        Self(Some(Box::new(kept)))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.0.is_some()).finish()
    }
}

/// A future on the heap, as an object-safe trait must return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How [`Channels`] answered.
#[non_exhaustive]
pub enum Opened {
    /// A channel.
    Channel {
        /// The channel.
        channel: Box<dyn MessageChannel>,
        /// What it can do.
        guarantees: Guarantees,
        /// Which way it goes, and why.
        path: Path,
    },
    /// Not here: the network's own stack shall do it, on its bus.
    Declined {
        /// What decided, such as the field of the configuration that the backend cannot honour.
        reason: String,
        /// What keeps the address until the link is on the bus.
        permit: Permit,
    },
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel { path, .. } => f.debug_tuple("Channel").field(path).finish(),
            Self::Declined { reason, .. } => f.debug_tuple("Declined").field(reason).finish(),
        }
    }
}
