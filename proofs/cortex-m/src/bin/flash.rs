//! What a link takes of the flash: the difference between this program with one and without.
//!
//! Frames, time and commands come from registers and go to registers; without a link they are read and
//! written all the same, by functions of their own so that they are the same code. The memory that a user
//! gives a link, and the message to be sent, are there, too.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::ptr::{read_volatile, write_volatile};

use cortex_m_proof as _;
use cortex_m_rt::entry;
use isotp_core::{Frame, FrameKind, FrameView, Id, Instant};

#[cfg(any(feature = "minimal", feature = "full"))]
use isotp_core::{Address, Config, Event, Link, Machine};

/// The registers of a controller that does not exist.
const REGISTERS: usize = 0x4000_0000;

fn read(register: usize) -> u32 {
    // SAFETY: this program is measured and never run
    unsafe { read_volatile((REGISTERS + register * 4) as *const u32) }
}

fn write(register: usize, value: u32) {
    // SAFETY: as above
    unsafe { write_volatile((REGISTERS + register * 4) as *mut u32, value) }
}

fn now() -> Instant {
    Instant::from_micros(u64::from(read(0)) << 32 | u64::from(read(1)))
}

#[inline(never)]
fn receive(memory: &mut [u8; 64]) -> Option<FrameView<'_>> {
    let id = Id::standard(read(2) as u16).ok()?;
    for byte in memory.iter_mut() {
        *byte = read(3) as u8;
    }
    let len = read(4) as usize;
    Some(FrameView {
        id,
        kind: match read(25) {
            0 => FrameKind::Classic,
            brs => FrameKind::Fd { brs: brs == 1 },
        },
        data: memory.get(..len)?,
    })
}

#[inline(never)]
fn transmit(frame: &Frame) {
    write(5, frame.id().value());
    for byte in frame.data() {
        write(6, u32::from(*byte));
    }
}

#[inline(never)]
fn show(bytes: &[u8]) {
    for byte in bytes {
        write(7, u32::from(*byte));
    }
}

#[cfg(feature = "minimal")]
static CONFIG: Config = Config::new();
#[cfg(feature = "full")]
static CONFIG: Config = Config::fd(64, true);

#[cfg(feature = "full")]
const SPARE: usize = 62;
#[cfg(not(feature = "full"))]
const SPARE: usize = 7;

/// What a user gives a link, and works with.
struct Own {
    memory: [u8; 64],
    frame: Frame,
    buffer: [u8; 256],
    spare: [[u8; SPARE]; 2],
}

static mut OWN: Own = Own {
    memory: [0; 64],
    frame: Frame::new(),
    buffer: [0; 256],
    spare: [[0; SPARE]; 2],
};

#[entry]
fn main() -> ! {
    // SAFETY: this runs once, and nobody else knows the name
    let own = unsafe { &mut *(&raw mut OWN) };
    let Own {
        memory,
        frame,
        buffer,
        spare: [one, two],
    } = black_box(own);
    #[cfg(not(any(feature = "minimal", feature = "full")))]
    let _ = (buffer, one, two);
    #[cfg(any(feature = "minimal", feature = "full"))]
    let mut link = {
        let made = address().and_then(|address| {
            let spare = [&mut one[..], &mut two[..]];
            Link::<_, &'static [u8], _, _>::with_spare(address, &CONFIG, &mut buffer[..], spare)
                .ok()
        });
        let Some(link) = made else { loop {} };
        link
    };
    loop {
        let now = now();
        let received = receive(memory);
        #[cfg(not(any(feature = "minimal", feature = "full")))]
        {
            write(8, now.as_micros() as u32);
            if let Some(view) = received {
                frame.copy_from(view);
                show(view.data);
            }
            if read(9) == 1 {
                show(&MESSAGE[..read(10) as usize & 63]);
            }
            transmit(frame);
        }
        #[cfg(any(feature = "minimal", feature = "full"))]
        {
            if let Some(view) = received {
                link.handle_frame(now, view);
            }
            link.handle_timeout(now);
            if read(9) == 1 {
                write(
                    9,
                    u32::from(link.send(now, &MESSAGE[..read(10) as usize & 63]).is_err()),
                );
            }
            #[cfg(feature = "full")]
            everything(&mut link, now);
            if let Some(offered) = link.poll_transmit(now, frame) {
                transmit(frame);
                offered.commit(now);
            }
            while let Some(event) = link.poll_event() {
                match event {
                    Event::Received(message) => show(message.data()),
                    Event::Confirmed(result) => write(11, u32::from(result.is_ok())),
                    _ => {}
                }
            }
        }
    }
}

static MESSAGE: [u8; 64] = [0x5A; 64];

#[cfg(feature = "minimal")]
fn address() -> Option<Address> {
    let tx = Id::standard(read(12) as u16).ok()?;
    Address::normal(tx, Id::standard(read(13) as u16).ok()?).ok()
}

/// An address of a format that is known only when the program runs.
#[cfg(feature = "full")]
fn address() -> Option<Address> {
    let (one, two) = (read(12) as u8, read(13) as u8);
    let id = |register| Id::extended(read(register)).ok();
    let address = match read(14) {
        0 => Address::normal(id(15)?, id(16)?),
        1 => Address::extended(id(15)?, one, id(16)?, two),
        2 => Address::mixed_29(one, two, read(17) as u8).and_then(Address::with_any_source),
        _ => Address::normal_fixed(one, two).and_then(Address::with_any_source),
    };
    let address = address.ok()?.with_functional_tx(id(18)?).ok()?;
    address.with_functional_rx(id(19)?).ok()
}

#[cfg(feature = "full")]
fn everything<'a>(
    link: &mut Link<&mut [u8], &'static [u8], &'static Config, &'a mut [u8]>,
    now: Instant,
) {
    use isotp_core::{Parameter, TxToken};
    let token = TxToken::from_bits(u64::from(read(20)));
    match read(21) {
        0 => link.handle_transmitted(now, token),
        1 => link.handle_failed(now, token),
        2 => link.abort_send(now),
        3 => link.abort_receive(now),
        4 => write(
            22,
            u32::from(link.configure(Parameter::StMin, read(23)).is_err()),
        ),
        5 => write(
            22,
            u32::from(link.send_functional(now, &MESSAGE[..8]).is_err()),
        ),
        6 => write(
            22,
            u32::from(link.configure(Parameter::BlockSize, read(23)).is_err()),
        ),
        _ => {}
    }
    if let Some(timeout) = link.poll_timeout() {
        write(24, timeout.at.as_micros() as u32);
    }
}
