//! An ECU under RTIC that sends back what it receives.
//!
//! The interrupt of the controller moves frames and has the higher priority; the software task owns the
//! link and sleeps until the interrupt signals it or the link's deadline is due. `cargo xtask embedded`
//! runs it on an emulated machine without CAN, so the controller is one in memory, and a second
//! software task is the bus with a tester at its other end.
#![no_std]
#![no_main]

mod tester;

use core::panic::PanicInfo;

use cortex_m_semihosting::{debug, hprintln};
use rtic_monotonics::systick::prelude::*;

systick_monotonic!(Mono, 1000);

#[rtic::app(device = lm3s6965, dispatchers = [SSI0])]
mod app {
    use heapless::Vec;
    use isotp_core::{Address, Config, Confirmation, Event, Id, Instant, Link, Machine as _};
    use isotp_firmware::controller::{CanFrame, Controller};
    use isotp_firmware::interrupt::{Handler, Queues, Task};
    use rtic_sync::make_signal;
    use rtic_sync::signal::{SignalReader, SignalWriter};

    use super::*;
    use crate::tester::Tester;

    static CONFIG: Config = {
        let mut config = Config::uds();
        config.confirmation = Confirmation::Reported;
        config.receive.block_size = 8;
        config
    };

    #[shared]
    struct Shared {
        /// With a real controller it belongs to the interrupt alone.
        can: Controller,
    }

    #[local]
    struct Local {
        handler: Handler<'static, CanFrame>,
        wake: SignalWriter<'static, ()>,
        woken: SignalReader<'static, ()>,
        task: Task<'static>,
        link: Link<Vec<u8, 256>, Vec<u8, 256>>,
    }

    #[init(local = [queues: Queues = Queues::new()])]
    fn init(cx: init::Context) -> (Shared, Local) {
        Mono::start(cx.core.SYST, 12_000_000);
        let (handler, task) = cx.local.queues.split();
        let (wake, woken) = make_signal!(());
        let Some(link) =
            address().and_then(|address| Link::new(address.reversed(), &CONFIG, Vec::new()).ok())
        else {
            fail("a setting was refused");
        };
        let spawned = (isotp::spawn(), bus::spawn());
        let (Ok(()), Ok(())) = spawned else {
            fail("a task was refused");
        };
        let local = Local {
            handler,
            wake,
            woken,
            task,
            link,
        };
        let can = Controller::new();
        (Shared { can }, local)
    }

    /// A frame came, or there is room for one, or the task has one.
    #[task(binds = GPIOA, priority = 2, shared = [can], local = [handler, wake])]
    fn can_interrupt(mut cx: can_interrupt::Context<'_>) {
        let handler = cx.local.handler;
        if cx.shared.can.lock(|can| handler.interrupt(can, now())) {
            cx.local.wake.write(());
        }
    }

    /// Owns the link.
    #[task(priority = 1, local = [task, link, woken])]
    async fn isotp(cx: isotp::Context<'_>) {
        let link = cx.local.link;
        let mut echo = |link: &mut Link<Vec<u8, 256>, Vec<u8, 256>>, now| {
            let mut answer = None;
            while let Some(event) = link.poll_event() {
                if let Event::Received(message) = event {
                    answer = Vec::from_slice(message.data()).ok();
                }
            }
            // busy: the tester does not wait for its answer, and gets none
            answer.map(|answer| link.send(now, answer).ok());
        };
        loop {
            if cx.local.task.run(link, now(), &mut echo) {
                rtic::pend(lm3s6965::Interrupt::GPIOA);
            }
            match link.poll_timeout() {
                Some(next) => {
                    let left = (next.at - now()).as_micros() as u64;
                    let woken = cx.local.woken.wait();
                    // signalled or timed out: the task looks for itself
                    let _ = Mono::timeout_after(left.micros(), woken).await;
                }
                None => cx.local.woken.wait().await,
            }
        }
    }

    /// The bus: a frame in either direction each millisecond.
    #[task(priority = 1, shared = [can])]
    async fn bus(mut cx: bus::Context<'_>) {
        let Some(mut tester) = address().and_then(Tester::new) else {
            fail("a setting was refused");
        };
        for _ in 0..1000 {
            if cx.shared.can.lock(|can| tester.turn(can, now())) {
                rtic::pend(lm3s6965::Interrupt::GPIOA);
            }
            if tester.is_done() {
                hprintln!("rtic: all messages came back");
                debug::exit(debug::EXIT_SUCCESS);
            }
            Mono::delay(1.millis()).await;
        }
        fail("the messages did not come back");
    }

    #[idle]
    fn idle(_: idle::Context<'_>) -> ! {
        loop {
            cortex_m::asm::wfi();
        }
    }

    fn now() -> Instant {
        Instant::from_millis(Mono::now().as_ticks())
    }

    /// The tester's.
    fn address() -> Option<Address> {
        Address::normal(Id::standard(0x7E0).ok()?, Id::standard(0x7E8).ok()?).ok()
    }
}

fn fail(reason: &str) -> ! {
    hprintln!("error {}", reason);
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    fail("panic");
}
