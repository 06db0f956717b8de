//! What the driver needs of a bus.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use isotp_core::{Address, Frame, Instant, TxToken};

use crate::runtime::Interest;

/// Access to a CAN bus, frame by frame: a raw socket, a virtual bus, a USB stick.
///
/// One driver task owns it. No method blocks. After an error the bus is not used again, and every
/// connection gets the error.
///
/// What a bus tells about its own frames decides how exact the timing is: with
/// [`confirms`](Self::confirms) each accepted frame is followed by one
/// [`Transmitted`](Arrival::Transmitted) or [`Failed`](Arrival::Failed); without, taking a frame counts
/// as sending it.
pub trait Bus: Send {
    /// Offers a frame to be sent. `token` names it until its confirmation.
    ///
    /// # Errors
    /// The bus is gone, for all.
    fn try_send(&mut self, now: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError>;

    /// Called after a row of [`try_send`](Self::try_send), for buses that collect frames to save
    /// system calls.
    ///
    /// # Errors
    /// The bus is gone, for all.
    fn flush(&mut self, now: Instant) -> Result<(), BusError> {
        let _ = now;
        Ok(())
    }

    /// The next thing that happened, with its frame in `frame`; `None` if there is nothing at `now`.
    ///
    /// # Errors
    /// The bus is gone, for all.
    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError>;

    /// Waits for something to receive, or for room. Asked for room only after
    /// [`Taken::Later`], and then it must stay pending until a frame may be taken. Ready may be wrong
    /// now and then, but not always: that would be a busy loop.
    ///
    /// # Errors
    /// The bus is gone, for all.
    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<Result<(), BusError>>;

    /// When [`receive`](Self::receive) must be called even if nothing wakes the driver, for buses that
    /// keep time themselves.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Whether each accepted frame is confirmed, sent at once, or failed. It never changes.
    fn confirms(&self) -> bool {
        false
    }

    /// How many consecutive frames of a transfer shall be on their way at STmin 0, where its
    /// configuration leaves `in_flight` at 1. More than 1 saves time where a confirmation comes by a
    /// long way, such as through the kernel. It never changes.
    fn in_flight(&self) -> u8 {
        1
    }

    /// Whether FD frames can be sent. It never changes.
    fn supports_fd(&self) -> bool {
        true
    }

    /// A hint for filters: from now on frames that are for this address, or sent by it, matter.
    fn connected(&mut self, address: &Address) {
        let _ = address;
    }

    /// A hint for filters: from now on all frames matter, or those of the connected addresses again.
    fn listen_to_all(&mut self, all: bool) {
        let _ = all;
    }

    /// A hint for filters: the address is no longer in use.
    fn disconnected(&mut self, address: &Address) {
        let _ = address;
    }
}

/// What became of an offered frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// It was taken, and is on its way.
    Took,
    /// It was taken, and is on the bus already: this takes the place of its confirmation. Only where all
    /// that arrived before it was received.
    Sent,
    /// There is no room now. It is offered again, unless a more urgent one overtakes it.
    Later,
    /// It will never be taken. Its transfer fails at once.
    Never,
}

/// What happened on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arrival {
    /// A frame of another node was received. It is in the `frame` that was passed in.
    Received {
        /// When; not later than `now`, and not before what arrived before.
        at: Instant,
    },
    /// A taken frame is on the bus. The bus has put it into `frame` again, so that the other
    /// connections of the network can hear it.
    Transmitted {
        /// When.
        at: Instant,
        /// What it was taken with.
        token: TxToken,
    },
    /// A taken frame will not be sent.
    Failed {
        /// When.
        at: Instant,
        /// What it was taken with.
        token: TxToken,
    },
}

impl Arrival {
    /// When it happened.
    #[must_use]
    pub const fn at(self) -> Instant {
        match self {
            Self::Received { at } | Self::Transmitted { at, .. } | Self::Failed { at, .. } => at,
        }
    }
}

/// The bus, or the way to it, is gone.
///
/// It is shared by all connections that it reaches.
#[derive(Clone)]
pub struct BusError(Arc<io::Error>);

impl BusError {
    /// An error with a text that says what happened and what to do.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(io::Error::other(text.into())))
    }

    /// What kind of error it is, as far as the operating system told.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.0.kind()
    }
}

impl From<io::Error> for BusError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Debug for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BusError").field(&self.0).finish()
    }
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for BusError {}

/// How long a connection that is closed waits for its next data frame, or message, to go out.
pub(crate) const FLUSH_PATIENCE: Duration = Duration::from_secs(10);

/// Stands in where a backend has channels only, and for a bus that was let go of.
pub(crate) struct NoBus;

impl Bus for NoBus {
    fn try_send(
        &mut self,
        _now: Instant,
        _frame: &Frame,
        _token: TxToken,
    ) -> Result<Taken, BusError> {
        Ok(Taken::Never)
    }

    fn receive(&mut self, _now: Instant, _frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        Ok(None)
    }

    fn poll_ready(
        &mut self,
        _cx: &mut Context<'_>,
        _interest: Interest,
    ) -> Poll<Result<(), BusError>> {
        Poll::Pending
    }
}
