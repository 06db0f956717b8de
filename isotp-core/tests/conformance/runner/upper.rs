//! The upper layer: memory for what is received, and what is sent.

use isotp_core::{Payload, RxBuffer};

/// Memory that has room or not, as the script says.
#[derive(Debug)]
pub(crate) struct Buffer {
    limit: u32,
    pub(crate) held: bool,
    bytes: Vec<u8>,
}

impl Buffer {
    pub(crate) const fn new(limit: u32) -> Self {
        Self {
            limit,
            held: false,
            bytes: Vec::new(),
        }
    }
}

impl RxBuffer for Buffer {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn ready(&mut self, _size: u32, _received: u32) -> bool {
        !self.held
    }

    fn start(&mut self, _size: u32) {
        self.bytes.clear();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset as usize, self.bytes.len(), "bytes come gapless");
        self.bytes.extend_from_slice(data);
        assert!(self.bytes.len() <= self.limit as usize, "the limit holds");
        true
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A message to be sent.
#[derive(Debug)]
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    /// They lie together in memory.
    pub(crate) contiguous: bool,
}

impl Payload for Bytes {
    fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let mut from = self.bytes.get(offset as usize..)?;
        std::io::Read::read(&mut from, out).ok()
    }

    fn contiguous(&self) -> Option<&[u8]> {
        self.contiguous.then_some(&self.bytes)
    }
}
