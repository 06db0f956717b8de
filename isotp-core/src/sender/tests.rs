//! The table above `Phase` in `transfer.rs`, row by row, and what the rows do together.
//!
//! Scripts are words separated by `;`. A message is `send N`; confirmations name frames by the order in
//! which they were committed, from 0. Times are in ms.

mod outside;
mod usual;

use core::time::Duration;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::config::{Confirmation, FlowControlUse};
use crate::frame::Id;
use crate::pdu::{Pdu, Reading};
use crate::testing::{counted, hex};

/// Gives only the bytes that it has.
struct Dripping {
    bytes: Vec<u8>,
    have: usize,
}

impl Payload for Dripping {
    fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let here = self.bytes[..self.have.min(self.bytes.len())].get(offset as usize..)?;
        Some(crate::pdu::copy(out, here)).filter(|&copied| copied > 0)
    }
}

struct Rig {
    sender: Sender<Dripping>,
    config: Config,
    now: Instant,
    tokens: Vec<TxToken>,
    frame: Frame,
    have: usize,
}

impl Rig {
    fn new(script: &str) -> Self {
        let mut config = Config::new();
        config.confirmation = Confirmation::Reported;
        // each timer has its own length, so that none is taken for another
        config.timing.n_bs = Duration::from_millis(900);
        config.timing.n_cs = Duration::from_millis(700);
        let mut rig = Self {
            sender: Sender::new(),
            config,
            now: Instant::ZERO,
            tokens: Vec::new(),
            frame: Frame::new(),
            have: usize::MAX,
        };
        rig.run(script);
        rig
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

    fn half() -> Half {
        Half::normal(Id::standard(0x7E0).unwrap())
    }

    fn poll(&mut self) -> Option<Transmit<'_>> {
        self.sender
            .poll_transmit(self.now, Self::half(), &self.config, &mut self.frame)
    }

    fn step(&mut self, step: &str) {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        let number = rest.trim().parse::<usize>().unwrap_or(usize::MAX);
        let now = self.now;
        match word {
            "window" => self.config.transmit.in_flight = number as u8,
            "limit" => self.config.transmit.max_wait = Some(number as u8),
            "static" => self.config.transmit.flow_control = FlowControlUse::FirstOnly,
            "have" => self.have = number,
            "send" => {
                let payload = Dripping {
                    bytes: counted(number),
                    have: self.have,
                };
                self.sender
                    .send(now, Self::half(), &self.config, payload)
                    .unwrap();
            }
            "feed" => self.sender.outgoing.payload.as_mut().unwrap().have = number,
            "commit" => {
                let token = self.poll().expect("a frame is ready").commit(now);
                self.tokens.push(token);
            }
            "full" => drop(self.poll().expect("a frame is ready")),
            "reject" => self.poll().expect("a frame is ready").reject(now),
            "con" => self
                .sender
                .handle_transmitted(now, &self.config, self.tokens[number]),
            "lost" => self.sender.handle_failed(self.tokens[number]),
            "fc" | "ignored" => {
                let bytes = hex(rest);
                let Ok(Pdu::FlowControl(flow)) = Pdu::decode(&bytes, 0, Reading::default()) else {
                    panic!("no flow control: {rest}")
                };
                let taken = self.sender.handle_flow_control(now, &self.config, flow);
                let expected = if word == "fc" {
                    Ok(())
                } else {
                    Err(Ignored::UnexpectedFlowControl)
                };
                assert_eq!(taken, expected, "{step}");
            }
            "at" => {
                self.now = Instant::from_millis(number as u64);
                self.sender.handle_timeout(self.now, &self.config);
            }
            "time" => self.now = Instant::from_millis(number as u64),
            "abort" => self.sender.abort(),
            _ => panic!("unknown step: {step}"),
        }
    }

    /// What can be seen from outside: the outcome, or the frame on offer and the timer.
    fn look(&mut self) -> String {
        if let Some(result) = self.sender.poll_confirm() {
            assert_eq!(self.sender.poll_timeout(&self.config), None);
            return result.name().to_string();
        }
        let offer = match self.poll() {
            Some(_) => format!("{:02X} ", self.frame.data()[0]),
            None => String::new(),
        };
        match self.sender.poll_timeout(&self.config) {
            Some(timeout) => format!(
                "{offer}{:?} {}",
                timeout.timer,
                timeout.at.as_micros() / 1000
            ),
            None => "idle".to_string(),
        }
    }
}

