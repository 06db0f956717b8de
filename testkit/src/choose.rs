//! Where choices come from.

use isotp_sim::Rng;

/// Makes choices: from a seed, or out of what a fuzzer gives.
pub trait Choose {
    /// A number below `bound`; 0 if that is 0.
    fn below(&mut self, bound: u64) -> u64;

    /// Any byte.
    fn byte(&mut self) -> u8;

    /// Any number of 32 bits.
    fn word(&mut self) -> u32;

    /// Any number of 64 bits.
    fn long(&mut self) -> u64;

    /// Bytes, fewer than `bound`.
    fn bytes(&mut self, bound: u64) -> Vec<u8>;

    /// Yes or no.
    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// If there is none.
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64) as usize;
        choices.get(index).copied().expect("there are choices")
    }
}

impl Choose for Rng {
    fn below(&mut self, bound: u64) -> u64 {
        Self::below(self, bound)
    }

    fn byte(&mut self) -> u8 {
        Self::below(self, 256) as u8
    }

    fn word(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn long(&mut self) -> u64 {
        self.next_u64()
    }

    fn bytes(&mut self, bound: u64) -> Vec<u8> {
        let len = Self::below(self, bound);
        (0..len).map(|_| Choose::byte(self)).collect()
    }
}
