//! Calls everything of isotp-core with values that the optimiser knows nothing about. The panic handler
//! calls a function that does not exist, so the program cannot be linked if a panic can be reached.
//!
//! Between two calls each machine goes through [`opaque`] too: what one call leaves behind is no excuse
//! for the next. Formatting, serde and defmt are left out, and so is `Clock`, which is a clock of std's.
//!
//! Whatever overflows in a release build wraps around, and is no panic: that nothing overflows is for
//! the core's tests to show, which are built with checks.
#![no_std]
#![no_main]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "alloc")]
mod heap;
mod link;
mod memory;
mod parts;
mod router;
mod values;

use core::hint::black_box;
use core::panic::PanicInfo;

/// A value that the optimiser knows nothing about.
fn opaque<T>(value: T) -> T {
    black_box(value)
}

/// Bytes of which neither the values nor the number are known.
fn bytes() -> &'static [u8] {
    static BYTES: [u8; 128] = [0; 128];
    opaque(&BYTES[..])
}

/// Calls, and keeps the result from being optimised away.
macro_rules! call {
    ($($call:expr);+ $(;)?) => { $({ core::hint::black_box(&$call); })+ };
}
use call;

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    values::all();
    parts::all();
    link::all();
    router::all();
    #[cfg(feature = "deliberate")]
    call!(bytes()[opaque(1_usize)]);
    0
}

// the start of the program and memcpy, where there is an operating system
#[cfg(target_os = "linux")]
#[link(name = "c")]
unsafe extern "C" {}

unsafe extern "C" {
    /// Not defined anywhere.
    safe fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    a_panic_can_be_reached()
}
