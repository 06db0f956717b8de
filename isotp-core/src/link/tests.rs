//! Links: whom they answer, what they refuse, what they tell.

mod change;
mod foreign;
mod functional;
mod memory;
mod order;
mod progress;
mod usual;

use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::Half;
use crate::config::Confirmation;
use crate::error::{Cause, NResult};
use crate::frame::{Frame, Id};
use crate::machine::{Machine, TxToken};
use crate::testing::{counted, frame};

type Tested<'a> = Link<Vec40, Vec<u8>, &'a Config>;

/// A buffer of 40 bytes that answers as it is told.
#[derive(Debug)]
struct Vec40 {
    bytes: Vec<u8>,
    ready: bool,
}

impl AsRef<[u8]> for Vec40 {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl RxBuffer for Vec40 {
    fn limit(&self) -> u32 {
        40
    }

    fn ready(&mut self, _size: u32, _received: u32) -> bool {
        self.ready
    }

    fn start(&mut self, _size: u32) {
        self.bytes.clear();
    }

    fn write(&mut self, _offset: u32, data: &[u8]) -> bool {
        self.bytes.extend_from_slice(data);
        true
    }
}

fn std(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn link(address: Address, config: &Config) -> Tested<'_> {
    let buffer = Vec40 {
        bytes: Vec::new(),
        ready: true,
    };
    Link::with_spare(address, config, buffer, [[0; 62]; 2]).unwrap()
}

fn normal() -> Address {
    Address::normal(std(0x7E0), std(0x7E8)).unwrap()
}

fn hear(link: &mut impl Machine, text: &str) {
    link.handle_frame(ms(0), frame(text).view());
}

/// Commits every frame that wants to go out.
fn sent(link: &mut impl Machine) -> Vec<String> {
    let (mut frame, mut all) = (Frame::new(), Vec::new());
    while let Some(transmit) = link.poll_transmit(ms(0), &mut frame) {
        transmit.commit(ms(0));
        all.push(frame.to_string());
    }
    all
}

fn commit(link: &mut impl Machine) -> (String, TxToken) {
    let mut frame = Frame::new();
    let token = link
        .poll_transmit(ms(0), &mut frame)
        .expect("a frame is ready")
        .commit(ms(0));
    (frame.to_string(), token)
}

/// Every event, as text.
fn told<B, P, C>(link: &mut Link<B, P, C>) -> Vec<String>
where
    B: RxBuffer + AsRef<[u8]>,
    P: Payload,
    C: Deref<Target = Config>,
{
    let mut all = Vec::new();
    while let Some(event) = link.poll_event() {
        all.push(match event {
            Event::FirstFrame { size, source } => std::format!("ff {size} from {source:02X}"),
            Event::Received(message) => {
                let kind = if message.is_functional() {
                    "functional"
                } else {
                    "message"
                };
                std::format!("{kind} {} from {:02X}", message.size(), message.source())
            }
            Event::ReceptionFailed(result) => std::format!("failed {}", result.name()),
            Event::Confirmed(result) => result.name().to_string(),
            Event::FunctionalConfirmed(result) => std::format!("functional {}", result.name()),
            Event::Dropped(count) => std::format!("dropped {count}"),
            Event::Ignored(reason) => std::format!("{reason:?}"),
        });
    }
    all
}

fn any_source() -> Address {
    Address::normal_fixed(0xF1, 0x10)
        .unwrap()
        .with_any_source()
        .unwrap()
}

#[test]
fn any_source_is_answered_where_it_sends_from() {
    let config = Config::new();
    let mut link = link(any_source(), &config);
    hear(&mut link, "18DAF142#1008000102030405");
    assert_eq!(sent(&mut link), ["18DA42F1#300000"]);
    hear(&mut link, "18DAF142#210607");
    assert_eq!(told(&mut link), ["ff 8 from 42", "message 8 from 42"]);
    link.send(ms(0), counted(3)).unwrap();
    assert_eq!(
        sent(&mut link),
        ["18DA42F1#03000102"],
        "the next message goes there, too"
    );
}

#[test]
fn a_first_frame_that_is_too_long_is_refused_where_it_comes_from() {
    let config = Config::new();
    let mut link = link(any_source(), &config);
    hear(&mut link, "18DAF142#1029000102030405");
    assert_eq!(sent(&mut link), ["18DA42F1#320000"]);
    hear(&mut link, "18DAF143#1029000102030405");
    assert_eq!(sent(&mut link), ["18DA43F1#320000"]);
}

/// The peer of a message is fixed when it begins, whoever is heard meanwhile.
#[test]
fn only_the_peer_of_the_message_may_control_it() {
    let mut config = Config::new();
    config.diagnostics = true;
    let mut link = link(any_source(), &config);
    link.send(ms(0), counted(8)).unwrap();
    assert_eq!(sent(&mut link), ["18DA10F1#1008000102030405"]);
    hear(&mut link, "18DAF142#013E");
    assert_eq!(told(&mut link), ["message 1 from 42"]);
    hear(&mut link, "18DAF142#320000");
    assert_eq!(told(&mut link), ["OtherSource"]);
    hear(&mut link, "18DAF110#300000");
    assert_eq!(sent(&mut link), ["18DA10F1#210607"]);
    assert_eq!(told(&mut link), ["N_OK"]);
    link.send(ms(0), counted(1)).unwrap();
    assert_eq!(sent(&mut link), ["18DA42F1#0100"]);
}

/// Halves of different formats: each direction has its own prefix length, in data and flow control.
#[test]
fn mixed_halves() {
    let fixed = Half::normal_fixed(0x10, 0xF1);
    let table = [
        (
            Half::normal(std(1)),
            Half::extended(std(2), 0xF1),
            "001#",
            "002#F1",
        ),
        (
            Half::extended(std(1), 0x10),
            Half::normal(std(2)),
            "001#10",
            "002#",
        ),
        (fixed, Half::mixed_11(std(2), 0x99), "18DA10F1#", "002#99"),
        (
            Half::mixed_29(0x10, 0xF1, 0x99),
            Half::normal(std(2)),
            "18CE10F1#99",
            "002#",
        ),
    ];
    for (tx, rx, tx_head, rx_head) in table {
        let config = Config::new();
        let mut link = link(Address::from_halves(tx, rx).unwrap(), &config);
        let carried = 6 - rx.prefix_len();
        let first = "000102030405"[..2 * carried].to_string();
        hear(&mut link, &std::format!("{rx_head}1008{first}"));
        assert_eq!(sent(&mut link), [std::format!("{tx_head}300000")]);
        hear(&mut link, &std::format!("{rx_head}21AABBCC"));
        assert_eq!(told(&mut link).len(), 2, "{rx_head}");
        let tail: &[u8] = if carried == 6 {
            &[0xAA, 0xBB]
        } else {
            &[0xAA, 0xBB, 0xCC]
        };
        assert_eq!(link.buffer().bytes[carried..], *tail);

        link.send(ms(0), counted(8)).unwrap();
        let carried = 6 - tx.prefix_len();
        let (first, last) = "0001020304050607".split_at(2 * carried);
        assert_eq!(sent(&mut link), [std::format!("{tx_head}1008{first}")]);
        hear(&mut link, &std::format!("{rx_head}300000"));
        assert_eq!(sent(&mut link), [std::format!("{tx_head}21{last}")]);
        assert_eq!(told(&mut link), ["N_OK"]);
    }
}

/// `FC-11`: no flow control, any block structure, and a refusal to send.
#[test]
fn a_link_that_listens_never_speaks() {
    let config = Config::listening();
    let address = normal().with_functional_tx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    hear(&mut link, "7E8#1014000102030405");
    assert_eq!(sent(&mut link), Vec::<String>::new());
    hear(&mut link, "7E8#21060708090A0B0C");
    hear(&mut link, "7E8#220D0E0F10111213");
    assert_eq!(told(&mut link), ["ff 20 from E8", "message 20 from E8"]);
    hear(&mut link, "7E8#1029000102030405");
    assert_eq!(sent(&mut link), Vec::<String>::new(), "no FC.OVFLW");
    let refused = link.send(ms(0), counted(2)).unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::ListenOnly, counted(2))
    );
    let refused = link.send_functional(ms(0), counted(2)).unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::ListenOnly, counted(2))
    );
    hear(&mut link, "7E8#1014000102030405");
    link.buffer_mut().ready = false;
    hear(&mut link, "7E8#21060708090A0B0C");
    hear(&mut link, "7E8#220D0E0F10111213");
    let expected = ["ff 20 from E8", "message 20 from E8"];
    assert_eq!(
        told(&mut link),
        expected,
        "a listener cannot hold the sender back"
    );
}

