//! The table above `Phase` in `reception.rs`, row by row, and what the rows do together.
//!
//! Scripts are words separated by `;`. Confirmations name flow controls by the order in which they were
//! committed, from 0. Times are in ms.

mod table;
mod usual;

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::config::{Confirmation, RxPadding};
use crate::frame::Id;
use crate::pdu::Reading;
use crate::testing::hex;

/// A buffer that streams: it may be busy, and may fail a write.
struct Streaming {
    bytes: Vec<u8>,
    ready: bool,
    fails_at: u32,
    limit: u32,
}

impl RxBuffer for Streaming {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn ready(&mut self, size: u32, received: u32) -> bool {
        assert!(received < size && size <= self.limit);
        self.ready
    }

    fn start(&mut self, size: u32) {
        assert!(self.ready && size <= self.limit);
        self.bytes.clear();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset as usize, self.bytes.len(), "in order, gapless");
        self.bytes.extend_from_slice(data);
        assert!(self.bytes.len() as u32 <= self.limit);
        offset < self.fails_at
    }
}

struct Rig {
    receiver: Receiver<Streaming, [u8; 62]>,
    config: Config,
    now: Instant,
    tokens: Vec<TxToken>,
    events: Vec<String>,
    frame: Frame,
}

impl Rig {
    fn new(options: &str) -> Self {
        let mut config = Config::new();
        config.confirmation = Confirmation::Reported;
        config.timing.n_cr = core::time::Duration::from_millis(500);
        let mut limit = 40;
        for option in options.split_whitespace() {
            let (name, value) = option.split_once('=').unwrap_or((option, "0"));
            let value = value.parse::<u8>().unwrap();
            match name {
                "bs" => config.receive.block_size = value,
                "wft" => config.receive.max_wait = value,
                "padded" => config.receive.padding = RxPadding::Padded,
                "exact" => config.receive.padding = RxPadding::Exact,
                "limit" => limit = u32::from(value),
                "listen" => config.receive.listen_only = true,
                _ => panic!("unknown option: {option}"),
            }
        }
        let buffer = Streaming {
            bytes: Vec::new(),
            ready: true,
            fails_at: u32::MAX,
            limit,
        };
        Self {
            receiver: Receiver::new(&config, buffer, [0; 62]).unwrap(),
            config,
            now: Instant::ZERO,
            tokens: Vec::new(),
            events: Vec::new(),
            frame: Frame::new(),
        }
    }

    fn run(&mut self, script: &str) {
        for step in script
            .split(';')
            .map(str::trim)
            .filter(|step| !step.is_empty())
        {
            self.step(step);
        }
    }

