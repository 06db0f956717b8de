mod pair;

use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;
use crate::testing::{counted, frame};
use crate::{FrameKind, Id, Timer};

static CONFIG: Config = Config::listening();

type Tested<'a> = Observer<&'a mut [u8]>;

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn tester() -> Address {
    let id = |value| Id::standard(value).unwrap();
    let address = Address::normal(id(0x7E0), id(0x7E8)).unwrap();
    address.with_functional_tx(id(0x7DF)).unwrap()
}

/// Everything that is known, as text.
fn drain<B: RxBuffer + AsRef<[u8]>, C: Deref<Target = Config>>(
    observer: &mut Observer<B, C>,
) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some((direction, observed)) = observer.poll_event() {
        let what = match observed {
            Observed::FlowControl(flow) => {
                let (bs, st_min) = (flow.block_size, flow.st_min.code());
                format!("fc {:?} {bs} {st_min:02X}", flow.status)
            }
            Observed::FirstFrame { size, .. } => format!("ff {size}"),
            Observed::Message(message) if message.is_functional() => {
                format!("functional {:02X?}", message.data())
            }
            Observed::Message(message) => format!("message {:02X?}", message.data()),
            Observed::Failed(result) => format!("failed {}", result.name()),
            Observed::Dropped(count) => format!("dropped {count}"),
            Observed::Ignored(reason) => format!("ignored {reason:?}"),
        };
        seen.push(format!("{direction:?} {what}"));
    }
    seen
}

/// Lets the observer hear `frames` at `at` and says what it saw.
fn hear(observer: &mut Tested<'_>, at: u64, frames: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    for text in frames {
        observer.handle_frame(ms(at), frame(text).view());
        seen.extend(drain(observer));
    }
    seen
}

fn with_observer(test: impl FnOnce(&mut Tested<'_>)) {
    let (mut a, mut b) = ([0; 100], [0; 100]);
    test(&mut Observer::new(tester(), &CONFIG, [&mut a[..], &mut b[..]]).unwrap());
}

/// A table: what is heard, what is seen. Each row is a fresh observer.
#[test]
fn each_kind_of_traffic_is_told_with_its_direction() {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            "SF",
            &["7E0#023E00", "7E8#027E00"],
            &["Tx message [3E, 00]", "Rx message [7E, 00]"],
        ),
        ("functional SF", &["7DF#013E"], &["Tx functional [3E]"]),
        ("functional FF", &["7DF#100A000102030405"], &[]),
        ("other id", &["7E1#013E"], &[]),
        (
            "FD in one direction, CC in the other",
            &["7E0##1023E00", "7E8#027E00"],
            &["Tx message [3E, 00]", "Rx message [7E, 00]"],
        ),
        (
            "flow control with nothing to answer",
            &["7E8#3F0814"],
            &["Rx fc Reserved(15) 8 14"],
        ),
        ("flow control too short", &["7E8#3008"], &[]),
        (
            "no flow control at all",
            &["7E8#1008000102030405", "7E8#210607"],
            &["Rx ff 8", "Rx message [00, 01, 02, 03, 04, 05, 06, 07]"],
        ),
        (
            "wrong sequence number",
            &[
                "7E0#1008000102030405",
                "7E8#300000",
                "7E0#220607",
                "7E0#210607",
            ],
            &[
                "Tx ff 8",
                "Rx fc ContinueToSend 0 00",
                "Tx failed N_WRONG_SN",
            ],
        ),
        (
            "a message cut short by the next",
            &["7E0#1008000102030405", "7E0#013E"],
            &["Tx ff 8", "Tx failed N_UNEXP_PDU", "Tx message [3E]"],
        ),
        (
            "first frame above the buffer",
            &["7E0#1065000102030405", "7E0#2106"],
            &[],
        ),
    ];
    for (name, heard, seen) in table {
        with_observer(|observer| assert_eq!(&hear(observer, 0, heard), seen, "{name}"));
    }
}

#[test]
fn both_directions_at_once_do_not_mix() {
    with_observer(|observer| {
        let frames = [
            "7E0#1008000102030405",
            "7E8#1008F0F1F2F3F4F5",
            "7E8#300000",
            "7E0#300000",
            "7E0#210607",
            "7E8#21F6F7",
        ];
        let seen = hear(observer, 0, &frames);
        assert_eq!(seen[4], "Tx message [00, 01, 02, 03, 04, 05, 06, 07]");
        assert_eq!(seen[5], "Rx message [F0, F1, F2, F3, F4, F5, F6, F7]");
    });
}

