//! Results of transfers, and what is refused. The peer's faults and our misuse are different types.

mod ignored;

use core::fmt;
use core::time::Duration;

use crate::frame::Id;

pub use ignored::Ignored;

/// How a transfer ended: the N_Result of ISO 15765-2, with what was expected and what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NResult {
    /// `N_OK`: the last frame is confirmed, or the message is complete.
    Ok,
    /// `N_TIMEOUT_A`: a frame was not confirmed within N_As (data) or N_Ar (flow control).
    TimeoutA,
    /// `N_TIMEOUT_Bs`: no flow control came within N_Bs.
    TimeoutBs,
    /// `N_TIMEOUT_Cr`: no consecutive frame came within N_Cr.
    TimeoutCr,
    /// `N_WRONG_SN`: a frame was lost, doubled or out of order.
    WrongSn {
        /// The sequence number that was due, 0 to 15, or [`UNTOLD`](Self::UNTOLD).
        expected: u8,
        /// The sequence number that came, likewise.
        received: u8,
    },
    /// `N_INVALID_FS`: the awaited flow control had a reserved status.
    InvalidFs {
        /// The status, 3 to 15, or [`UNTOLD`](Self::UNTOLD).
        status: u8,
    },
    /// `N_UNEXP_PDU`: the peer began another message in the middle of this one.
    UnexpectedPdu,
    /// `N_WFT_OVRN`: too many FC.WAIT in a row.
    WaitOverrun {
        /// How many were allowed.
        limit: u8,
    },
    /// `N_BUFFER_OVFLW`: the peer has no room for a message of this length.
    BufferOverflow,
    /// `N_ERROR`: anything else.
    Error(Cause),
}

impl NResult {
    /// Stands for a sequence number or a flow status that a backend does not tell. No frame holds it.
    pub const UNTOLD: u8 = 0xFF;

    /// The name in the standard: `N_OK`, `N_TIMEOUT_A`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "N_OK",
            Self::TimeoutA => "N_TIMEOUT_A",
            Self::TimeoutBs => "N_TIMEOUT_Bs",
            Self::TimeoutCr => "N_TIMEOUT_Cr",
            Self::WrongSn { .. } => "N_WRONG_SN",
            Self::InvalidFs { .. } => "N_INVALID_FS",
            Self::UnexpectedPdu => "N_UNEXP_PDU",
            Self::WaitOverrun { .. } => "N_WFT_OVRN",
            Self::BufferOverflow => "N_BUFFER_OVFLW",
            Self::Error(_) => "N_ERROR",
        }
    }

    /// Whether the transfer succeeded.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }
}

impl fmt::Display for NResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Ok => Ok(()),
            Self::TimeoutA => f.write_str(": the bus did not confirm a frame in time"),
            Self::TimeoutBs => f.write_str(": the peer sent no flow control in time"),
            Self::TimeoutCr => f.write_str(": the peer sent no consecutive frame in time"),
            Self::WrongSn { expected, .. } if *expected == Self::UNTOLD => Ok(()),
            Self::InvalidFs { status } if *status == Self::UNTOLD => Ok(()),
            Self::WrongSn { expected, received } => {
                write!(
                    f,
                    ": expected sequence number {expected}, received {received}"
                )
            }
            Self::InvalidFs { status } => {
                write!(f, ": expected flow status 0, 1 or 2, received {status}")
            }
            Self::UnexpectedPdu => f.write_str(": the peer began another message"),
            Self::WaitOverrun { limit } => write!(f, ": more than {limit} waits in a row"),
            Self::BufferOverflow => f.write_str(": the message is longer than the peer takes"),
            Self::Error(cause) => write!(f, ": {cause}"),
        }
    }
}

impl core::error::Error for NResult {}

/// What stands behind an `N_ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause {
    /// The user aborted it.
    Aborted,
    /// The driver refused a frame for good, or lost one that cannot be sent again.
    Refused,
    /// The payload had no bytes within N_Cs.
    NoData,
    /// The receive buffer took no more bytes, though it had said that it would.
    Buffer,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aborted => "aborted by the user",
            Self::Refused => "the bus driver refused or lost a frame",
            Self::NoData => "the payload gave no bytes within N_Cs",
            Self::Buffer => "the receive buffer failed to take bytes",
        })
    }
}

