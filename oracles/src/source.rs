//! Choices, taken from the bytes that a fuzzer gives.

use arbitrary::Unstructured;
use isotp_testkit::Choose;

/// Makes choices out of bytes. When they are used up, every choice is the first one.
#[derive(Debug)]
pub struct Source<'a>(Unstructured<'a>);

impl<'a> Source<'a> {
    /// The choices that these bytes make.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// Whether all bytes are used up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Choose for Source<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        let last = bound.saturating_sub(1);
        self.0.int_in_range(0..=last).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }

    fn word(&mut self) -> u32 {
        self.0.arbitrary().unwrap_or(0)
    }

    fn long(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    fn bytes(&mut self, bound: u64) -> Vec<u8> {
        let len = (self.below(bound) as usize).min(self.0.len());
        self.0.bytes(len).map(<[u8]>::to_vec).unwrap_or_default()
    }
}
