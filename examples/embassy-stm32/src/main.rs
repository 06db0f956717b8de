//! A server on the FDCAN of an STM32G431: it sends back what it receives.
//!
//! `cargo build --release --target thumbv7em-none-eabihf`, with `-C link-arg=-Tlink.x` in RUSTFLAGS, makes
//! a program for the chip. It has not been run on one: the pins, the clocks and the bitrate of the board
//! are yours to set.
#![no_std]
#![no_main]

mod fdcan;

use core::panic::PanicInfo;

use embassy_executor::{Spawner, main};
use embassy_stm32::can::config::TxBufferMode;
use embassy_stm32::can::{CanConfigurator, IT0InterruptHandler, IT1InterruptHandler};
use embassy_stm32::{bind_interrupts, peripherals};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use heapless::Vec;
use isotp_core::{Address, Config, Event, Id, Link};
use isotp_firmware::embassy;

use fdcan::{Reader, Writer};

static CONFIG: Config = Config::fd(64, true);

bind_interrupts!(struct Irqs {
    FDCAN1_IT0 => IT0InterruptHandler<peripherals::FDCAN1>;
    FDCAN1_IT1 => IT1InterruptHandler<peripherals::FDCAN1>;
});

#[main]
async fn main(_spawner: Spawner) {
    let chip = embassy_stm32::init(embassy_stm32::Config::default());
    let mut can = CanConfigurator::new(chip.FDCAN1, chip.PA11, chip.PA12, Irqs);
    can.set_bitrate(500_000);
    can.set_fd_data_bitrate(2_000_000, false);
    // the default sorts by priority and hands frames back; `Writer` would bear it, at the cost of STmin
    can.set_config(can.config().set_tx_buffer_mode(TxBufferMode::Fifo));
    let (tx, rx, _) = can.into_normal_mode().split();

    let Some(address) = address() else { return };
    let mut link = match Link::new(address, &CONFIG, Vec::<u8, 512>::new()) {
        Ok(link) => link,
        Err(_) => return,
    };
    let requests = Channel::<NoopRawMutex, Vec<u8, 512>, 2>::new();
    let can = (&mut Reader(rx), &mut Writer(tx));
    let echo = |told: Result<Event<'_, Vec<u8, 512>>, _>| {
        if let Ok(Event::Received(message)) = told
            && let Ok(copy) = Vec::from_slice(message.data())
        {
            // full: the peer sent a third message without waiting for two answers
            let _ = requests.try_send(copy);
        }
    };
    embassy::run(&mut link, can, requests.receiver(), echo).await;
}

/// That of an ECU: it receives on 7E0.
fn address() -> Option<Address> {
    Address::normal(Id::standard(0x7E8).ok()?, Id::standard(0x7E0).ok()?).ok()
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
