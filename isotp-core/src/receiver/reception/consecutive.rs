//! Consecutive frames: which are awaited, and what they do to the reception.

use super::{Phase, Reception};
use crate::channels::{Channel, Channels};
use crate::config::{Config, RxPadding};
use crate::error::{Ignored, NResult};
use crate::pdu::{self, CONSECUTIVE};

/// Where the next consecutive frame stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Bytes that each consecutive frame but the last carries.
    pub(super) frame: u8,
    /// Consecutive frames since the flow control; while the buffer is not ready, FC.WAIT in a row.
    pub(super) count: u8,
    /// SN of the next one.
    pub(super) sequence_number: u8,
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
        let len = full.min((self.size - self.filled) as usize);
        if data_len < len
            || data_len > full
            || !fits_policy(config.receive.padding, can_dl, data_len - len)
        {
            return Err(Ignored::ConsecutiveFrame);
        }
        let expected = self.block.sequence_number;
        if sequence_number != expected {
            let wrong = NResult::WrongSn {
                expected,
                received: sequence_number,
            };
            if early {
                self.result = wrong;
            } else {
                self.fail(wrong);
            }
            return Ok(None);
        }
        Ok(Some(Accepted {
            offset: self.filled,
            len: len as u8,
        }))
    }

    /// Whether this is the frame that mostly comes: a consecutive frame of 8 bytes without address byte,
    /// neither the last of the message nor of a block, with this PCI.
    #[inline]
    pub(crate) fn awaits_usual(&self, pci: u8) -> bool {
        self.phase == Phase::Receiving
            && pci == pdu::pci(CONSECUTIVE, self.block.sequence_number)
            && self.block.frame == 7
            && self.size - self.filled > 7
            && self.block.count.wrapping_add(1) != self.offer.block_size
    }

    /// The bytes of that frame are in the buffer.
    #[inline]
    pub(crate) const fn took_usual(&mut self, channels: &mut Channels) {
        self.count_frame(7);
        channels.start(Channel::FlowControl);
    }

    /// The bytes of an accepted consecutive frame are in the buffer. `true` if a flow control is owed.
    pub(crate) fn took(&mut self, channels: &mut Channels, config: &Config, len: u8) -> bool {
        self.count_frame(len);
        self.phase == Phase::Receiving && self.settle(channels, config)
    }

    #[inline]
    const fn count_frame(&mut self, len: u8) {
        self.filled += len as u32;
        self.block.sequence_number = (self.block.sequence_number + 1) & 0xF;
        self.block.count = self.block.count.wrapping_add(1);
    }

    /// The consecutive frames that are here have effect now. `true` if a flow control is owed.
    pub(super) fn settle(&mut self, channels: &mut Channels, config: &Config) -> bool {
        channels.start(Channel::FlowControl);
        if self.is_doomed() {
            self.fail(self.result);
        } else if self.filled == self.size {
            self.phase = Phase::Complete;
            self.news = true;
        } else if self.is_block_done(config) {
            self.phase = Phase::NotReady;
            self.block.count = 0;
            return true;
        }
        false
    }

    /// Whether no further consecutive frame is awaited before the next flow control.
    pub(super) fn is_block_done(&self, config: &Config) -> bool {
        self.filled == self.size
            || self.is_doomed()
            || (self.offer.block_size != 0
                && self.block.count == self.offer.block_size
                && !config.receive.listen_only)
    }
}

/// `PCI-08`: whether the last consecutive frame may have so much behind its data. The others have nothing
/// there, and at least 8 bytes.
const fn fits_policy(padding: RxPadding, can_dl: usize, surplus: usize) -> bool {
    match padding {
        RxPadding::Any => true,
        RxPadding::Padded => can_dl >= 8,
        RxPadding::Exact => can_dl > 8 || surplus == 0,
    }
}
