//! The other end of the bus: a superloop that sends messages and compares what comes back.

use heapless::Vec;
use isotp_core::{Address, Config, Event, Instant, Link};
use isotp_firmware::controller::{CanFrame, Controller};
use isotp_firmware::superloop::turn;

static CONFIG: Config = Config::uds();
static MESSAGES: [&[u8]; 3] = [b"seven..", &[0x5A; 62], &[0xA5; 255]];

pub struct Tester {
    link: Link<Vec<u8, 256>, &'static [u8]>,
    can: Controller,
    held: Option<CanFrame>,
    /// How many messages were sent, and how many came back.
    sent: usize,
    back: usize,
}

impl Tester {
    pub fn new(address: Address) -> Option<Self> {
        Some(Self {
            link: Link::new(address, &CONFIG, Vec::new()).ok()?,
            can: Controller::new(),
            held: None,
            sent: 0,
            back: 0,
        })
    }

    /// One turn, and one frame in each direction; whether any crossed.
    pub fn turn(&mut self, ecu: &mut Controller, now: Instant) -> bool {
        if self.sent == self.back
            && let Some(message) = MESSAGES.get(self.sent)
            && self.link.send(now, message).is_ok()
        {
            self.sent += 1;
        }
        let back = &mut self.back;
        turn(
            &mut self.can,
            &mut self.held,
            &mut self.link,
            now,
            &mut |link, _| {
                while let Some(event) = link.poll_event() {
                    if let Event::Received(message) = event {
                        let expected = MESSAGES.get(*back).copied();
                        *back += usize::from(Some(message.data()) == expected);
                    }
                }
            },
        );
        self.can.pass(ecu).is_some() | ecu.pass(&mut self.can).is_some()
    }

    pub fn is_done(&self) -> bool {
        self.back == MESSAGES.len()
    }
}
