//! Requests, indications and what is refused.

use isotp_core::{Address, ChangeError, Config, Id, Instant, Parameter, SendError, StMin};

use crate::node::{Node, counting, tester};

/// `SVC-02`, `TXF-09`, `ADR-04`, `D-26`: a refused payload comes back, and names the rule.
#[test]
fn a_refused_payload_comes_back() {
    let mut node = Node::new(tester(), &Config::new());
    let now = Instant::ZERO;
    let refused = node.link.send(now, vec![]).unwrap_err();
    assert_eq!(refused.error, SendError::Empty);
    node.request(0, counting(20));
    let refused = node.link.send(now, vec![7; 3]).unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::Busy, vec![7; 3])
    );
    let refused = node.link.send_functional(now, vec![7; 8]).unwrap_err();
    assert_eq!(refused.error, SendError::TooLong { size: 8, max: 7 });
    assert_eq!(refused.payload, vec![7; 8]);
    assert_eq!(
        node.sent(0),
        ["7E0#1014000102030405"],
        "the running one is untouched"
    );
}

/// `SVC-03`, `SVC-04`, `SVC-06`: ignored frames are counted, and nothing else.
#[test]
fn ignored_frames_are_counted_and_reported_only_on_demand() {
    for (diagnostics, events) in [
        (false, vec![]),
        (true, vec!["Ignored(SingleFrame)".to_owned()]),
    ] {
        let mut config = Config::new();
        config.diagnostics = diagnostics;
        let mut node = Node::<Vec<u8>>::new(tester(), &config);
        node.receive(0, "7E8#00");
        assert_eq!(node.events(), events);
        assert_eq!(node.link.ignored(), 1);
        node.receive(1, "7E9#00");
        assert_eq!(
            node.link.ignored(),
            1,
            "the frame of another address is not ours to count"
        );
    }
}

/// `SVC-07`: the three refusals, in the order in which they are looked for.
#[test]
fn change_parameter_refuses_by_parameter_reception_value() {
    let mut node = Node::<Vec<u8>>::new(tester(), &Config::new());
    assert_eq!(
        "STmin".parse::<Parameter>(),
        Err(ChangeError::WrongParameter)
    );
    let (bs, st_min) = ("BS".parse().unwrap(), "STMIN".parse().unwrap());
    assert_eq!(node.link.configure(bs, 255), Ok(()));
    let wrong = |value| Err(ChangeError::WrongValue { value });
    assert_eq!(node.link.configure(bs, 256), wrong(256));
    assert_eq!(node.link.configure(st_min, 0x80), wrong(0x80));
    assert_eq!(node.link.configure(st_min, u32::MAX), wrong(u32::MAX));
    node.receive(0, "7E8#100A000102030405");
    assert_eq!(node.link.configure(bs, 256), Err(ChangeError::Receiving));
    assert_eq!(node.sent(0), ["7E0#30FF00"]);
}

/// `FC-05`: what N_ChangeParameter refuses during a reception does not show in its flow controls, and
/// BS and STmin are the same in each of them.
#[test]
fn parameters_are_constant_within_a_message() {
    let mut config = Config::new();
    config.receive.block_size = 1;
    let mut node = Node::<Vec<u8>>::new(tester(), &config);
    node.receive(0, "7E8#101B000102030405");
    assert_eq!(node.sent(0), ["7E0#300100"]);
    assert!(node.link.configure(Parameter::BlockSize, 9).is_err());
    node.receive(1, "7E8#21060708090A0B0C");
    assert_eq!(node.sent(1), ["7E0#300100"]);
    assert!(node.link.configure(Parameter::StMin, 9).is_err());
    node.receive(2, "7E8#220D0E0F10111213");
    assert_eq!(node.sent(2), ["7E0#300100"]);
    node.receive(3, "7E8#231415161718191A");
    node.events();
    assert_eq!(node.link.configure(Parameter::BlockSize, 9), Ok(()));
}

/// `SVC-05`, `RXE-03`: a buffer that breaks its word ends the reception once, with N_ERROR.
#[test]
fn a_buffer_that_takes_no_more_ends_the_reception() {
    let mut node = Node::<Vec<u8>>::new(tester(), &Config::new());
    node.link.buffer_mut().breaks_at = 10;
    node.receive(0, "7E8#101B000102030405");
    node.sent(0);
    node.receive(1, "7E8#21060708090A0B0C");
    node.receive(2, "7E8#220D0E0F10111213");
    assert_eq!(node.events(), ["ff 27", "ind! N_ERROR"]);
    assert_eq!(node.deadline(), None);
}

/// `RXE-04`, `SVC-05`: while the user has not taken a message, a single frame is dropped and counted,
/// and nothing that was announced is lost.
#[test]
fn an_unread_message_is_not_overwritten() {
    let mut node = Node::<Vec<u8>>::new(tester(), &Config::new());
    node.receive(0, "7E8#0111");
    node.receive(1, "7E8#0122");
    node.receive(2, "7E8#100A000102030405");
    assert_eq!(node.sent(2), [""; 0]);
    assert_eq!(node.events(), ["ind 11", "Dropped(2)"]);
    node.receive(3, "7E8#0133");
    assert_eq!(node.events(), ["ind 33"]);
}

/// `TXF-01`, `TXF-09`, `PCI-23`, `ADR-04`, `ADR-09`: what makes no sense is refused by an error that
/// names the field and what was expected.
#[test]
fn errors_name_the_field_and_what_was_expected() {
    let id = Id::standard(0x7E0).unwrap();
    let mut node = Node::new(tester(), &Config::new());
    let now = Instant::ZERO;
    for (error, parts) in [
        (
            Config::fd(10, false).check().unwrap_err().to_string(),
            ["transmit.tx_dl is 10", "expected 8, 12, 16"],
        ),
        (
            StMin::from_code(0x80).unwrap_err().to_string(),
            ["st_min 0x80", "expected 0x00 to 0x7F"],
        ),
        (
            Address::normal(id, id).unwrap_err().to_string(),
            ["tx_id and rx_id are both 7E0", "expected two different"],
        ),
        (
            Id::standard(0x800).unwrap_err().to_string(),
            ["0x800 does not fit 11 bits", "expected at most 0x7FF"],
        ),
        (
            node.link.send(now, vec![]).unwrap_err().to_string(),
            ["payload is empty", "expected at least one"],
        ),
        (
            node.link
                .send_functional(now, vec![0; 8])
                .unwrap_err()
                .to_string(),
            ["payload has 8 bytes", "expected at most 7"],
        ),
    ] {
        for part in parts {
            assert!(error.contains(part), "`{error}` lacks `{part}`");
        }
    }
}

/// `RXE-03`: a first frame that claims 4 GiB costs the memory of the bytes that came.
#[test]
fn a_claim_of_4_gib_costs_nothing() {
    let mut node = Node::<Vec<u8>>::new(tester(), &Config::new());
    node.link.buffer_mut().limit = u32::MAX;
    node.receive(0, "7E8#1000FFFFFFFF0001");
    assert_eq!(node.sent(0), ["7E0#300000"]);
    node.receive(1, "7E8#2102030405060708");
    assert_eq!(node.link.buffer().bytes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(node.link.buffer().bytes.capacity() < 1000);
    node.pass_time(2_000_000);
    assert_eq!(node.events(), ["ff 4294967295", "ind! N_TIMEOUT_Cr"]);
}
