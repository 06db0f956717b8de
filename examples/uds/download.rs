//! A download into the memory of the ECU: 34, 36 for each block, 37.

use sha2::{Digest, Sha256};
use uds_protocol::NegativeResponseCode as Nrc;
use uds_protocol::{RequestDownloadRequest, TransferDataRequest};

/// The longest message of a download, with service and counter.
pub(super) const BLOCK: u16 = 2 + 1024;
const LARGEST: u64 = 1 << 20;

pub(super) struct Download {
    size: u64,
    image: Vec<u8>,
    /// The counter of the next block.
    next: u8,
}

impl Download {
    pub(super) fn begin(request: &RequestDownloadRequest) -> Result<Self, Nrc> {
        let size = request.memory_size();
        if !(1..=LARGEST).contains(&size) {
            return Err(Nrc::RequestOutOfRange);
        }
        Ok(Self {
            size,
            image: Vec::new(),
            next: 1,
        })
    }

    /// Takes the next block, and the last one once more: its answer may have been lost.
    pub(super) fn take(&mut self, block: &TransferDataRequest<'_>) -> Result<(), Nrc> {
        let again =
            !self.image.is_empty() && block.block_sequence_counter == self.next.wrapping_sub(1);
        if again {
            return Ok(());
        }
        if block.block_sequence_counter != self.next {
            return Err(Nrc::WrongBlockSequenceCounter);
        }
        if self.image.len() as u64 + block.data.len() as u64 > self.size {
            return Err(Nrc::TransferDataSuspended);
        }
        self.image.extend_from_slice(block.data);
        self.next = self.next.wrapping_add(1);
        Ok(())
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.image.len() as u64 == self.size
    }

    /// What the tester compares.
    pub(super) fn sum(&self) -> Vec<u8> {
        Sha256::digest(&self.image).to_vec()
    }
}
