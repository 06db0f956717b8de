//! The N_PDU codec: what the bytes of one frame say, and the bytes that say it (requirements 1.1, 1.2).
//!
//! Stateless. Whether a frame is awaited is the business of the sender and the receiver.

use crate::address::Half;
use crate::config::{Config, RxPadding, StMin};
use crate::error::Ignored;
use crate::frame::{Frame, is_full_length, next_length};

/// The content of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Pdu<'a> {
    /// A whole message.
    SingleFrame {
        /// The message, without padding.
        data: &'a [u8],
    },
    /// The beginning of a segmented message.
    FirstFrame {
        /// FF_DL: bytes in the whole message.
        size: u32,
        /// The first bytes of it.
        data: &'a [u8],
    },
    /// A further part of a segmented message.
    ConsecutiveFrame {
        /// SN, 0 to 15.
        sequence_number: u8,
        /// Message bytes, and padding in the last frame.
        data: &'a [u8],
    },
    /// The receiver's answer.
    FlowControl(FlowControl),
}

/// A flow control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FlowControl {
    /// FS.
    pub status: FlowStatus,
    /// BS: consecutive frames until the next flow control; 0: all that remain.
    pub block_size: u8,
    /// STmin; a reserved code reads as 127 ms (`PCI-22`).
    pub st_min: StMin,
}

/// FS, the flow status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FlowStatus {
    /// CTS: go on.
    ContinueToSend,
    /// WAIT: not yet.
    Wait,
    /// OVFLW: the message is too long.
    Overflow,
    /// 3 to 15.
    Reserved(u8),
}

/// How strictly a received frame is read (requirements, Part 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reading {
    /// Which CAN_DL a single frame of up to 8 bytes may have.
    pub padding: RxPadding,
    /// Accept an FD single frame in a longer frame than it needs.
    pub lenient_length: bool,
}

impl Reading {
    pub(crate) const fn of(config: &Config) -> Self {
        Self {
            padding: config.receive.padding,
            lenient_length: config.receive.lenient_length,
        }
    }
}

impl<'a> Pdu<'a> {
    /// Reads the data field of a frame whose first `prefix_len` bytes (0 or 1) are the address.
    ///
    /// O(1), copies nothing.
    ///
    /// # Errors
    /// Why the frame must be ignored.
    ///
    /// ```
    /// use isotp_core::pdu::{Pdu, Reading};
    /// let pdu = Pdu::decode(&[0x02, 0x10, 0x03, 0xCC], 0, Reading::default());
    /// assert_eq!(pdu, Ok(Pdu::SingleFrame { data: &[0x10, 0x03] }));
    /// ```
    #[inline]
    pub fn decode(frame: &'a [u8], prefix_len: usize, reading: Reading) -> Result<Self, Ignored> {
        let content = frame.get(prefix_len..).ok_or(Ignored::Length)?;
        let (&pci, data) = content.split_first().ok_or(Ignored::Length)?;
        match pci >> 4 {
            CONSECUTIVE => Ok(Self::ConsecutiveFrame {
                sequence_number: pci & 0xF,
                data,
            }),
            SINGLE => decode_single(pci & 0xF, data, frame.len(), reading),
            FIRST => decode_first(pci & 0xF, data, frame.len(), prefix_len),
            FLOW_CONTROL => decode_flow_control(pci & 0xF, data),
            _ => Err(Ignored::ReservedPci),
        }
    }

    /// Writes this N_PDU into `frame`, with the id and the address byte of `half` and the frame kind,
    /// length and padding of `config` (`TXF-02` to `TXF-08`).
    ///
    /// Data that does not fit the frame is cut off: give a part that does, see [`single_capacity`],
    /// [`first_capacity`] and [`consecutive_capacity`].
    pub fn encode(&self, half: Half, config: &Config, frame: &mut Frame) {
        let (start, data): (usize, &[u8]) = match *self {
            Self::SingleFrame { data } => (single_header(frame, half, data.len()), data),
            Self::FirstFrame { size, data } => (first_header(frame, half, size), data),
            Self::ConsecutiveFrame {
                sequence_number,
                data,
            } => (consecutive_header(frame, half, sequence_number), data),
            Self::FlowControl(flow) => {
                flow_control(frame, half, config, flow);
                return;
            }
        };
        let len = frame
            .data
            .get_mut(start..)
            .map_or(0, |room| copy(room, data));
        finish(frame, half, config, start + len);
    }
}

