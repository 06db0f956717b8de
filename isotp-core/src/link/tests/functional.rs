//! The table of `functional.rs`, row by row, and functional messages beside physical ones.

use super::*;
use crate::time::Timer;

fn tester() -> Address {
    normal().with_functional_tx(std(0x7DF)).unwrap()
}

/// Each row: what is done to a functional message of one byte in a link that gets confirmations, the
/// events, and whether a frame is on offer and N_As runs.
const TABLE: &[(&str, &[&str], bool, bool)] = &[
    // Idle | request | Ready, N_As
    ("", &[], true, true),
    // Ready | commit | Sent, deadline kept
    ("commit", &[], false, true),
    // Sent | confirmed | Done N_OK
    ("commit con", &["functional N_OK"], false, false),
    // Sent | frame lost | Ready, deadline kept
    ("commit lost", &[], true, true),
    ("commit lost commit con", &["functional N_OK"], false, false),
    // Ready, Sent | N_As | Done N_TIMEOUT_A
    ("time", &["functional N_TIMEOUT_A"], false, false),
    ("commit time", &["functional N_TIMEOUT_A"], false, false),
    ("commit time con", &["functional N_TIMEOUT_A"], false, false),
    // Ready | rejected | Done N_ERROR
    ("reject", &["functional N_ERROR"], false, false),
    // aborts are those of the physical channel (SVC-08)
    ("abort", &[], true, true),
];

#[test]
fn each_row_of_the_functional_table() {
    for (script, events, offered, timed) in TABLE {
        let mut config = Config::new();
        config.confirmation = Confirmation::Reported;
        let mut link = link(tester(), &config);
        link.send_functional(ms(0), counted(1)).unwrap();
        let mut token = None;
        for step in script.split_whitespace() {
            match step {
                "commit" => token = Some(commit(&mut link).1),
                "con" => link.handle_transmitted(ms(0), token.unwrap()),
                "lost" => link.handle_failed(ms(0), token.unwrap()),
                "time" => {
                    link.handle_timeout(ms(999));
                    assert!(link.poll_timeout().is_some(), "not early");
                    link.handle_timeout(ms(1000));
                }
                "reject" => {
                    let mut frame = Frame::new();
                    link.poll_transmit(ms(0), &mut frame).unwrap().reject(ms(0));
                }
                _ => link.abort_send(ms(0)),
            }
        }
        let timeout = link.poll_timeout();
        let expected = timed.then_some((ms(1000), Timer::NAs));
        assert_eq!(
            timeout.map(|timeout| (timeout.at, timeout.timer)),
            expected,
            "{script}"
        );
        assert_eq!(told(&mut link), *events, "{script}");
        let mut frame = Frame::new();
        assert_eq!(
            link.poll_transmit(ms(0), &mut frame).is_some(),
            *offered,
            "{script}"
        );
    }
}

/// `SVC-02`: neither channel blocks the other, and late confirmations stay in their own.
#[test]
fn functional_and_physical_messages_do_not_block_each_other() {
    let mut config = Config::new();
    config.confirmation = Confirmation::Reported;
    config.duplex = Duplex::Half;
    let mut link = link(tester(), &config);
    link.send(ms(0), counted(8)).unwrap();
    let (_, first) = commit(&mut link);
    link.send_functional(ms(0), counted(2)).unwrap();
    let (text, functional) = commit(&mut link);
    assert_eq!(text, "7DF#020001");
    link.handle_transmitted(ms(0), functional);
    assert_eq!(told(&mut link), ["functional N_OK"]);
    assert_eq!(
        link.poll_timeout().unwrap().timer,
        Timer::NAs,
        "the first frame is in flight"
    );
    assert_eq!(link.take_functional_payload(), Some(counted(2)));
    link.handle_transmitted(ms(0), first);
    assert_eq!(link.poll_timeout().unwrap().timer, Timer::NBs);
}

/// `ADR-06`: a functional single frame is delivered at once and disturbs nothing.
#[test]
fn a_functional_message_does_not_disturb_a_reception() {
    let config = Config::new();
    let address = normal().with_functional_rx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    hear(&mut link, "7E8#1008000102030405");
    hear(&mut link, "7DF#023E80");
    assert_eq!(told(&mut link), ["ff 8 from E8", "functional 2 from DF"]);
    assert_eq!(sent(&mut link), ["7E0#300000"]);
    hear(&mut link, "7E8#210607");
    assert_eq!(told(&mut link), ["message 8 from E8"]);
}