/// `PCI-13`, `FD-04`: 64-byte frames one way, 8-byte ones the other.
#[test]
fn each_direction_has_its_own_rx_dl() {
    with_observer(|observer| {
        let mut fd = std::vec![0x10, 70];
        fd.extend(counted(62));
        let view = |data| FrameView {
            id: Id::standard(0x7E0).unwrap(),
            kind: FrameKind::Fd { brs: true },
            data,
        };
        observer.handle_frame(ms(0), view(&fd));
        assert_eq!(drain(observer), ["Tx ff 70"]);
        let seen = hear(observer, 0, &["7E8#1008000102030405", "7E8#210607"]);
        assert_eq!(seen.len(), 2, "{seen:?}");
        let mut last = std::vec![0x21];
        last.extend(62..70);
        last.resize(12, 0xCC);
        observer.handle_frame(ms(0), view(&last));
        let Some((Direction::Tx, Observed::Message(message))) = observer.poll_event() else {
            panic!("the message is complete")
        };
        assert_eq!(message.data(), counted(70));
    });
}

#[test]
fn flow_controls_restart_n_cr() {
    with_observer(|observer| {
        hear(observer, 0, &["7E0#100E000102030405"]);
        for wait in 1..100 {
            let at = wait * 900;
            observer.handle_timeout(ms(at));
            assert_eq!(hear(observer, at, &["7E8#310000"]), ["Rx fc Wait 0 00"]);
            let timeout = observer.poll_timeout().unwrap();
            assert_eq!((timeout.at, timeout.timer), (ms(at + 1000), Timer::NCr));
        }
        hear(observer, 90_000, &["7E8#300000"]);
        assert_eq!(observer.poll_timeout().unwrap().at, ms(91_000));
        observer.handle_timeout(ms(90_999));
        assert!(drain(observer).is_empty());
        observer.handle_timeout(ms(91_000));
        assert_eq!(drain(observer), ["Tx failed N_TIMEOUT_Cr"]);
        assert_eq!(observer.poll_timeout(), None);
    });
}

/// A flow control of the own direction says nothing about the own message.
#[test]
fn only_the_other_side_keeps_a_transfer_alive() {
    with_observer(|observer| {
        hear(observer, 0, &["7E0#100E000102030405"]);
        hear(observer, 500, &["7E0#310000", "7E0#320000"]);
        assert_eq!(observer.poll_timeout().unwrap().at, ms(1000));
        assert!(observer.is_receiving(Direction::Tx));
    });
}

/// `FC-02`, `FC-03`, `FC-09`: which flow controls end a transfer, by where it stands.
#[test]
fn overflow_and_reserved_status_end_a_transfer_that_awaits_flow_control() {
    let first = "7E0#1020000102030405";
    let next = |sn: u8| format!("7E0#2{sn:X}060708090A0B0C");
    let (second, third) = (next(1), next(2));
    let table: &[(&str, &[&str], bool)] = &[
        ("after the first frame", &[first], true),
        ("after a wait", &[first, "7E8#310000"], true),
        ("after a CTS without limit", &[first, "7E8#300000"], false),
        (
            "in the middle of a block",
            &[first, "7E8#300200", &second],
            false,
        ),
        (
            "at the end of a block",
            &[first, "7E8#300200", &second, &third],
            true,
        ),
        (
            "in the next block",
            &[first, "7E8#300100", &second, "7E8#300000", &third],
            false,
        ),
        (
            "after a CTS that was not awaited",
            &[first, "7E8#300000", "7E8#300100", &second],
            false,
        ),
        ("flow control was missed", &[first, &second], true),
    ];
    for (fc, status, result) in [
        ("7E8#320000", "Overflow", "N_BUFFER_OVFLW"),
        ("7E8#370000", "Reserved(7)", "N_INVALID_FS"),
    ] {
        for (name, before, ends) in table {
            with_observer(|observer| {
                hear(observer, 0, before);
                let mut expected = std::vec![format!("Rx fc {status} 0 00")];
                if *ends {
                    expected.push(format!("Tx failed {result}"));
                }
                assert_eq!(hear(observer, 500, &[fc]), expected, "{name}");
                assert_eq!(observer.is_receiving(Direction::Tx), !ends, "{name}");
                let at = observer.poll_timeout().map(|timeout| timeout.at);
                assert_eq!(at, (!ends).then_some(ms(1000)), "{name}: N_Cr untouched");
            });
        }
    }
}

#[test]
fn undrained_messages_are_dropped_and_counted() {
    with_observer(|observer| {
        for text in ["7E0#0101", "7E0#0102", "7DF#0103", "7DF#0104"] {
            observer.handle_frame(ms(0), frame(text).view());
        }
        let expected = ["Tx message [01]", "Tx functional [03]", "Tx dropped 2"];
        assert_eq!(drain(observer), expected);
        assert_eq!(observer.ignored(Direction::Tx), 2);
        assert_eq!(observer.ignored(Direction::Rx), 0);
    });
}

