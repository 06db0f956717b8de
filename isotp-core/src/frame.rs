//! CAN ids and frames, as far as ISO-TP sees them.

use core::fmt;

use crate::error::IdError;

/// A CAN identifier of 11 or 29 bits. Which of the two is part of the value, never guessed from it.
///
/// The order is the order of arbitration: the smaller id wins the bus.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "RawId", into = "RawId"))]
pub struct Id(u32);

impl Id {
    /// An 11-bit identifier.
    ///
    /// # Errors
    /// [`IdError`] for a value above 0x7FF.
    pub const fn standard(value: u16) -> Result<Self, IdError> {
        if value > 0x7FF {
            return Err(IdError {
                value: value as u32,
                extended: false,
            });
        }
        Ok(Self(value as u32))
    }

    /// A 29-bit identifier.
    ///
    /// # Errors
    /// [`IdError`] for a value above 0x1FFF_FFFF.
    pub const fn extended(value: u32) -> Result<Self, IdError> {
        if value > 0x1FFF_FFFF {
            return Err(IdError {
                value,
                extended: true,
            });
        }
        Ok(Self::from_29_bits(value))
    }

    /// The identifier's bits, without the mark of 29-bit ids.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0 & !EXTENDED
    }

    /// Whether this is a 29-bit identifier.
    #[must_use]
    pub const fn is_extended(self) -> bool {
        self.0 & EXTENDED != 0
    }

    /// A key whose order is that of arbitration on the wire: an 11-bit id wins over a 29-bit id
    /// with the same leading bits.
    #[must_use]
    pub const fn arbitration_key(self) -> u32 {
        if self.is_extended() {
            let value = self.value();
            ((value >> 18) << 20) | (1 << 19) | (value & 0x3_FFFF)
        } else {
            self.value() << 20
        }
    }

    /// A 29-bit identifier: the lower 29 bits of `value`.
    pub(crate) const fn from_29_bits(value: u32) -> Self {
        Self(value & 0x1FFF_FFFF | EXTENDED)
    }

    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.arbitration_key().cmp(&other.arbitration_key())
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Id {
    /// The candump way: three digits for 11 bits, eight for 29.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_extended() {
            write!(f, "{:08X}", self.value())
        } else {
            write!(f, "{:03X}", self.value())
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Id {
    #[allow(
        clippy::if_same_then_else,
        reason = "the format strings differ, which the expanded macro does not show"
    )]
    fn format(&self, f: defmt::Formatter<'_>) {
        let suffix = if self.is_extended() { "x" } else { "" };
        defmt::write!(f, "{=u32:X}{=str}", self.value(), suffix);
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Id", rename_all = "lowercase")]
enum RawId {
    Standard(u16),
    Extended(u32),
}

#[cfg(feature = "serde")]
impl From<Id> for RawId {
    fn from(id: Id) -> Self {
        if id.is_extended() {
            Self::Extended(id.value())
        } else {
            Self::Standard((id.value() & 0x7FF) as u16)
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<RawId> for Id {
    type Error = IdError;
    fn try_from(raw: RawId) -> Result<Self, IdError> {
        match raw {
            RawId::Standard(value) => Self::standard(value),
            RawId::Extended(value) => Self::extended(value),
        }
    }
}

/// What kind of CAN data frame. Remote and error frames carry no N_PDU and have no kind (`PCI-02`).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FrameKind {
    /// CAN CC ("classic"): up to 8 data bytes.
    Classic,
    /// CAN FD: up to 64 data bytes.
    Fd {
        /// The data phase runs at the higher bitrate. Copied into every sent frame, ignored on
        /// reception (`FD-01`).
        brs: bool,
    },
}

impl FrameKind {
    /// Whether this is an FD frame, whatever its bitrate switch.
    #[must_use]
    pub const fn is_fd(self) -> bool {
        matches!(self, Self::Fd { .. })
    }

    const fn code(self) -> u8 {
        match self {
            Self::Fd { brs } => brs as u8,
            Self::Classic => 2,
        }
    }

    /// The most data bytes that a frame of this kind carries.
    #[must_use]
    pub const fn max_len(self) -> usize {
        if self.is_fd() { 64 } else { 8 }
    }
}

// one comparison instead of the derived four: it is done for every frame
impl PartialEq for FrameKind {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.code() == other.code()
    }
}

impl Eq for FrameKind {}

impl core::hash::Hash for FrameKind {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.code().hash(state);
    }
}

/// A received frame, borrowed from wherever the driver keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FrameView<'a> {
    /// The CAN identifier.
    pub id: Id,
    /// CC or FD.
    pub kind: FrameKind,
    /// The data field; its length is CAN_DL.
    pub data: &'a [u8],
}

impl fmt::Display for FrameView<'_> {
    /// The candump way: `7E0#021003`, `7E0##1021003` for FD with bitrate switch.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#", self.id)?;
        if let FrameKind::Fd { brs } = self.kind {
            write!(f, "#{}", u8::from(brs))?;
        }
        self.data
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Room for one frame to be sent, which the caller keeps and uses again.
///
/// It is filled in place by [`Machine::poll_transmit`](crate::Machine::poll_transmit): moving it
/// would cost more than making it.
#[derive(Clone)]
pub struct Frame {
    pub(crate) id: Id,
    pub(crate) kind: FrameKind,
    pub(crate) len: u8,
    pub(crate) data: [u8; 64],
}

impl Frame {
    /// An empty classic frame with id 0.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            id: Id(0),
            kind: FrameKind::Classic,
            len: 0,
            data: [0; 64],
        }
    }

    /// The CAN identifier.
    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }

    /// CC or FD.
    #[must_use]
    pub const fn kind(&self) -> FrameKind {
        self.kind
    }

    /// The data field; its length is CAN_DL. In frames that a link makes, a DLC can name it.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data.get(..usize::from(self.len)).unwrap_or(&self.data)
    }

    /// The same, as a received frame is seen.
    #[must_use]
    pub fn view(&self) -> FrameView<'_> {
        FrameView {
            id: self.id,
            kind: self.kind,
            data: self.data(),
        }
    }

    /// Copies `view` into this frame; `false`, and no change, if it has more than 64 data bytes.
    pub fn copy_from(&mut self, view: FrameView<'_>) -> bool {
        let Some(data) = self.data.get_mut(..view.data.len()) else {
            return false;
        };
        data.copy_from_slice(view.data);
        self.id = view.id;
        self.kind = view.kind;
        self.len = view.data.len() as u8;
        true
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({})", self.view())
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Frame {
    fn format(&self, f: defmt::Formatter<'_>) {
        self.view().format(f);
    }
}

/// The data lengths that a CAN FD DLC can name, from 8 upward.
#[cfg(test)]
pub(crate) const FD_LENGTHS: [u8; 8] = [8, 12, 16, 20, 24, 32, 48, 64];

/// Whether a DLC names `len` and a First Frame may have it (`PCI-12`).
pub(crate) const fn is_full_length(len: usize) -> bool {
    matches!(len, 8 | 12 | 16 | 20 | 24 | 32 | 48 | 64)
}

/// The shortest CAN_DL that holds `len` bytes (`TXF-06`), for `len` up to 64.
pub(crate) const fn next_length(len: usize) -> usize {
    match len {
        0..=8 => len,
        9..=24 => len.next_multiple_of(4),
        25..=32 => 32,
        33..=48 => 48,
        _ => 64,
    }
}

const EXTENDED: u32 = 1 << 31;

#[cfg(test)]
mod tests;
