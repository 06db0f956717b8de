//! The reference: a codec, a receiver and a sender, written straight from the requirements, slow and plain.
//!
//! They keep whole messages in a `Vec` and look at one frame at a time.

mod receiver;
mod sender;

pub use receiver::{Memory, Receiving, Said, Terms};
pub use sender::{Sending, frame_of};

use isotp_core::pdu::{FlowControl, FlowStatus, Pdu, Reading};
use isotp_core::{RxPadding, StMin};

/// Reads the data field of a frame; `None` for what is no `N_PDU` (requirements 1.1).
#[must_use]
pub fn decode(frame: &[u8], x: usize, reading: Reading) -> Option<Pdu<'_>> {
    let pci = *frame.get(x)?;
    let low = pci & 0xF;
    match pci >> 4 {
        0 if frame.len() <= 8 => short_single(frame, x, usize::from(low), reading.padding),
        0 if low == 0 => escape_single(frame, x, reading.lenient_length),
        1 => first(frame, x),
        2 => Some(Pdu::ConsecutiveFrame {
            sequence_number: low,
            data: &frame[x + 1..],
        }),
        // PCI-19, PCI-20
        3 if frame.len() >= x + 3 => Some(Pdu::FlowControl(FlowControl {
            status: match low {
                0 => FlowStatus::ContinueToSend,
                1 => FlowStatus::Wait,
                2 => FlowStatus::Overflow,
                other => FlowStatus::Reserved(other),
            },
            block_size: frame[x + 1],
            st_min: StMin::from_wire(frame[x + 2]),
        })),
        _ => None,
    }
}

/// PCI-03, PCI-05, PCI-06, PCI-08.
fn short_single(frame: &[u8], x: usize, len: usize, padding: RxPadding) -> Option<Pdu<'_>> {
    let needed = x + 1 + len;
    let fits = len > 0 && needed <= frame.len() && allowed(padding, frame.len(), needed);
    fits.then(|| Pdu::SingleFrame {
        data: &frame[x + 1..needed],
    })
}

/// PCI-04 to PCI-07.
fn escape_single(frame: &[u8], x: usize, lenient: bool) -> Option<Pdu<'_>> {
    let len = usize::from(*frame.get(x + 1)?);
    let needed = x + 2 + len;
    if len == 0 || needed > frame.len() {
        return None;
    }
    let least = match frame.len() {
        12 => 10,
        16 => 13,
        20 => 17,
        24 => 21,
        32 => 25,
        48 => 33,
        64 => 49,
        _ => usize::MAX,
    };
    (lenient || needed >= least).then(|| Pdu::SingleFrame {
        data: &frame[x + 2..needed],
    })
}

/// PCI-09 to PCI-14.
fn first(frame: &[u8], x: usize) -> Option<Pdu<'_>> {
    let can_dl = frame.len();
    if ![8, 12, 16, 20, 24, 32, 48, 64].contains(&can_dl) {
        return None;
    }
    let short = u32::from(frame[x] & 0xF) << 8 | u32::from(frame[x + 1]);
    let (size, begin) = if short == 0 {
        let bytes = [frame[x + 2], frame[x + 3], frame[x + 4], frame[x + 5]];
        (u32::from_be_bytes(bytes), x + 6)
    } else {
        (short, x + 2)
    };
    let least = if can_dl == 8 { 8 - x } else { can_dl - 1 - x };
    if (short == 0 && size <= 4095) || (size as usize) < least {
        return None;
    }
    Some(Pdu::FirstFrame {
        size,
        data: &frame[begin..],
    })
}

/// PCI-08.
const fn allowed(padding: RxPadding, can_dl: usize, needed: usize) -> bool {
    match padding {
        RxPadding::Padded => can_dl >= 8,
        RxPadding::Exact => can_dl > 8 || can_dl == needed,
        _ => true,
    }
}