    fn poll(&mut self) -> Option<Transmit<'_>> {
        let half = Half::normal(Id::standard(0x7E8).unwrap());
        self.receiver
            .poll_transmit(self.now, half, &self.config, &mut self.frame)
    }

    fn hear(&mut self, data: &str) -> Result<(), Ignored> {
        let bytes = hex(data);
        let pdu = Pdu::decode(&bytes, 0, Reading::default()).expect("a valid N_PDU");
        self.receiver
            .handle_pdu(self.now, &self.config, pdu, bytes.len(), 0)
    }

    fn step(&mut self, step: &str) {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        let number = rest.trim().parse::<usize>().unwrap_or(usize::MAX);
        let now = self.now;
        match word {
            "rx" => assert_eq!(self.hear(rest), Ok(()), "{step}"),
            "ignored" => assert_ne!(self.hear(rest), Ok(()), "{step}"),
            "commit" => {
                let token = self.poll().expect("a flow control is ready").commit(now);
                self.tokens.push(token);
            }
            "full" => drop(self.poll().expect("a flow control is ready")),
            "reject" => self.poll().expect("a flow control is ready").reject(now),
            "con" => self
                .receiver
                .handle_transmitted(now, &self.config, self.tokens[number]),
            "lost" => self
                .receiver
                .handle_failed(now, &self.config, self.tokens[number]),
            "at" => {
                self.now = Instant::from_millis(number as u64);
                self.receiver.handle_timeout(self.now, &self.config);
            }
            "busy" => self.receiver.buffer_mut().ready = false,
            "ready" => self.receiver.buffer_mut().ready = true,
            "fail" => self.receiver.buffer_mut().fails_at = number as u32,
            "abort" => self.receiver.abort(),
            "drain" => self.drain(),
            _ => panic!("unknown step: {step}"),
        }
    }

    fn drain(&mut self) {
        while let Some(event) = self.receiver.poll_event() {
            self.events.push(match event {
                Event::FirstFrame { size, .. } => format!("ff {size}"),
                Event::Received(mut message) => match message.buffer() {
                    Some(buffer) => format!("message {}", buffer.bytes.len()),
                    None => format!("single {}", message.size()),
                },
                Event::ReceptionFailed(result) => result.name().to_string(),
                _ => panic!("no such event of a receiver"),
            });
        }
    }

    /// What can be seen from outside: events, the flow control on offer, the timer.
    fn look(&mut self) -> String {
        self.drain();
        let mut seen = core::mem::take(&mut self.events);
        if self.poll().is_some() {
            seen.push(match self.frame.data()[0] {
                0x30 => "CTS".to_string(),
                0x31 => "WAIT".to_string(),
                _ => "OVFLW".to_string(),
            });
        }
        seen.push(match self.receiver.poll_timeout(&self.config) {
            Some(timeout) => format!("{:?} {}", timeout.timer, timeout.at.as_micros() / 1000),
            None => "idle".to_string(),
        });
        seen.join(", ")
    }
}

const FF: &str = "rx 10 14 00 01 02 03 04 05";
const CF1: &str = "rx 21 06 07 08 09 0A 0B 0C";
const CF2: &str = "rx 22 0D 0E 0F 10 11 12 13";

/// `FC-06`, `FC-07`: N_WFTmax counts WAITs in a row, a lost one does not count, a CTS resets it.
#[test]
fn waits_are_counted_in_a_row() {
    let mut rig = Rig::new("bs=1 wft=2");
    rig.run(
        &[
            "busy",
            FF,
            "at 100; commit; lost 0; commit; con 1; at 200; commit; con 2",
        ]
        .join(";"),
    );
    assert_eq!(rig.look(), "ff 20, NBr 300");
    rig.run(&["ready; commit; con 3; busy", CF1].join(";"));
    assert_eq!(rig.look(), "NBr 300");
    rig.run("at 300; commit; con 4; at 400; commit; con 5");
    assert_eq!(rig.look(), "NBr 500");
    rig.run("at 500");
    assert_eq!(rig.look(), "N_WFT_OVRN, idle");
}

/// A WAIT in the middle of a message that the controller lost is offered again, like the first one.
#[test]
fn a_lost_wait_between_blocks_is_offered_again() {
    let mut rig = Rig::new("bs=1 wft=1");
    rig.run(
        &[
            FF,
            "commit; con 0; busy",
            CF1,
            "at 100; commit; at 150; lost 1",
        ]
        .join(";"),
    );
    assert_eq!(rig.look(), "ff 20, WAIT, NAr 1100");
}

/// A flow control is said to be lost, though the peer has sent the whole block that it asked for: the next
/// one falls due, and the buffer is asked at once, not at the next poll.
#[test]
fn a_lost_flow_control_that_a_whole_block_answered_asks_the_buffer_at_once() {
    let mut rig = Rig::new("bs=1");
    rig.run(&[FF, "drain; commit", CF1, "at 300; lost 0"].join(";"));
    let next = rig.receiver.poll_timeout(&rig.config).unwrap();
    assert_eq!(next.timer, crate::time::Timer::NAr);
    assert_eq!(next.at, Instant::from_millis(1300));
}

