//! Frames without effect.

use core::fmt;

/// Why a frame that matched the address had no effect (`SVC-06`). For diagnosis only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Ignored {
    /// A CC frame on an FD link or the reverse (`ADR-07`).
    FrameKind,
    /// Too short to hold a PCI, or longer than any frame (`PCI-02`).
    Length,
    /// A PCI type of 4 to 15 (`PCI-01`).
    ReservedPci,
    /// A single frame whose length is zero, too long, or not right for its CAN_DL (`PCI-04` to `PCI-08`).
    SingleFrame,
    /// A first frame with a wrong CAN_DL or length (`PCI-11`, `PCI-12`, `PCI-14`).
    FirstFrame,
    /// A consecutive frame with a wrong CAN_DL (`PCI-16`, `PCI-17`).
    ConsecutiveFrame,
    /// A flow control of less than three bytes (`PCI-20`).
    FlowControl,
    /// A consecutive frame that nobody waits for.
    UnexpectedConsecutiveFrame,
    /// A flow control that nobody waits for (`FC-03`).
    UnexpectedFlowControl,
    /// Half duplex, and the other direction is busy.
    HalfDuplex,
    /// A functional frame that is no single frame (`ADR-04`).
    Functional,
    /// A single frame longer than the buffer (`RXE-06`).
    TooLong,
    /// A first frame longer than the buffer, answered with FC.OVFLW unless the link only listens (`FC-08`).
    Overflow,
    /// No room: the message before was not taken yet. Also reported as [`Event::Dropped`](crate::Event::Dropped).
    NoRoom,
    /// Another source, while a message from one source is being received.
    OtherSource,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FrameKind => "frame kind (CC or FD) differs from the link's",
            Self::Length => "frame length holds no N_PDU",
            Self::ReservedPci => "reserved PCI type",
            Self::SingleFrame => "single frame with a wrong length",
            Self::FirstFrame => "first frame with a wrong length",
            Self::ConsecutiveFrame => "consecutive frame with a wrong length",
            Self::FlowControl => "flow control too short",
            Self::UnexpectedConsecutiveFrame => "consecutive frame that nobody waits for",
            Self::UnexpectedFlowControl => "flow control that nobody waits for",
            Self::HalfDuplex => "half duplex, and the other direction is busy",
            Self::Functional => "functional frame that is no single frame",
            Self::TooLong => "single frame longer than the receive buffer",
            Self::Overflow => "first frame longer than the receive buffer",
            Self::NoRoom => "the message before was not taken yet",
            Self::OtherSource => "another source, in the middle of a message",
        })
    }
}
