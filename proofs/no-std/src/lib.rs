//! A static library without std, without alloc and with its own panic handler.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use isotp_core::{Address, Config, Event, Frame, Id, Instant, Link, Machine};

static CONFIG: Config = Config::uds();

/// Sends a message from one link to another and returns how many bytes arrived.
#[unsafe(no_mangle)]
pub extern "C" fn transfer() -> u32 {
    let (Ok(tx), Ok(rx)) = (Id::standard(0x7E0), Id::standard(0x7E8)) else {
        return 0;
    };
    let Ok(address) = Address::normal(tx, rx) else {
        return 0;
    };
    let (mut a, mut b) = ([0_u8; 256], [0_u8; 256]);
    let Ok(mut tester) = Link::new(address, &CONFIG, &mut a[..]) else {
        return 0;
    };
    let Ok(mut ecu) = Link::<_, &[u8]>::new(address.reversed(), &CONFIG, &mut b[..]) else {
        return 0;
    };
    let message = [0x5A; 200];
    if tester.send(Instant::ZERO, &message[..]).is_err() {
        return 0;
    }
    pump(&mut tester, &mut ecu);
    while let Some(event) = ecu.poll_event() {
        if let Event::Received(message) = event {
            return message.size();
        }
    }
    0
}

fn pump(a: &mut impl Machine, b: &mut impl Machine) {
    let (now, mut frame) = (Instant::ZERO, Frame::new());
    loop {
        a.handle_timeout(now);
        if let Some(transmit) = a.poll_transmit(now, &mut frame) {
            transmit.commit(now);
            b.handle_frame(now, frame.view());
        } else if let Some(transmit) = b.poll_transmit(now, &mut frame) {
            transmit.commit(now);
            a.handle_frame(now, frame.view());
        } else {
            return;
        }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
