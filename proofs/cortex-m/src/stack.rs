//! How deep the stack gets: the part below the caller is painted, and later searched for what is left.

use core::arch::asm;
use core::ptr::{read_volatile, write_volatile};

const PAINT: u32 = 0x5AA5_C33C;
const WORDS: usize = 2048;
/// Left alone, for the frames of these functions.
const MARGIN: usize = 64;

fn pointer() -> usize {
    let pointer: usize;
    // SAFETY: reads a register
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

/// Paints 8 KiB below the stack.
#[inline(never)]
pub fn paint() {
    let top = (pointer() - MARGIN) & !3;
    for word in 1..=WORDS {
        // SAFETY: unused memory below the stack; the machine has far more than this
        unsafe { write_volatile((top - word * 4) as *mut u32, PAINT) };
    }
}

/// Bytes of stack that were used since, below the frame that called both.
#[inline(never)]
pub fn depth() -> usize {
    let top = (pointer() - MARGIN) & !3;
    let mut word = WORDS;
    // SAFETY: as above
    while word > 0 && unsafe { read_volatile((top - word * 4) as *const u32) } == PAINT {
        word -= 1;
    }
    word * 4 + MARGIN
}