/// Scripts that lead to each phase; the message has three consecutive frames.
const FIRST: &str = "send 27";
const FIRST_SENT: &str = "send 27; commit";
const SINGLE_SENT: &str = "send 7; commit";
const AWAIT_FLOW: &str = "send 27; commit; con 0";
const READY: &str = "send 27; commit; con 0; at 100; fc 300000";
const SENT: &str = "send 27; commit; con 0; at 100; fc 300000; commit";
const SENT_BLOCK_END: &str = "send 27; commit; con 0; at 100; fc 300100; commit";
const SENT_LAST: &str = "send 13; commit; con 0; at 100; fc 300100; commit";
const GAP: &str = "send 27; commit; con 0; at 100; fc 30000A; commit; con 1";
const DONE: &str = "send 27; abort";

/// Each row: where it stands, the input, and what is seen then.
const TABLE: &[(&str, &str, &str)] = &[
    // Idle | request | First
    ("", "", "idle"),
    ("", "send 7", "07 NAs 1000"),
    ("", "send 8", "10 NAs 1000"),
    // First | commit | FirstSent, deadline kept
    (FIRST, "at 300; full", "10 NAs 1000"),
    (FIRST, "at 300; commit", "NAs 1000"),
    // First, Ready | no bytes yet | same, starved; N_Cs, then N_ERROR
    ("have 0; send 27; at 300", "", "NCs 1000"),
    ("have 5; send 27; at 300", "", "NCs 1000"),
    ("have 6; send 27; at 300", "", "10 NAs 1000"),
    // FirstSent | confirmed | SF: Done; FF: AwaitFlow
    (SINGLE_SENT, "con 0", "N_OK"),
    (FIRST_SENT, "at 300; con 0", "NBs 1200"),
    // FirstSent, Sent at a block's end | FC | kept until the confirmation
    (FIRST_SENT, "fc 300000", "NAs 1000"),
    (FIRST_SENT, "fc 300000; at 300; con 0", "21 NAs 1300"),
    (FIRST_SENT, "fc 310000; at 300; con 0", "NBs 1200"),
    (
        FIRST_SENT,
        "fc 310000; fc 310000; fc 300000; con 0",
        "21 NAs 1000",
    ),
    (
        FIRST_SENT,
        "fc 300000; ignored 320000; con 0",
        "21 NAs 1000",
    ),
    (
        FIRST_SENT,
        "fc 320000; ignored 300000; con 0",
        "N_BUFFER_OVFLW",
    ),
    (FIRST_SENT, "fc 300000; at 1000", "N_TIMEOUT_A"),
    (SENT_BLOCK_END, "fc 300000; at 300; con 1", "22 NAs 1300"),
    // AwaitFlow | CTS, WAIT, OVFLW, reserved, N_Bs
    (AWAIT_FLOW, "at 300; fc 300000", "21 NAs 1300"),
    (AWAIT_FLOW, "at 300; fc 310000", "NBs 1200"),
    (AWAIT_FLOW, "limit 1; fc 310000", "NBs 900"),
    (AWAIT_FLOW, "limit 1; fc 310000; fc 310000", "N_WFT_OVRN"),
    (AWAIT_FLOW, "limit 0; fc 310000", "N_WFT_OVRN"),
    (AWAIT_FLOW, "fc 320000", "N_BUFFER_OVFLW"),
    (AWAIT_FLOW, "fc 330000", "N_INVALID_FS"),
    (AWAIT_FLOW, "fc 3F0000", "N_INVALID_FS"),
    (AWAIT_FLOW, "at 899", "NBs 900"),
    (AWAIT_FLOW, "at 900", "N_TIMEOUT_Bs"),
    // Ready | commit | Sent; Ready while more may be in flight
    (READY, "at 300; commit", "NAs 1100"),
    (READY, "window 2; commit", "22 NAs 1100"),
    (READY, "window 2; commit; commit", "NAs 1100"),
    (AWAIT_FLOW, "window 2; fc 30000A; commit", "NAs 1000"),
    // Sent | confirmed
    (SENT_LAST, "con 1", "N_OK"),
    (SENT_BLOCK_END, "at 300; con 1", "NBs 1200"),
    (SENT, "at 300; con 1", "22 NAs 1300"),
    (SENT, "con 0", "NAs 1100"),
    // Sent | confirmed, and younger ones in flight | Sent
    (READY, "window 3; commit; commit; commit; con 1", "NAs 1100"),
    (
        AWAIT_FLOW,
        "window 2; fc 300200; commit; commit; con 1",
        "NAs 1000",
    ),
    // Gap | time | Ready
    (GAP, "", "StMin 110"),
    (GAP, "at 109", "StMin 110"),
    (GAP, "at 110", "22 NAs 1110"),
    (GAP, "time 109", "StMin 110"),
    (GAP, "time 110", "22 NAs 1110"),
    // First, FirstSent, Ready, Sent | N_As
    (FIRST, "at 999", "10 NAs 1000"),
    (FIRST, "at 1000", "N_TIMEOUT_A"),
    (FIRST_SENT, "at 1000", "N_TIMEOUT_A"),
    (SINGLE_SENT, "at 1000", "N_TIMEOUT_A"),
    (READY, "at 1099", "21 NAs 1100"),
    (READY, "at 1100", "N_TIMEOUT_A"),
    (SENT, "at 1100", "N_TIMEOUT_A"),
    // FirstSent, Sent | frame lost | First, Ready, deadline kept
    (FIRST_SENT, "at 300; lost 0", "10 NAs 1000"),
    (SINGLE_SENT, "at 300; lost 0", "07 NAs 1000"),
    (SENT, "at 300; lost 1", "21 NAs 1100"),
    (SENT_BLOCK_END, "fc 300000; lost 1; commit", "NAs 1100"),
    (FIRST_SENT, "fc 300000; lost 0; commit; con 1", "NBs 900"),
    (SENT_BLOCK_END, "lost 1; commit; con 2", "NBs 1000"),
    (AWAIT_FLOW, "lost 0", "NBs 900"),
    // any but Idle, Done | abort, rejected | Done N_ERROR
    (FIRST, "abort", "N_ERROR"),
    (FIRST_SENT, "abort", "N_ERROR"),
    (AWAIT_FLOW, "abort", "N_ERROR"),
    (READY, "abort", "N_ERROR"),
    (SENT, "abort", "N_ERROR"),
    (GAP, "abort", "N_ERROR"),
    (FIRST, "reject", "N_ERROR"),
    (READY, "reject", "N_ERROR"),
    ("", "abort", "idle"),
    ("send 7; commit; con 0", "abort", "N_OK"),
    // Done | confirmed, frame lost | kept
    (FIRST_SENT, "abort; lost 0; con 0", "N_ERROR"),
    (SENT, "abort; lost 1; con 1", "N_ERROR"),
    // any other | FC | ignored (FC-03)
    ("", "ignored 300000; ignored 320000", "idle"),
    (FIRST, "ignored 320000", "10 NAs 1000"),
    (SINGLE_SENT, "ignored 320000", "NAs 1000"),
    (READY, "ignored 320000", "21 NAs 1100"),
    (SENT, "ignored 320000", "NAs 1100"),
    (SENT_LAST, "ignored 320000", "NAs 1100"),
    (GAP, "ignored 3F0000", "StMin 110"),
    (DONE, "ignored 300000", "N_ERROR"),
];