/// A value that does not fit an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IdError {
    /// The value.
    pub value: u32,
    /// Whether a 29-bit id was asked for.
    pub extended: bool,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bits, max) = if self.extended {
            (29, 0x1FFF_FFFF)
        } else {
            (11, 0x7FF)
        };
        write!(
            f,
            "id 0x{:X} does not fit {bits} bits, expected at most 0x{max:X}",
            self.value
        )?;
        if self.extended {
            Ok(())
        } else {
            f.write_str("; use Id::extended for 29-bit ids")
        }
    }
}

impl core::error::Error for IdError {}

/// An address that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AddressError {
    /// Both directions have the same id and address byte: the link would hear itself (`ADR-09`).
    SameIds {
        /// The id that both have.
        id: Id,
    },
    /// A normal fixed or mixed 29-bit id whose target is its source (`ADR-09`).
    SameNodes {
        /// The id.
        id: Id,
    },
    /// The functional id of a direction is also the physical one, so that frames could be either
    /// (`ADR-04`).
    SameFunctionalId {
        /// The id that both have.
        id: Id,
    },
    /// A priority above 7.
    Priority {
        /// The value that came.
        priority: u8,
    },
    /// An operation that needs a normal fixed or mixed 29-bit address.
    NotFixed,
    /// An id that a normal fixed or mixed 29-bit address cannot have; only deserialisation meets it.
    FixedId {
        /// The id.
        id: Id,
    },
    /// A functional id that this address format cannot have.
    FunctionalFormat,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameIds { id } => {
                write!(
                    f,
                    "tx_id and rx_id are both {id}, expected two different addresses"
                )
            }
            Self::SameNodes { id } => write!(
                f,
                "id {id} names the same node as target and as source, expected two different nodes"
            ),
            Self::SameFunctionalId { id } => write!(
                f,
                "the functional and the physical id are both {id}, expected two different addresses"
            ),
            Self::Priority { priority } => write!(f, "priority {priority}, expected 0 to 7"),
            Self::NotFixed => {
                f.write_str("expected a normal fixed or mixed 29-bit address for this operation")
            }
            Self::FixedId { id } => write!(
                f,
                "id {id} does not fit the address format, expected 29 bits with 0xDA or 0xDB (normal \
                 fixed), 0xCE or 0xCD (mixed 29) in bits 16 to 25, functional only in functional halves"
            ),
            Self::FunctionalFormat => f.write_str(
                "this functional id does not fit the address format, expected an id alone with normal \
                 and mixed 11 addresses (with_functional_tx, _rx), an id and an N_TA with extended ones \
                 (with_functional_tx_to, _rx_to), a group with normal fixed and mixed 29 ones \
                 (with_functional_target, _group)",
            ),
        }
    }
}

impl core::error::Error for AddressError {}

