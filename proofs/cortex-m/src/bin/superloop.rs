//! The superloop of the examples. Says what arrives, and what memory a node takes.
#![no_std]
#![no_main]

use cortex_m_proof as _;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use isotp_core::{Config, Frame};
use isotp_firmware::superloop::{Node, demo};

#[entry]
fn main() -> ! {
    match demo(&mut |line| hprintln!("{}", line)) {
        Ok(()) => {
            hprintln!("ram-link {}", size_of::<Node<'_>>());
            hprintln!("ram-frame {}", size_of::<Frame>());
            hprintln!("flash-config {}", size_of::<Config>());
            debug::exit(debug::EXIT_SUCCESS);
        }
        Err(error) => {
            hprintln!("error {}", error);
            debug::exit(debug::EXIT_FAILURE);
        }
    }
    loop {}
}