/// `UNX-04` and the table of requirements 1.7, half duplex.
#[test]
fn half_duplex() {
    let mut config = Config::new();
    config.duplex = Duplex::Half;
    config.diagnostics = true;
    let mut link = link(normal(), &config);
    link.send(ms(0), counted(8)).unwrap();
    for text in ["7E8#013E", "7E8#1008000102030405", "7E8#210607"] {
        hear(&mut link, text);
        assert_eq!(told(&mut link), ["HalfDuplex"], "{text}");
    }
    sent(&mut link);
    hear(&mut link, "7E8#300000");
    sent(&mut link);
    assert_eq!(told(&mut link), ["N_OK"]);
    hear(&mut link, "7E8#1008000102030405");
    assert_eq!(told(&mut link), ["ff 8 from E8"]);
    let refused = link.send(ms(0), counted(1)).unwrap_err();
    assert_eq!(refused.error, SendError::Receiving);
    hear(&mut link, "7E8#320000");
    assert_eq!(told(&mut link), ["HalfDuplex"]);
}

/// `SVC-06`: what was lost because nobody asked is counted and told, whatever it was.
#[test]
fn undrained_messages_are_dropped_and_told() {
    let config = Config::new();
    let address = normal().with_functional_rx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    for text in [
        "7E8#0101",
        "7E8#0102",
        "7E8#1008000102030405",
        "7DF#0103",
        "7DF#0104",
    ] {
        hear(&mut link, text);
    }
    let expected = ["message 1 from E8", "functional 1 from DF", "dropped 3"];
    assert_eq!(told(&mut link), expected);
    assert_eq!(link.ignored(), 3);
    assert!(
        sent(&mut link).is_empty(),
        "a dropped first frame is not answered"
    );
    hear(&mut link, "7E8#0101");
    assert_eq!(told(&mut link), ["message 1 from E8"]);
}

