//! 256 KiB go to flash through 512 bytes, and what goes wrong ends once and leaves a link that works.
#![allow(clippy::indexing_slicing, reason = "tests check by panicking")]

use core::time::Duration;

use isotp_core::{Cause, Instant, NResult, RxBuffer as _};
use isotp_firmware::bootloader::{
    BLOCK, Bench, CONFIG, Image, Mood, PAGE, PageBuffer, RAM, SimulatedFlash,
};

const SIZE: u32 = 256 * 1024;

#[test]
fn an_image_of_256_kib_goes_through_512_bytes_with_waits() {
    const { assert!(RAM <= 512) };
    let mut cells = vec![0xFF; SIZE as usize];
    let mut bench = Bench::new(&mut cells).unwrap();
    for seed in 0..2 {
        let outcome = bench.send(Image::new(SIZE, seed)).unwrap();
        assert_eq!(outcome.sent, NResult::Ok);
        assert_eq!(outcome.received, NResult::Ok);
        assert!(outcome.intact);
        // each of the 128 sectors takes 23 ms to erase and begin, and N_Br is 5 ms
        assert!(outcome.waits >= 128, "{} waits", outcome.waits);
        assert!(outcome.took < Duration::from_secs(30), "{:?}", outcome.took);
    }
}

#[test]
fn the_last_page_is_written_whatever_the_size() {
    let mut cells = vec![0xFF; 8192];
    let mut bench = Bench::new(&mut cells).unwrap();
    for (size, seed) in [8, 127, 128, 129, 1000, 4095, 4096, 8191, 8192]
        .into_iter()
        .zip(0..)
    {
        let outcome = bench.send(Image::new(size, seed)).unwrap();
        assert!(
            outcome.intact && outcome.sent.is_ok(),
            "{size} bytes: {outcome:?}"
        );
    }
}

/// `FC-07`: N_WFTmax waits, then N_WFT_OVRN; the sender hears nothing more and ends by N_Bs.
#[test]
fn a_flash_that_is_never_ready_ends_in_n_wft_ovrn_and_the_link_goes_on() {
    let mut cells = vec![0xFF; SIZE as usize];
    let mut bench = Bench::new(&mut cells).unwrap();
    bench.set_mood(Mood::Stuck);
    let outcome = bench.send(Image::new(SIZE, 0)).unwrap();
    let limit = CONFIG.receive.max_wait;
    assert_eq!(outcome.received, NResult::WaitOverrun { limit });
    assert_eq!(outcome.sent, NResult::TimeoutBs);
    assert_eq!(outcome.waits, u32::from(limit));
    assert!(!outcome.intact);

    bench.set_mood(Mood::Works);
    let outcome = bench.send(Image::new(SIZE, 1)).unwrap();
    assert_eq!((outcome.sent, outcome.received), (NResult::Ok, NResult::Ok));
    assert!(outcome.intact);
}

#[test]
fn a_flash_that_breaks_ends_in_n_error_and_the_link_goes_on() {
    let mut cells = vec![0xFF; SIZE as usize];
    let mut bench = Bench::new(&mut cells).unwrap();
    bench.set_mood(Mood::Breaks);
    let outcome = bench.send(Image::new(SIZE, 0)).unwrap();
    assert_eq!(outcome.received, NResult::Error(Cause::Buffer));
    assert!(!outcome.sent.is_ok() && !outcome.intact);

    bench.set_mood(Mood::Works);
    let outcome = bench.send(Image::new(SIZE, 1)).unwrap();
    assert!(outcome.intact, "{outcome:?}");
}

/// What `ready` promises: a block, and then room for it however slow the flash is.
#[test]
fn a_block_that_was_promised_has_room() {
    let mut cells = vec![0xFF; 4096];
    let mut buffer = PageBuffer::new(SimulatedFlash::new(&mut cells));
    buffer.flash_mut().set_mood(Mood::Stuck);
    buffer.start(4096);
    let mut offset = 0;
    while buffer.ready(4096, offset) {
        assert!(buffer.write(offset, &[0; BLOCK]), "promised at {offset}");
        offset += BLOCK as u32;
    }
    assert!(offset as usize > PAGE, "{offset}");
    assert!(
        !buffer.write(offset, &[0; 2 * PAGE]),
        "more than was promised"
    );
    // and it asks the flash itself, a page after the other
    buffer.flash_mut().set_mood(Mood::Works);
    let turns = (0..200).map(Instant::from_millis);
    let ready = turns.filter(|now| {
        buffer.flash_mut().pass_time(*now);
        buffer.ready(4096, offset)
    });
    assert!(ready.count() > 100);
}
