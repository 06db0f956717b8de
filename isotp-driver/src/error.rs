//! What can go wrong, one type for each operation. Each text is whole, with what the system answered in it;
//! so none has a `source`, which would say it again.

use core::fmt;
use std::io;

use isotp_core::{ConfigError, Id, InsertError, NResult, Refused};

use crate::bus::BusError;
use crate::payload::Outgoing;

/// Why a connection is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The connection or its network was closed.
    Closed,
    /// The bus is gone.
    Bus(BusError),
    /// The task that drives the network is gone: its runtime was shut down, or a payload or receive
    /// buffer of the user panicked in it.
    Stopped,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection is closed"),
            Self::Bus(error) => write!(f, "the bus failed: {error}"),
            Self::Stopped => f.write_str(
                "the runtime that drove the network is gone, or code of the program panicked in it",
            ),
        }
    }
}

impl core::error::Error for ConnectionError {}

/// Why a message was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// It makes no sense, and comes back.
    Refused(Refused<Outgoing>),
    /// The transfer failed: N_USData.confirm with this result.
    Failed(NResult),
    /// The connection is over. The payload does not come back, since some of it may have been sent;
    /// [`TrySendError`] gives it back.
    Connection(ConnectionError),
}

impl SendError {
    /// The N_Result, if the transfer began and failed.
    #[must_use]
    pub const fn result(&self) -> Option<NResult> {
        match self {
            Self::Failed(result) => Some(*result),
            _ => None,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Failed(result) => result.fmt(f),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

impl From<ConnectionError> for SendError {
    fn from(error: ConnectionError) -> Self {
        Self::Connection(error)
    }
}

/// Why a message was not queued. The payload comes back.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrySendError {
    /// It makes no sense.
    Refused(Refused<Outgoing>),
    /// `send_queue` messages wait already.
    Full(Outgoing),
    /// The connection is over.
    Connection(ConnectionError, Outgoing),
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Full(_) => f.write_str("the send queue is full; await send, or raise send_queue"),
            Self::Connection(error, _) => error.fmt(f),
        }
    }
}

impl core::error::Error for TrySendError {}

/// Why there is no connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The protocol configuration makes no sense.
    Config(ConfigError),
    /// A size of the configuration is 0.
    Queue {
        /// Which.
        field: &'static str,
    },
    /// The configuration asks for CAN FD, and the bus has none.
    NoFd,
    /// Another connection of this network has the address.
    AddressInUse {
        /// The rx id that both have.
        id: Id,
    },
    /// Another connection of this network reads frames of the same id in another address format.
    FormatInUse {
        /// The rx id that both have.
        id: Id,
    },
    /// There is no memory for a tap of this capacity.
    NoMemory {
        /// In frames.
        capacity: usize,
    },
    /// The backend cannot do it.
    Backend(BusError),
    /// The network is over.
    Network(ConnectionError),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Queue { field } => write!(f, "{field} is 0, expected at least 1"),
            Self::NoFd => f.write_str(
                "protocol.kind is CAN FD, but the bus takes classic frames only; use \
                 FrameKind::Classic, or a bus with FD",
            ),
            Self::AddressInUse { id } => write!(
                f,
                "rx_id {id} belongs to another connection of this network; close that one first"
            ),
            Self::FormatInUse { id } => write!(
                f,
                "rx_id {id} is read in another address format by another connection of this network"
            ),
            Self::NoMemory { capacity } => write!(
                f,
                "no memory for a tap of {capacity} frames, which is reserved at once; take a smaller capacity"
            ),
            Self::Backend(error) => error.fmt(f),
            Self::Network(error) => write!(f, "no connection: {error}"),
        }
    }
}

impl core::error::Error for ConnectError {}

impl From<ConfigError> for ConnectError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<InsertError> for ConnectError {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::AddressInUse { id } => Self::AddressInUse { id },
            InsertError::FormatInUse { id } => Self::FormatInUse { id },
            error => Self::Backend(BusError::new(error.to_string())),
        }
    }
}

/// Why a network was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such scheme.
    UnknownScheme {
        /// What came before the colon.
        scheme: String,
        /// How connection strings can look here.
        known: Vec<&'static str>,
    },
    /// What comes after the colon makes no sense.
    Parameter {
        /// The whole string.
        connection: String,
        /// What was wrong, and what to write instead.
        problem: String,
    },
    /// The system said no.
    Io {
        /// What was being done, and what may help.
        doing: String,
        /// What the system answered.
        error: io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme { scheme, known } => {
                write!(f, "unknown scheme {scheme:?}, expected ")?;
                for (at, usage) in known.iter().enumerate() {
                    let separator = if at == 0 { "" } else { " or " };
                    write!(f, "{separator}{usage}")?;
                }
                Ok(())
            }
            Self::Parameter {
                connection,
                problem,
            } => write!(f, "{connection:?}: {problem}"),
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
        }
    }
}

impl core::error::Error for OpenError {}