fn decode_single(
    low: u8,
    data: &[u8],
    can_dl: usize,
    reading: Reading,
) -> Result<Pdu<'_>, Ignored> {
    let (len, data) = match data {
        _ if can_dl <= 8 => (low, data),
        [len, data @ ..] if low == 0 => (*len, data),
        _ => return Err(Ignored::SingleFrame),
    };
    let len = usize::from(len);
    let content = can_dl - data.len() + len;
    let fits = if can_dl > 8 {
        // PCI-07: a frame of this length must be needed, by the escape form and not by the short one
        reading.lenient_length || (content > 9 && next_length(content) == can_dl)
    } else {
        match reading.padding {
            RxPadding::Any => true,
            RxPadding::Padded => can_dl == 8,
            RxPadding::Exact => can_dl == content,
        }
    };
    match data.get(..len) {
        Some(data) if len > 0 && fits => Ok(Pdu::SingleFrame { data }),
        _ => Err(Ignored::SingleFrame),
    }
}

fn decode_first(
    low: u8,
    data: &[u8],
    can_dl: usize,
    prefix_len: usize,
) -> Result<Pdu<'_>, Ignored> {
    if !is_full_length(can_dl) {
        return Err(Ignored::FirstFrame);
    }
    let (&next, data) = data.split_first().ok_or(Ignored::FirstFrame)?;
    let short = u32::from(u16::from_be_bytes([low, next]));
    let (size, data) = if short != 0 {
        (short, data)
    } else {
        let (bytes, data) = data.split_first_chunk::<4>().ok_or(Ignored::FirstFrame)?;
        let size = u32::from_be_bytes(*bytes);
        if size <= MAX_SHORT_FF_DL {
            return Err(Ignored::FirstFrame);
        }
        (size, data)
    };
    // PCI-14: one more than the largest single frame of this length
    let min = if can_dl == 8 {
        8 - prefix_len
    } else {
        can_dl - 1 - prefix_len
    };
    if size < min as u32 {
        return Err(Ignored::FirstFrame);
    }
    Ok(Pdu::FirstFrame { size, data })
}

fn decode_flow_control(low: u8, data: &[u8]) -> Result<Pdu<'_>, Ignored> {
    let [block_size, st_min, ..] = *data else {
        return Err(Ignored::FlowControl);
    };
    let status = match low {
        0 => FlowStatus::ContinueToSend,
        1 => FlowStatus::Wait,
        2 => FlowStatus::Overflow,
        reserved => FlowStatus::Reserved(reserved),
    };
    Ok(Pdu::FlowControl(FlowControl {
        status,
        block_size,
        st_min: StMin::from_wire(st_min),
    }))
}

/// The most bytes that a single frame carries (`TXF-02`).
#[must_use]
pub const fn single_capacity(tx_dl: usize, prefix_len: usize) -> usize {
    let header = if tx_dl <= 8 { 1 } else { 2 };
    tx_dl.saturating_sub(prefix_len.saturating_add(header))
}

/// The bytes that the first frame of a message of `size` bytes carries (`TXF-04`).
#[must_use]
pub const fn first_capacity(tx_dl: usize, prefix_len: usize, size: u32) -> usize {
    let header = if size <= MAX_SHORT_FF_DL { 2 } else { 6 };
    tx_dl.saturating_sub(prefix_len.saturating_add(header))
}

/// The bytes that each consecutive frame but the last carries (`TXF-04`).
#[must_use]
pub const fn consecutive_capacity(tx_dl: usize, prefix_len: usize) -> usize {
    tx_dl.saturating_sub(prefix_len.saturating_add(1))
}

/// Writes address byte and PCI of a single frame; returns where its data begins.
pub(crate) fn single_header(frame: &mut Frame, half: Half, len: usize) -> usize {
    if len + half.prefix_len() <= 7 {
        header(frame, half, [pci(SINGLE, len as u8), 0, 0, 0], 1)
    } else {
        header(frame, half, [pci(SINGLE, 0), len as u8, 0, 0], 2)
    }
}

