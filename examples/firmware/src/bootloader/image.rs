//! An image to be sent, made as it is needed, with its checksum in the last four bytes.

use isotp_core::Payload;

/// An image of `size` bytes that nobody has to keep.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    size: u32,
    seed: u32,
    checksum: u32,
}

impl Image {
    /// The image that `seed` makes. `size` is at least 4.
    #[must_use]
    pub fn new(size: u32, seed: u32) -> Self {
        let content = (0..size.saturating_sub(4)).map(|at| content(seed, at));
        Self {
            size,
            seed,
            checksum: crc_32(content),
        }
    }

    /// The byte at this offset.
    #[must_use]
    pub fn byte(&self, at: u32) -> u8 {
        match at.checked_sub(self.size.saturating_sub(4)) {
            None => content(self.seed, at),
            Some(index) => (self.checksum >> (8 * (index & 3))) as u8,
        }
    }
}

impl Payload for Image {
    fn size(&self) -> u32 {
        self.size
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let left = self.size.checked_sub(offset)? as usize;
        let bytes = out.iter_mut().take(left).zip(offset..);
        bytes.for_each(|(byte, at)| *byte = self.byte(at));
        Some(left.min(out.len()))
    }
}

/// Whether the last four bytes are the checksum of what is before them.
#[must_use]
pub fn checksum(image: &[u8]) -> bool {
    let Some((content, sum)) = image.split_last_chunk() else {
        return false;
    };
    crc_32(content.iter().copied()) == u32::from_le_bytes(*sum)
}

/// Different in every page, so that no page passes for another.
const fn content(seed: u32, at: u32) -> u8 {
    (at.wrapping_add(seed).wrapping_mul(0x9E37_79B1) >> 24) as u8
}

/// The CRC of Ethernet, a bit at a time: no table in flash.
fn crc_32(bytes: impl Iterator<Item = u8>) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_ethernet() {
        assert_eq!(crc_32(b"123456789".iter().copied()), 0xCBF4_3926);
    }
}