#[test]
fn each_row_of_the_state_table() {
    for (before, input, expected) in TABLE {
        let mut rig = Rig::new(before);
        rig.run(input);
        assert_eq!(rig.look(), *expected, "[{before}] then [{input}]");
    }
}

/// `P1`, `P3`: in every state of the table, polling without commit and time alone come to an end.
#[test]
fn every_state_ends_without_a_controller() {
    for (before, input, _) in TABLE {
        let mut rig = Rig::new(before);
        rig.run(input);
        let mut timeouts = 0;
        while let Some(timeout) = rig.sender.poll_timeout(&rig.config) {
            rig.now = timeout.at;
            rig.sender.handle_timeout(timeout.at, &rig.config);
            let next = rig.sender.poll_timeout(&rig.config);
            assert!(
                next.is_none_or(|next| next.at > timeout.at),
                "[{before}] [{input}]"
            );
            let _ = rig.poll();
            timeouts += 1;
            assert!(timeouts < 4, "[{before}] [{input}]");
        }
    }
}

/// `TIM-08`: N_Cs runs from the poll that found nothing, and ends when there is a whole frame.
#[test]
fn n_cs_ends_a_message_whose_payload_gives_nothing() {
    let mut rig = Rig::new("have 6; send 27; commit; con 0; at 100; fc 300000; at 200");
    assert_eq!(rig.look(), "NCs 900", "nothing");
    rig.run("at 300; feed 12");
    assert_eq!(
        rig.look(),
        "NCs 900",
        "one byte too few does not restart it"
    );
    rig.run("at 400; feed 13");
    assert_eq!(rig.look(), "21 NAs 1400", "a whole frame");
    rig.run("commit; con 1; at 500");
    assert_eq!(rig.look(), "NCs 1200");
    rig.run("at 1199");
    assert_eq!(rig.look(), "NCs 1200");
    rig.run("at 1200");
    assert_eq!(rig.look(), "N_ERROR");
}

#[test]
fn bytes_that_come_while_a_frame_is_in_flight_do_not_restart_its_timer() {
    let mut rig = Rig::new("window 2; have 13; send 27; commit; con 0; at 100; fc 300000; commit");
    assert_eq!(rig.look(), "NAs 1100");
    rig.run("at 300; feed 20");
    assert_eq!(rig.look(), "22 NAs 1100");
}

