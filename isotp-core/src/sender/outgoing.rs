//! A payload on its way into frames.

use super::transfer::{Next, Transfer};
use crate::address::Half;
use crate::channels::Channels;
use crate::config::Config;
use crate::frame::Frame;
use crate::payload::{Payload, fill};
use crate::pdu;

/// What is sent, and how far it is. The clock is its owner's.
#[derive(Debug)]
pub(crate) struct Outgoing<P> {
    pub(crate) transfer: Transfer,
    pub(crate) payload: Option<P>,
}

impl<P: Payload> Outgoing<P> {
    pub(crate) const fn new() -> Self {
        Self {
            transfer: Transfer::new(),
            payload: None,
        }
    }

    /// Begins to send the payload that is already here.
    pub(crate) fn begin(
        &mut self,
        channels: &mut Channels,
        half: Half,
        config: &Config,
        size: u32,
    ) {
        let tx_dl = usize::from(config.transmit.tx_dl);
        let single = pdu::single_capacity(tx_dl, half.prefix_len()) as u32;
        self.transfer.begin(channels, size, size > single);
    }

    pub(crate) fn take_payload(&mut self) -> Option<P> {
        if self.transfer.is_busy() {
            None
        } else {
            self.payload.take()
        }
    }

    /// Writes the frame that mostly goes, with few looks: a full consecutive frame of 8 bytes, from a
    /// payload that lies in memory. `false` if it is another one. `half` has no address byte.
    #[inline(always)]
    pub(crate) fn write_usual(&self, half: Half, config: &Config, frame: &mut Frame) -> bool {
        if config.transmit.tx_dl != 8 || !self.transfer.awaits_usual() {
            return false;
        }
        // one load, one store: eight bytes of the message, the first of them overwritten by the PCI
        let begin = (self.transfer.sent() as usize).checked_sub(1);
        let bytes = self.payload.as_ref().and_then(P::contiguous).zip(begin);
        let bytes = bytes.and_then(|(bytes, begin)| bytes.get(begin..)?.first_chunk::<8>());
        let Some(chunk) = bytes else { return false };
        pdu::full_consecutive(frame, half, config, self.transfer.sequence_number(), *chunk);
        true
    }

    /// Writes the next data frame; says how many payload bytes it holds.
    pub(crate) fn write_next(
        &mut self,
        channels: &mut Channels,
        half: Half,
        config: &Config,
        frame: &mut Frame,
    ) -> Option<u8> {
        self.transfer.end_gap(channels);
        let payload = self.payload.as_mut()?;
        let tx_dl = usize::from(config.transmit.tx_dl);
        let (size, sent) = (self.transfer.size(), self.transfer.sent());
        let (start, room) = match self.transfer.next()? {
            Next::Single => (pdu::single_header(frame, half, size as usize), tx_dl),
            Next::First => (
                pdu::first_header(frame, half, size),
                pdu::first_capacity(tx_dl, half.prefix_len(), size),
            ),
            Next::Consecutive => (
                pdu::consecutive_header(frame, half, self.transfer.sequence_number()),
                pdu::consecutive_capacity(tx_dl, half.prefix_len()),
            ),
        };
        let len = room.min((size - sent) as usize);
        let data = start..start + len;
        let filled = fill(payload, sent, frame, half, config, data);
        self.transfer.set_starved(channels, !filled);
        if !filled {
            return None;
        }
        Some(len as u8)
    }
}

/// Bytes in the frame that mostly goes.
pub(crate) const USUAL_LEN: u8 = 7;