/// Writes address byte and PCI of a first frame (`PCI-09`, `PCI-10`).
pub(crate) fn first_header(frame: &mut Frame, half: Half, size: u32) -> usize {
    let [.., high, low] = size.to_be_bytes();
    if size <= MAX_SHORT_FF_DL {
        return header(frame, half, [pci(FIRST, high), low, 0, 0], 2);
    }
    let start = header(frame, half, [pci(FIRST, 0), 0, 0, 0], 2);
    if let Some(room) = frame.data.get_mut(start..start + 4) {
        room.copy_from_slice(&size.to_be_bytes());
    }
    start + 4
}

/// Writes address byte and PCI of a consecutive frame.
pub(crate) fn consecutive_header(frame: &mut Frame, half: Half, sequence_number: u8) -> usize {
    let pci = pci(CONSECUTIVE, sequence_number & 0xF);
    header(frame, half, [pci, 0, 0, 0], 1)
}

/// Writes a whole consecutive frame of 8 bytes without address byte. `chunk` ends with its data; what
/// stands in the place of the PCI is overwritten.
#[inline]
pub(crate) fn full_consecutive(
    frame: &mut Frame,
    half: Half,
    config: &Config,
    sequence_number: u8,
    chunk: [u8; 8],
) {
    let pci = u64::from(pci(CONSECUTIVE, sequence_number));
    let word = u64::from_le_bytes(chunk) & !0xFF | pci;
    if let Some(room) = frame.data.first_chunk_mut::<8>() {
        *room = word.to_le_bytes();
    }
    frame.id = half.id();
    frame.kind = config.kind;
    frame.len = 8;
}

/// Writes a whole flow control.
pub(crate) fn flow_control(frame: &mut Frame, half: Half, config: &Config, flow: FlowControl) {
    let status = match flow.status {
        FlowStatus::ContinueToSend => 0,
        FlowStatus::Wait => 1,
        FlowStatus::Overflow => 2,
        FlowStatus::Reserved(status) => status & 0xF,
    };
    let pci = pci(FLOW_CONTROL, status);
    let len = header(
        frame,
        half,
        [pci, flow.block_size, flow.st_min.code(), 0],
        3,
    );
    finish(frame, half, config, len);
}

/// Sets id, kind, length and padding of a frame with `len` bytes of content (`TXF-05`, `TXF-06`).
pub(crate) fn finish(frame: &mut Frame, half: Half, config: &Config, len: usize) {
    frame.id = half.id();
    frame.kind = config.kind;
    let least = if config.transmit.pad_to_8 { 8 } else { 0 };
    let can_dl = next_length(len.max(least));
    // with the condition in the loop it does not become a call of memset, which is larger than this
    if len != can_dl {
        for (at, byte) in frame.data.iter_mut().enumerate().take(can_dl) {
            if at >= len {
                *byte = config.transmit.pad_byte;
            }
        }
    }
    frame.len = can_dl as u8;
}

/// Writes the address byte, if there is one, and `len` bytes of `pci`; returns the bytes written. What
/// else is in `pci` is overwritten by data or padding, or left out.
fn header(frame: &mut Frame, half: Half, pci: [u8; 4], len: usize) -> usize {
    let start = half.prefix_len();
    let room = if start == 0 {
        frame.data.first_chunk_mut()
    } else {
        let [first, rest @ ..] = &mut frame.data;
        *first = half.byte;
        rest.first_chunk_mut()
    };
    if let Some(room) = room {
        *room = pci;
    }
    start + len
}

/// Copies as much of `from` as fits `to`; returns how much that was.
pub(crate) fn copy(to: &mut [u8], from: &[u8]) -> usize {
    let len = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
        to.copy_from_slice(from);
    }
    len
}

/// The N_PCI byte: the type of the N_PDU, and four bits that belong to it.
#[inline]
pub(crate) const fn pci(kind: u8, low: u8) -> u8 {
    kind << 4 | low
}

const SINGLE: u8 = 0;
const FIRST: u8 = 1;
pub(crate) const CONSECUTIVE: u8 = 2;
const FLOW_CONTROL: u8 = 3;

/// The longest message whose first frame has the 12-bit length.
const MAX_SHORT_FF_DL: u32 = 4095;

#[cfg(test)]
mod tests;
