//! Two links in memory move messages and verify them.
//!
//! Prints `name value` lines: the instructions of each side for each frame, the size of a link, and the
//! depth of the stack. QEMU runs one instruction in 1 ns of virtual time and SysTick at 25 MHz.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_proof::stack;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use isotp_core::{Address, Config, Event, Frame, Id, Instant, Link, Machine};

type Bare<'a> = Link<&'a mut [u8], &'a [u8], &'static Config, &'a mut [u8]>;

static CONFIG: Config = Config::new();
static MESSAGE: [u8; 4095] = {
    let (mut bytes, mut at) = ([0; 4095], 0);
    while at < bytes.len() {
        bytes[at] = (at * 7 + at / 256) as u8;
        at += 1;
    }
    bytes
};
const NOW: Instant = Instant::ZERO;
const INSTRUCTIONS_A_TICK: u32 = 40;
/// Frames of the longest message.
const FRAMES: usize = 590;

#[entry]
fn main() -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else {
        fail("no peripherals");
    };
    let mut clock = peripherals.SYST;
    clock.set_clock_source(SystClkSource::Core);
    clock.set_reload(0x00FF_FFFF);
    clock.clear_current();
    clock.enable_counter();
    for len in [7, 62, 4095] {
        measure(&MESSAGE[..len]);
    }
    hprintln!("link-bytes {}", size_of::<Bare<'_>>());
    debug::exit(debug::EXIT_SUCCESS);
    loop {}
}

fn measure(message: &'static [u8]) {
    let (mut a, mut b, mut spare) = ([0; 8], [0; 4096], [[0; 7]; 4]);
    let [s0, s1, s2, s3] = &mut spare;
    let address = address();
    let link = Link::with_spare(address, &CONFIG, &mut a[..], [&mut s0[..], &mut s1[..]]);
    let Ok(mut tester) = link else { fail("link") };
    let reversed = address.reversed();
    let link = Link::with_spare(reversed, &CONFIG, &mut b[..], [&mut s2[..], &mut s3[..]]);
    let Ok(mut ecu) = link else { fail("link") };

    let mut record = [const { Frame::new() }; FRAMES];
    let len = message.len();
    stack::paint();
    let frames = both(&mut tester, &mut ecu, message, |_, _| {});
    hprintln!("stack-{} {}", len, stack::depth());
    let frames_again = both(&mut tester, &mut ecu, message, |at, frame| {
        record[at] = frame.clone();
    });
    if frames != frames_again {
        fail("the same message took another number of frames");
    }
    let record = &record[..frames];
    let runs = 60_000 / (frames as u32 * 3 + 20);
    let time = |what: &str, run: &mut dyn FnMut() -> usize| {
        let before = SYST::get_current();
        for _ in 0..runs {
            run();
        }
        let ticks = before.wrapping_sub(SYST::get_current()) & 0x00FF_FFFF;
        let tenths = ticks * INSTRUCTIONS_A_TICK / runs * 10 / frames as u32;
        hprintln!("{}-{} {}.{}", what, len, tenths / 10, tenths % 10);
    };
    time("both", &mut || {
        both(&mut tester, &mut ecu, message, |_, _| {})
    });
    time("sender", &mut || sender(&mut tester, message, record));
    time("receiver", &mut || receiver(&mut ecu, message, record));
}

/// The message goes across; returns the number of frames.
#[inline(never)]
fn both(
    tester: &mut Bare<'_>,
    ecu: &mut Bare<'_>,
    message: &'static [u8],
    mut seen: impl FnMut(usize, &Frame),
) -> usize {
    let (mut frame, mut frames, mut received) = (Frame::new(), 0, false);
    if tester.send(NOW, black_box(message)).is_err() {
        fail("send");
    }
    loop {
        if let Some(transmit) = tester.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            tester.poll_event();
            ecu.handle_frame(NOW, frame.view());
            received |= arrived(ecu, message);
        } else if let Some(transmit) = ecu.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            tester.handle_frame(NOW, frame.view());
        } else {
            break;
        }
        seen(frames, &frame);
        frames += 1;
    }
    if !received {
        fail("the message did not arrive");
    }
    frames
}

/// The sender alone; what the other side said is known.
#[inline(never)]
fn sender(tester: &mut Bare<'_>, message: &'static [u8], record: &[Frame]) -> usize {
    let mut frame = Frame::new();
    if tester.send(NOW, black_box(message)).is_err() {
        fail("send");
    }
    for known in record {
        if let Some(transmit) = tester.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            tester.poll_event();
        } else {
            tester.handle_frame(NOW, known.view());
        }
    }
    tester.poll_transmit(NOW, &mut frame);
    if tester.is_sending() {
        fail("not all was sent");
    }
    record.len()
}

/// The receiver alone.
#[inline(never)]
fn receiver(ecu: &mut Bare<'_>, message: &[u8], record: &[Frame]) -> usize {
    let (mut frame, mut received) = (Frame::new(), false);
    let own = ecu.address().tx().id();
    for known in record {
        if known.id() == own {
            if let Some(transmit) = ecu.poll_transmit(NOW, &mut frame) {
                transmit.commit(NOW);
            }
        } else {
            ecu.handle_frame(NOW, known.view());
            received |= arrived(ecu, message);
        }
    }
    if !received {
        fail("the message did not arrive");
    }
    record.len()
}

/// Takes the news; whether the message is among them, as it was sent.
fn arrived(ecu: &mut Bare<'_>, message: &[u8]) -> bool {
    let mut arrived = false;
    while let Some(event) = ecu.poll_event() {
        if let Event::Received(received) = event {
            if received.data() != message {
                fail("another message arrived");
            }
            arrived = true;
        }
    }
    arrived
}

fn address() -> Address {
    let ids = Id::standard(black_box(0x7E0))
        .ok()
        .zip(Id::standard(0x7E8).ok());
    let Some(Ok(address)) = ids.map(|(tx, rx)| Address::normal(tx, rx)) else {
        fail("address");
    };
    address
}

fn fail(reason: &str) -> ! {
    hprintln!("error {}", reason);
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
