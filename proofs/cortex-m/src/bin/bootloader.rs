//! The bootloader of the examples receives 256 KiB; then a flash that is stuck, then a second image.
#![no_std]
#![no_main]

use cortex_m::singleton;
use cortex_m_proof as _;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use isotp_core::NResult;
use isotp_firmware::bootloader::{Bench, CONFIG, Image, Mood, RAM};

const SIZE: usize = 256 * 1024;

#[entry]
fn main() -> ! {
    match run() {
        Ok(()) => debug::exit(debug::EXIT_SUCCESS),
        Err(error) => {
            hprintln!("error {}", error);
            debug::exit(debug::EXIT_FAILURE);
        }
    }
    loop {}
}

fn run() -> Result<(), &'static str> {
    let cells = singleton!(: [u8; SIZE] = [0xFF; SIZE]).ok_or("no flash")?;
    let mut bench = Bench::new(cells).ok_or("a setting was refused")?;
    for (seed, mood) in [(0, Mood::Works), (1, Mood::Stuck), (2, Mood::Works)] {
        bench.set_mood(mood);
        let outcome = bench.send(Image::new(SIZE as u32, seed));
        let outcome = outcome.ok_or("an image was refused, or never came to an end")?;
        let (received, waits) = (outcome.received, outcome.waits);
        match mood {
            Mood::Works if !outcome.intact => return Err("another image is in flash"),
            Mood::Works if waits == 0 => return Err("expected the bootloader to say wait"),
            Mood::Works => hprintln!("{} bytes through {} verified, {} waits", SIZE, RAM, waits),
            _ => {
                let limit = CONFIG.receive.max_wait;
                if received != (NResult::WaitOverrun { limit }) {
                    return Err("expected N_WFT_OVRN of a flash that is stuck");
                }
                hprintln!("stuck: {} after {} waits", received.name(), waits);
            }
        }
    }
    Ok(())
}
