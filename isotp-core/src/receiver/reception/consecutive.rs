//! Consecutive frames: which are awaited, and what they do to the reception.

use super::{Phase, Reception};
use crate::config::{Config, RxPadding};
use crate::error::{Ignored, NResult};
use crate::time::Instant;

/// Where the next consecutive frame stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Bytes that each consecutive frame but the last carries.
    pub(super) frame: u8,
    /// Consecutive frames since the flow control.
    pub(super) received: u8,
    /// SN of the next one.
    pub(super) sequence_number: u8,
    /// A wrong SN that came before the confirmation of the flow control.
    pub(super) wrong: Option<u8>,
}

/// What an accepted consecutive frame means.
pub(crate) struct Accepted {
    /// Where its bytes go in the message.
    pub(crate) offset: u32,
    /// How many they are; the rest is padding.
    pub(crate) len: u8,
}

impl Reception {
    /// Checks a consecutive frame: is it awaited, has it the right length, the right number?
    #[inline]
    pub(crate) fn accept(
        &mut self,
        config: &Config,
        sequence_number: u8,
        data_len: usize,
        can_dl: usize,
    ) -> Result<Option<Accepted>, Ignored> {
        let early = match self.phase {
            Phase::Receiving => false,
            Phase::SentContinue if !self.is_block_done(config) => true,
            _ => return Err(Ignored::UnexpectedConsecutiveFrame),
        };
        let full = usize::from(self.block.frame);
        let remaining = self.size - self.received;
        let len = if remaining as usize > full {
            if data_len != full {
                return Err(Ignored::ConsecutiveFrame);
            }
            full
        } else {
            let remaining = remaining as usize;
            if data_len < remaining
                || data_len > full
                || !fits_policy(config.receive.padding, can_dl, data_len - remaining)
            {
                return Err(Ignored::ConsecutiveFrame);
            }
            remaining
        };
        let expected = self.block.sequence_number;
        if sequence_number != expected {
            if early {
                self.block.wrong = Some(sequence_number);
            } else {
                self.fail(NResult::WrongSn {
                    expected,
                    received: sequence_number,
                });
            }
            return Ok(None);
        }
        Ok(Some(Accepted {
            offset: self.received,
            len: len as u8,
        }))
    }

    /// Whether this is the frame that mostly comes: a consecutive frame of 8 bytes without address byte,
    /// neither the last of the message nor of a block, with this PCI.
    #[inline]
    pub(crate) fn awaits_usual(&self, pci: u8) -> bool {
        self.phase == Phase::Receiving
            && pci == 0x20 | self.block.sequence_number
            && self.block.frame == 7
            && self.size - self.received > 7
            && self.block.received.wrapping_add(1) != self.offer.block_size
    }

    /// The bytes of that frame are in the buffer.
    #[inline]
    pub(crate) const fn took_usual(&mut self, now: Instant) {
        self.received += 7;
        self.block.sequence_number = (self.block.sequence_number + 1) & 0xF;
        self.block.received = self.block.received.wrapping_add(1);
        self.since = now;
    }

    /// The bytes of an accepted consecutive frame are in the buffer. `true` if a flow control is owed.
    #[inline]
    pub(crate) fn took(&mut self, now: Instant, config: &Config, len: u8) -> bool {
        self.received += u32::from(len);
        self.block.sequence_number = (self.block.sequence_number + 1) & 0xF;
        self.block.received = self.block.received.wrapping_add(1);
        if self.phase == Phase::Receiving {
            self.settle(now, config)
        } else {
            false
        }
    }

    /// The consecutive frames that are here have effect now. `true` if a flow control is owed.
    #[inline]
    pub(super) fn settle(&mut self, now: Instant, config: &Config) -> bool {
        if let Some(received) = self.block.wrong {
            let expected = self.block.sequence_number;
            self.fail(NResult::WrongSn { expected, received });
        } else if self.received == self.size {
            self.phase = Phase::Complete;
            self.news = true;
        } else if self.is_block_done(config) {
            self.not_ready(now);
            return true;
        } else {
            self.since = now;
        }
        false
    }

    /// Whether no further consecutive frame is awaited before the next flow control.
    #[inline]
    pub(super) fn is_block_done(&self, config: &Config) -> bool {
        self.received == self.size
            || self.block.wrong.is_some()
            || (self.offer.block_size != 0
                && self.block.received == self.offer.block_size
                && !config.receive.listen_only)
    }
}

/// `PCI-08`, for the last consecutive frame.
const fn fits_policy(padding: RxPadding, can_dl: usize, surplus: usize) -> bool {
    match padding {
        RxPadding::Any => true,
        RxPadding::Padded => can_dl >= 8,
        RxPadding::Exact => can_dl > 8 || surplus == 0,
    }
}