#[test]
fn ignored_frames_are_told_with_diagnostics() {
    let config = Config {
        diagnostics: true,
        ..Config::listening()
    };
    let (mut a, mut b) = ([0; 10], [0; 10]);
    let buffers = [&mut a[..], &mut b[..]];
    let mut observer = Observer::with_spare(tester(), &config, buffers, [[0; 62]; 4]).unwrap();
    for (text, reason) in [
        ("7E0#40", "Tx ignored ReservedPci"),
        ("7E8#2100", "Rx ignored UnexpectedConsecutiveFrame"),
        ("7E8#100B000102030405", "Rx ignored Overflow"),
        ("7DF#300000", "Tx ignored Functional"),
    ] {
        observer.handle_frame(ms(0), frame(text).view());
        assert_eq!(drain(&mut observer), [reason]);
    }
}

/// `ADR-07`: strict unless the configuration says otherwise.
#[test]
fn one_frame_kind_only_if_so_configured() {
    let mut config = Config::listening();
    config.receive.any_kind = false;
    let (mut a, mut b) = ([0; 10], [0; 10]);
    let buffers = [&mut a[..], &mut b[..]];
    let mut observer = Observer::with_spare(tester(), &config, buffers, [[0; 7]; 4]).unwrap();
    observer.handle_frame(ms(0), frame("7E0##1013E").view());
    assert!(observer.poll_event().is_none());
    assert_eq!(observer.ignored(Direction::Tx), 1);
}

#[test]
fn a_configuration_that_would_answer_is_refused() {
    static ANSWERS: Config = Config::new();
    let (mut a, mut b) = ([0; 10], [0; 10]);
    let buffers = [&mut a[..], &mut b[..]];
    let refused = Observer::new(tester(), &ANSWERS, buffers).unwrap_err();
    assert_eq!(refused, ConfigError::NotListening);
    let buffers = [&mut a[..], &mut b[..]];
    let refused = Observer::with_spare(tester(), &CONFIG, buffers, [[0; 7]; 4]).unwrap_err();
    assert_eq!(
        refused,
        ConfigError::Spare {
            needed: 62,
            given: 7
        }
    );
}

/// `ADR-01`, `ADR-02`: halves of different formats, and priorities that do not matter.
#[test]
fn every_address_format_is_recognised() {
    use crate::Half;
    let id = Id::standard(0x600).unwrap();
    let mixed = Address::from_halves(Half::normal_fixed(0x10, 0xF1), Half::extended(id, 0xF1));
    let (mut a, mut b) = ([0; 10], [0; 10]);
    let buffers = [&mut a[..], &mut b[..]];
    let mut observer = Observer::new(mixed.unwrap(), &CONFIG, buffers).unwrap();
    let heard = ["0CDA10F1#013E", "600#F1017E", "600#F0017E", "18DA11F1#013E"];
    let seen = hear(&mut observer, 0, &heard);
    assert_eq!(seen, ["Tx message [3E]", "Rx message [7E]"]);
}

/// `P4`, for every first byte pair and length, in either direction.
#[test]
fn no_frame_makes_it_panic_or_speak() {
    with_observer(|observer| {
        let mut at = 0;
        for first in 0..=255u8 {
            for second in [0, 1, 7, 8, 255] {
                for len in 0..=64usize {
                    at += 7;
                    let mut data = [second; 64];
                    data[0] = first;
                    let value = if at % 2 == 0 { 0x7E0 } else { 0x7E8 };
                    observer.handle_frame(
                        ms(at),
                        FrameView {
                            id: Id::standard(value).unwrap(),
                            kind: FrameKind::Fd { brs: false },
                            data: &data[..len],
                        },
                    );
                    observer.handle_timeout(ms(at));
                    assert!(
                        observer
                            .poll_timeout()
                            .is_none_or(|timeout| timeout.at > ms(at))
                    );
                    if len % 3 == 0 {
                        drain(observer);
                    }
                }
            }
        }
    });
}

/// `RXE-06`: a functional message as long as the buffer is told, a longer one is not.
#[test]
fn a_functional_message_must_fit_the_buffer() {
    let config = Config {
        diagnostics: true,
        ..Config::listening()
    };
    let (mut a, mut b) = ([0; 5], [0; 5]);
    let buffers = [&mut a[..], &mut b[..]];
    let mut observer = Observer::with_spare(tester(), &config, buffers, [[0; 62]; 4]).unwrap();
    for (text, seen) in [
        ("7DF#050102030405", "Tx functional [01, 02, 03, 04, 05]"),
        ("7DF#06010203040506", "Tx ignored TooLong"),
    ] {
        observer.handle_frame(ms(0), frame(text).view());
        assert_eq!(drain(&mut observer), [seen]);
    }
}