/// `SVC-02`, `ADR-04`, `TXF-09`: refused at once, by name, and the payload comes back.
#[test]
fn refused_payloads_come_back() {
    let config = Config::new();
    let mut link = link(normal().with_functional_tx(std(0x7DF)).unwrap(), &config);
    let mut refuse = |functional: bool, len: usize, error: SendError| {
        let result = if functional {
            link.send_functional(ms(0), counted(len))
        } else {
            link.send(ms(0), counted(len))
        };
        let refused = result.unwrap_err();
        assert_eq!((refused.error, refused.payload), (error, counted(len)));
    };
    refuse(false, 0, SendError::Empty);
    refuse(true, 0, SendError::Empty);
    refuse(true, 8, SendError::TooLong { size: 8, max: 7 });
    link.send(ms(0), counted(8)).unwrap();
    link.send_functional(ms(0), counted(7)).unwrap();
    for functional in [false, true] {
        let result = match functional {
            true => link.send_functional(ms(0), counted(5)),
            false => link.send(ms(0), counted(5)),
        };
        let refused = result.unwrap_err();
        assert_eq!(
            (refused.error, refused.payload),
            (SendError::Busy, counted(5))
        );
    }
    assert_eq!(
        sent(&mut link),
        ["7DF#0700010203040506", "7E0#1008000102030405"]
    );
}

