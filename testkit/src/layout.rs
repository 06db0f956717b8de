//! How messages become frames, and how pieces of several can look like one.

use crate::setup::Setup;
use crate::{Verdict, ensure};

/// How one side lays messages out in frames.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    tx_dl: usize,
    prefix: usize,
}

impl Layout {
    /// That of a side.
    #[must_use]
    pub fn of(setup: &Setup, side: usize) -> Self {
        let address = setup.address(side);
        Self {
            tx_dl: usize::from(setup.config(side).transmit.tx_dl),
            prefix: usize::from(address.tx().byte().is_some()),
        }
    }

    /// Bytes in the first frame of a message of `len`.
    #[must_use]
    pub const fn first(&self, len: usize) -> usize {
        self.tx_dl - self.prefix - if len > 4095 { 6 } else { 2 }
    }

    /// Bytes in each consecutive frame but the last.
    #[must_use]
    pub const fn consecutive(&self) -> usize {
        self.tx_dl - self.prefix - 1
    }

    /// Whether ISO-TP cannot see that `message` is none of those that were `sent`. A mix-up is possible where pieces have the same sequence number: consecutive frame `n` of any
    /// message in the place of `i`, if 16 divides their difference.
    ///
    /// # Errors
    /// What shows that it is something else.
    pub fn explain(&self, message: &[u8], sent: &[&[u8]]) -> Verdict {
        let first = self.first(message.len());
        ensure!(
            message.len() > first,
            "a message of {} bytes that nobody sent",
            message.len()
        );
        let (head, rest) = message.split_at(first);
        let begins = |sent: &&&[u8]| sent.len() == message.len() && sent.starts_with(head);
        ensure!(
            sent.iter().any(|sent| begins(&sent)),
            "a first frame that nobody sent"
        );
        let each = self.consecutive();
        for (index, piece) in rest.chunks(each).enumerate() {
            let known = sent.iter().any(|sent| {
                let pieces = sent
                    .get(self.first(sent.len())..)
                    .unwrap_or_default()
                    .chunks(each);
                pieces
                    .enumerate()
                    .any(|(at, of)| at % 16 == index % 16 && may_be(of, piece))
            });
            ensure!(
                known,
                "consecutive frame {} is none of those with its number",
                index + 1
            );
        }
        Ok(())
    }
}

/// Whether a receiver may take `piece` out of the frame that carries `of`, which ends in padding.
fn may_be(of: &[u8], piece: &[u8]) -> bool {
    let (data, padding) = piece.split_at(of.len().min(piece.len()));
    of.starts_with(data) && padding.iter().all(|byte| *byte == PADDING)
}

/// What [`Config`](isotp_core::Config) pads with.
const PADDING: u8 = 0xCC;