/// `ADR-04`: on a functional id, only single frames that fit the buffer are messages.
#[test]
fn only_single_frames_are_functional() {
    let mut config = Config::new();
    config.diagnostics = true;
    let address = normal().with_functional_rx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    for text in ["7DF#1008000102030405", "7DF#210607", "7DF#300000"] {
        hear(&mut link, text);
        assert_eq!(told(&mut link), ["Functional"], "{text}");
    }
    assert!(sent(&mut link).is_empty());
}

#[test]
fn a_link_without_functional_id_refuses() {
    let config = Config::new();
    let mut link = link(normal(), &config);
    let refused = link.send_functional(ms(0), counted(1)).unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::NoFunctionalId, counted(1))
    );
}

/// `TIM-11`.
#[test]
fn a_late_confirmation_is_not_credited_to_the_next_functional_message() {
    let mut config = Config::new();
    config.confirmation = Confirmation::Reported;
    let mut link = link(tester(), &config);
    link.send_functional(ms(0), counted(1)).unwrap();
    let (_, late) = commit(&mut link);
    link.handle_timeout(ms(1000));
    assert_eq!(told(&mut link), ["functional N_TIMEOUT_A"]);
    link.send_functional(ms(1000), counted(2)).unwrap();
    commit(&mut link);
    link.handle_transmitted(ms(1000), late);
    link.handle_failed(ms(1000), late);
    assert!(told(&mut link).is_empty() && sent(&mut link).is_empty());
}

/// The answer to a functional request goes to whoever asked.
#[test]
fn a_functional_request_from_any_source_is_answered_there() {
    let config = Config::new();
    let address = any_source().with_functional_group(0x33).unwrap();
    let mut link = link(address, &config);
    hear(&mut link, "18DB3342#023E00");
    assert_eq!(told(&mut link), ["functional 2 from 42"]);
    link.send(ms(0), counted(1)).unwrap();
    assert_eq!(sent(&mut link), ["18DA42F1#0100"]);
}

/// `RXE-06`: the limit of the buffer holds for functional messages too.
#[test]
fn a_functional_message_longer_than_the_buffer_is_dropped() {
    let mut config = Config::new();
    config.diagnostics = true;
    let address = normal().with_functional_rx(std(0x7DF)).unwrap();
    let mut memory = [0; 2];
    let mut link: Link<&mut [u8], &[u8], _> =
        Link::with_spare(address, &config, &mut memory[..], [[0; 62]; 2]).unwrap();
    hear(&mut link, "7DF#03010203");
    assert_eq!(told(&mut link), ["TooLong"]);
    hear(&mut link, "7DF#020102");
    assert_eq!(told(&mut link), ["functional 2 from DF"]);
}

/// A payload that breaks its word: its size grows after it was accepted.
struct Growing {
    size: core::cell::Cell<u32>,
    step: u32,
}

impl Payload for Growing {
    fn size(&self) -> u32 {
        let size = self.size.get();
        self.size.set(size.saturating_add(self.step));
        size
    }

    fn copy_to(&mut self, _offset: u32, out: &mut [u8]) -> Option<usize> {
        Some(out.len())
    }
}

#[test]
fn a_functional_payload_that_grows_holds_nothing_up() {
    let config = Config::new();
    let mut memory = [0; 8];
    let mut link: Link<&mut [u8], Growing, _> =
        Link::with_spare(tester(), &config, &mut memory[..], [[0; 62]; 2]).unwrap();
    let payload = |step| Growing {
        size: core::cell::Cell::new(7),
        step,
    };
    link.send_functional(ms(0), payload(u32::MAX)).unwrap();
    link.send(ms(0), payload(0)).unwrap();
    assert_eq!(sent(&mut link).len(), 1, "the physical message goes out");
    link.handle_timeout(ms(1000));
    assert_eq!(told(&mut link), ["N_OK", "functional N_TIMEOUT_A"]);
}