/// `ADR-07`, `D-11`.
#[test]
fn frame_kinds() {
    let mut config = Config::new();
    config.diagnostics = true;
    let mut strict = link(normal(), &config);
    hear(&mut strict, "7E8##1013E");
    assert_eq!(told(&mut strict), ["FrameKind"]);
    config.receive.any_kind = true;
    let mut any = link(normal(), &config);
    hear(&mut any, "7E8##1013E");
    hear(&mut any, "7E9#013E");
    assert_eq!(told(&mut any), ["message 1 from E8"]);
}

/// `P4`: any token, on a link that never gave one out or in the middle of a message.
#[test]
fn tokens_of_nobody_change_nothing() {
    let mut config = Config::new();
    config.confirmation = Confirmation::Reported;
    let mut link = link(normal(), &config);
    link.send(ms(0), counted(8)).unwrap();
    let (_, token) = commit(&mut link);
    for bits in (0..64u64)
        .map(|shift| token.to_bits() ^ 1 << shift)
        .chain([u64::MAX, 77])
    {
        if bits >> 32 == 0 {
            link.handle_transmitted(ms(0), TxToken::from_bits(bits));
            link.handle_failed(ms(0), TxToken::from_bits(bits));
        }
    }
    let n_as = link.poll_timeout().unwrap();
    assert_eq!(n_as.timer, crate::Timer::NAs);
    link.handle_transmitted(ms(0), TxToken::from_bits(token.to_bits()));
    assert_eq!(link.poll_timeout().unwrap().timer, crate::Timer::NBs);
}

/// Time that runs backward is clamped: no deadline moves into the past.
#[test]
fn a_clock_that_runs_backward_is_clamped() {
    let config = Config::new();
    let mut link = link(normal(), &config);
    link.handle_timeout(ms(5000));
    link.send(ms(0), counted(8)).unwrap();
    assert_eq!(link.poll_timeout().unwrap().at, ms(6000));
}

#[test]
fn aborts_end_each_direction_alone() {
    let config = Config::new();
    let mut link = link(normal(), &config);
    link.send(ms(0), counted(8)).unwrap();
    hear(&mut link, "7E8#1008000102030405");
    link.abort_send(ms(0));
    assert!(link.is_receiving() && !link.is_sending());
    link.abort_receive(ms(0));
    let aborted = NResult::Error(Cause::Aborted);
    assert!(matches!(link.poll_event(), Some(Event::Confirmed(result)) if result == aborted));
    assert_eq!(told(&mut link), ["ff 8 from E8", "failed N_ERROR"]);
    assert!(sent(&mut link).is_empty());
    assert_eq!(link.poll_timeout(), None);
}

/// Whoever spoke last is answered, unless the user names another.
#[test]
fn a_message_goes_to_whom_the_user_names() {
    let config = Config::new();
    let mut link = link(any_source(), &config);
    hear(&mut link, "18DAF142#013E");
    assert_eq!(told(&mut link), ["message 1 from 42"]);
    link.answer_to(0x77);
    link.send(ms(0), counted(1)).unwrap();
    assert_eq!(sent(&mut link), ["18DA77F1#0100"]);
}

/// A functional message and then the newest reason for ignoring a frame: both are told.
#[test]
fn a_reason_is_told_behind_a_functional_message() {
    let mut config = Config::new();
    config.diagnostics = true;
    let address = normal().with_functional_rx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    hear(&mut link, "7DF#023E00");
    hear(&mut link, "7E8#40");
    let told = told(&mut link);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("functional 2"), "{told:?}");
    assert_eq!(told[1], "ReservedPci");
}