#[test]
fn each_message_has_its_own_count_of_waits() {
    let mut rig = Rig::new("wft=1");
    rig.run(
        &[
            "busy",
            FF,
            "at 100; commit; con 0; abort; drain",
            FF,
            "at 200",
        ]
        .join(";"),
    );
    assert_eq!(rig.look(), "ff 20, N_ERROR, ff 20, WAIT, NAr 1200");
}

/// A late or double confirmation of a flow control changes nothing (`TIM-11`).
#[test]
fn stale_confirmations_change_nothing() {
    let mut rig = Rig::new("bs=1");
    rig.run(&[FF, "commit; lost 0; commit; con 0; lost 0"].join(";"));
    assert_eq!(rig.look(), "ff 20, NAr 1000");
    rig.run(&["con 1", CF1, "commit; con 1; lost 1"].join(";"));
    assert_eq!(rig.look(), "NAr 1000");
    rig.run(&["abort; drain", FF, "commit; con 2"].join(";"));
    assert_eq!(rig.look(), "N_ERROR, ff 20, NAr 1000");
}

/// The buffer's answer is a failure of this message only.
#[test]
fn a_buffer_that_fails_a_write_ends_the_message() {
    let mut rig = Rig::new("");
    rig.run("fail 0");
    rig.run(FF);
    assert_eq!(rig.look(), "ff 20, N_ERROR, idle", "in the first frame");
    rig.run(&["fail 13", FF, "commit; con 0", CF1, CF2].join(";"));
    assert_eq!(rig.look(), "ff 20, N_ERROR, idle", "in the last frame");
    rig.run(&["fail 99", FF, "commit; con 1", CF1, CF2].join(";"));
    assert_eq!(rig.look(), "ff 20, message 20, idle", "the next message");
}

/// `UNX-02`: an unread message keeps the buffer; the next one is held back until it is read.
#[test]
fn an_unread_message_holds_the_next_back() {
    let mut rig = Rig::new("wft=9");
    rig.run(&[FF, "drain; commit; con 0", CF1, CF2, FF].join(";"));
    assert!(rig.poll().is_none(), "no CTS while the message is unread");
    rig.run("at 100");
    assert!(rig.poll().is_some(), "but a WAIT");
    assert_eq!(rig.frame.data()[0], 0x31);
    assert_eq!(rig.look(), "ff 20, message 20, ff 20, CTS, NAr 1100");
}

/// What meets an outcome that nobody has polled is refused, and what was there stays.
#[test]
fn nothing_unread_is_overwritten() {
    let mut rig = Rig::new("");
    rig.run("rx 01 AA; ignored 02 BB CC; ignored 10 14 00 01 02 03 04 05");
    assert_eq!(rig.look(), "single 1, idle");
    rig.run(&[FF, "ignored 01 AA; ignored 10 15 00 01 02 03 04 05"].join(";"));
    assert_eq!(rig.look(), "ff 20, CTS, NAr 1000");
    rig.run("rx 01 AA; ignored 01 BB");
    assert_eq!(rig.look(), "N_UNEXP_PDU, single 1, idle");
}

/// `SVC-07`: BS and STmin of the next receptions; and how much of the running one is here.
#[test]
fn another_block_size_and_separation_time_hold_from_the_next_reception_on() {
    let mut rig = Rig::new("bs=1");
    rig.receiver.set_block_size(3);
    let five = core::time::Duration::from_millis(5);
    rig.receiver.set_st_min(StMin::at_least(five).unwrap());
    assert_eq!(rig.receiver.received(), 0);
    rig.run(FF);
    assert_eq!(rig.look(), "ff 20, CTS, NAr 1000");
    assert_eq!(rig.frame.data(), [0x30, 3, 5]);
    assert_eq!(rig.receiver.received(), 6);
    rig.run("commit; con 0");
    rig.run(CF1);
    assert_eq!(rig.receiver.received(), 13);
}