/// A configuration that makes no sense: the field, the rule, and what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// `transmit.tx_dl` is not a frame length of this frame kind (`TXF-01`).
    TxDl {
        /// The value that came.
        tx_dl: u8,
        /// Whether the link is CAN FD.
        fd: bool,
    },
    /// `transmit.in_flight` is 0.
    InFlight,
    /// A reserved STmin code (`PCI-23`).
    ReservedStMin {
        /// The value that came.
        code: u8,
    },
    /// An STmin above 127 ms.
    StMinTooLong {
        /// The value that came.
        #[cfg_attr(feature = "defmt", defmt(Debug2Format))]
        value: Duration,
    },
    /// A timer of zero, or of an hour or more.
    Timer {
        /// Which field of `timing`.
        field: &'static str,
        /// The value that came.
        #[cfg_attr(feature = "defmt", defmt(Debug2Format))]
        value: Duration,
    },
    /// `receive.listen_only` is unset, and an observer only listens (`FC-11`).
    NotListening,
    /// The spare memory is too small for this frame kind.
    Spare {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TxDl { tx_dl, fd: true } => write!(
                f,
                "transmit.tx_dl is {tx_dl}, expected 8, 12, 16, 20, 24, 32, 48 or 64 on CAN FD"
            ),
            Self::TxDl { tx_dl, fd: false } => {
                write!(
                    f,
                    "transmit.tx_dl is {tx_dl}, expected 8 on CAN CC; use FrameKind::Fd for more"
                )
            }
            Self::InFlight => f.write_str("transmit.in_flight is 0, expected 1 to 255"),
            Self::ReservedStMin { code } => write!(
                f,
                "st_min 0x{code:02X} is reserved, expected 0x00 to 0x7F (ms) or 0xF1 to 0xF9 (100 us)"
            ),
            Self::StMinTooLong { value } => {
                write!(f, "st_min of {value:?}, expected at most 127 ms")
            }
            Self::Timer { field, value } => {
                write!(
                    f,
                    "timing.{field} is {value:?}, expected more than zero and less than an hour"
                )
            }
            Self::NotListening => f.write_str(
                "receive.listen_only is unset, expected it set: an observer only listens; \
                 Config::listening() does that",
            ),
            Self::Spare { needed, given } => write!(
                f,
                "the spare memory has {given} bytes, expected at least {needed} for this frame kind"
            ),
        }
    }
}

impl core::error::Error for ConfigError {}

/// Why a message was not accepted for sending. The transfer that runs is untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// The payload has no byte (`TXF-09`).
    Empty,
    /// A functional message must fit a single frame (`ADR-04`), a prepared one its memory, any other
    /// the 32-bit length of a first frame.
    TooLong {
        /// Bytes in the payload.
        size: u64,
        /// The most that fit.
        max: u32,
    },
    /// A message is being sent, or the outcome of the last was not polled (`SVC-02`).
    Busy,
    /// Half duplex, and a message is being received (`UNX-04`).
    Receiving,
    /// The address has no functional tx id (`ADR-04`).
    NoFunctionalId,
    /// The link only listens (`FC-11`).
    ListenOnly,
    /// The router has no such link any more.
    NoLink,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the payload is empty, expected at least one byte"),
            Self::TooLong { size, max } => {
                write!(
                    f,
                    "the payload has {size} bytes, expected at most {max} here"
                )
            }
            Self::Busy => f.write_str("a message is being sent; wait for its confirmation"),
            Self::Receiving => {
                f.write_str("half duplex: a message is being received; wait for its end")
            }
            Self::NoFunctionalId => {
                f.write_str("the address has no functional tx id; add one to the address")
            }
            Self::ListenOnly => f.write_str("the link only listens; unset receive.listen_only"),
            Self::NoLink => f.write_str("the link was removed from its router"),
        }
    }
}

impl core::error::Error for SendError {}

/// A refused payload, given back with the reason.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<P> {
    /// Why.
    pub error: SendError,
    /// The payload, unchanged.
    pub payload: P,
}

impl<P> fmt::Debug for Refused<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<P> fmt::Display for Refused<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<P> core::error::Error for Refused<P> {}

/// Why N_ChangeParameter was not done (`SVC-07`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ChangeError {
    /// `N_RX_ON`: a reception is in progress.
    Receiving,
    /// `N_WRONG_PARAMETER`: there is no such parameter.
    WrongParameter,
    /// `N_WRONG_VALUE`: the value is out of range or reserved.
    WrongValue {
        /// The value that came.
        value: u32,
    },
}

impl ChangeError {
    /// The name in the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receiving => "N_RX_ON",
            Self::WrongParameter => "N_WRONG_PARAMETER",
            Self::WrongValue { .. } => "N_WRONG_VALUE",
        }
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Receiving => f.write_str(": a message is being received; try again after it"),
            Self::WrongParameter => f.write_str(": expected BS or STMIN"),
            Self::WrongValue { value } => {
                write!(
                    f,
                    ": 0x{value:X}, expected at most 0xFF and no reserved STmin code"
                )
            }
        }
    }
}

impl core::error::Error for ChangeError {}

#[cfg(test)]
mod tests;
