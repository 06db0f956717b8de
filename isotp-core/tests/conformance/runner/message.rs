//! The consecutive frames that `txcf` and `rxcf` stand for, built from the requirements alone.

use isotp_core::{FrameKind, Id};

use super::data::counting;
use super::frame::Received;
use super::profile::Profile;

/// One direction's message N(len).
pub(crate) struct Message {
    id: Id,
    kind: FrameKind,
    byte: Option<u8>,
    len: u32,
    /// TX_DL of whoever sends it.
    dl: usize,
    pad_to_8: bool,
    pad_byte: u8,
}

impl Message {
    /// Sent by the link under test.
    pub(crate) fn sent(profile: &Profile, len: u32) -> Self {
        let transmit = &profile.config.transmit;
        Self {
            id: profile.ids.tx,
            kind: profile.config.kind,
            byte: profile.ids.tx_byte,
            len,
            dl: usize::from(transmit.tx_dl),
            pad_to_8: transmit.pad_to_8,
            pad_byte: transmit.pad_byte,
        }
    }

    /// Received by it, in frames of up to `dl` bytes.
    pub(crate) fn received(profile: &Profile, len: u32, dl: usize) -> Result<Self, String> {
        if !LENGTHS.contains(&dl) {
            return Err(format!("dl{dl} is no frame length"));
        }
        Ok(Self {
            id: profile.ids.rx,
            byte: profile.ids.rx_byte,
            dl,
            ..Self::sent(profile, len)
        })
    }

    /// The consecutive frames number `from` to `to`, of which the first is 1.
    pub(crate) fn frames(&self, from: u32, to: u32) -> Result<Vec<Received>, String> {
        if from == 0 || from > to {
            return Err(format!("consecutive frames {from}-{to}"));
        }
        (from..=to).map(|number| self.frame(number)).collect()
    }

    fn frame(&self, number: u32) -> Result<Received, String> {
        let header = 1 + usize::from(self.byte.is_some());
        let carried = self.dl - header;
        let first = self.dl - header - if self.len > 4095 { 5 } else { 1 };
        let begin = first + carried * (number as usize - 1);
        let len = self.len as usize;
        if begin >= len {
            return Err(format!("a message of {len} bytes has no frame {number}"));
        }
        let mut data: Vec<u8> = self.byte.into_iter().collect();
        data.push(0x20 | (number % 16) as u8);
        data.extend(counting(begin..len.min(begin + carried)));
        let at_least = if self.pad_to_8 { 8 } else { 0 };
        let wanted = data.len().max(at_least);
        let full = LENGTHS.into_iter().find(|dl| *dl >= wanted).unwrap_or(64);
        data.resize(if wanted > 8 { full } else { wanted }, self.pad_byte);
        Ok(Received::Data {
            id: self.id,
            kind: self.kind,
            data,
        })
    }
}

const LENGTHS: [usize; 8] = [8, 12, 16, 20, 24, 32, 48, 64];