/// While a frame is in flight, N_As is the timer, and N_Cs begins at its confirmation.
#[test]
fn n_cs_waits_for_the_frames_in_flight() {
    let mut rig = Rig::new("window 2; have 13; send 27; commit; con 0; at 100; fc 300000; commit");
    rig.run("at 200");
    assert_eq!(rig.look(), "NAs 1100");
    rig.run("at 300; con 1");
    assert_eq!(rig.look(), "NCs 1000");
}

/// `FC-04`, `D-17`: BS and STmin of each CTS, or of the first.
#[test]
fn parameters_of_every_or_of_the_first_flow_control() {
    let script = "send 27; commit; con 0; fc 300100; commit; con 1; fc 30000A; commit; con 2";
    assert_eq!(Rig::new(script).look(), "StMin 10");
    assert_eq!(Rig::new(&format!("static; {script}")).look(), "NBs 900");
}

/// `FC-10`: the count of WAITs starts again after a CTS, and early WAITs count.
#[test]
fn waits_in_a_row_are_limited() {
    let mut rig = Rig::new("limit 1; send 27; commit; fc 310000; con 0; fc 300100; commit");
    rig.run("fc 310000; con 1");
    assert_eq!(rig.look(), "NBs 900");
    rig.run("fc 310000");
    assert_eq!(rig.look(), "N_WFT_OVRN");
    let mut rig = Rig::new("limit 1; send 27; commit; fc 310000; fc 310000; ignored 300000; con 0");
    assert_eq!(rig.look(), "N_WFT_OVRN");
    for (early, outcome) in [(255, "NBs 900"), (256, "N_WFT_OVRN")] {
        let waits = "fc 310000; ".repeat(early);
        let mut rig = Rig::new(&format!("limit 255; send 27; commit; {waits}con 0"));
        assert_eq!(rig.look(), outcome, "{early} early waits of 255");
    }
}

/// `TIM-11`, `P6`: in a window of three, out of order, twice, and of an older message.
#[test]
fn confirmations_are_matched_to_their_own_frame() {
    let window = "window 3; send 41; commit; con 0; at 100; fc 300000; commit; commit; commit";
    let mut rig = Rig::new(window);
    assert_eq!(rig.look(), "NAs 1100");
    rig.run("at 200; con 2");
    assert_eq!(
        rig.look(),
        "24 NAs 1200",
        "the second confirms the first, too"
    );
    rig.run("commit; commit");
    assert_eq!(rig.look(), "NAs 1200", "three in flight again");
    rig.run("at 300; con 1; con 2; con 0; lost 1; lost 2");
    assert_eq!(rig.look(), "NAs 1200", "stale ones change nothing");
    rig.run("con 5");
    assert_eq!(rig.look(), "N_OK", "the last confirms all");
    rig.run("con 5; lost 5");
    assert_eq!(rig.look(), "idle");
}

#[test]
fn a_confirmation_of_an_aborted_message_is_not_credited_to_the_next() {
    let mut rig = Rig::new("window 3; send 41; commit; con 0; fc 300000; commit; commit; abort");
    assert_eq!(rig.look(), "N_ERROR");
    rig.run("at 100; send 7; con 1; con 2; lost 2");
    assert_eq!(rig.look(), "07 NAs 1100");
    rig.run("commit; con 0; con 1; con 2; lost 1");
    assert_eq!(rig.look(), "NAs 1100");
    rig.run("con 3");
    assert_eq!(rig.look(), "N_OK");
}

/// A lost frame is offered again, with its number, if it is alone in flight; else the order is lost.
#[test]
fn a_lost_frame_in_a_window() {
    let window = "window 3; send 41; commit; con 0; fc 300000; commit; commit; commit";
    for lost in 1..=3 {
        let mut rig = Rig::new(window);
        rig.run(&format!("lost {lost}"));
        assert_eq!(rig.look(), "N_ERROR", "frame {lost} of three in flight");
    }
    let mut rig = Rig::new(window);
    rig.run("con 2; lost 3");
    assert_eq!(rig.look(), "23 NAs 1000");
    rig.run("commit; commit; commit; con 6");
    assert_eq!(rig.look(), "N_OK");
}

/// `PCI-15`: 15 is followed by 0, also where a frame was lost between.
#[test]
fn sequence_numbers_wrap() {
    let mut rig = Rig::new("send 200; commit; con 0; fc 300000");
    for frame in 1..=27 {
        let expected = format!("2{:X}", frame % 16);
        assert!(rig.look().starts_with(&expected), "frame {frame}");
        let token = 2 * frame - 1;
        rig.run(&format!("commit; lost {token}"));
        assert!(rig.look().starts_with(&expected), "frame {frame} again");
        rig.run(&format!("commit; con {}", token + 1));
    }
    rig.run("commit; con 55");
    assert_eq!(rig.look(), "N_OK");
}
