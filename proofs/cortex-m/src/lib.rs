//! What the measured programs share.
#![no_std]

pub mod stack;

use core::panic::PanicInfo;

use cortex_m_semihosting::debug;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
