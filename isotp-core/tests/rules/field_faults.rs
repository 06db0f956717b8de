//! Faults that other stacks have in the field, each as the rule that they break. The list is in
//! `docs/testing.md`.

use core::time::Duration;

use isotp_core::pdu::{Pdu, Reading};
use isotp_core::{
    Address, Config, Event, Frame, FrameKind, FrameView, GrowingBuffer, Id, Instant, Link,
    Machine as _, StMin,
};

type Node = Link<GrowingBuffer, Vec<u8>, Box<Config>>;

fn node(config: Config, limit: u32) -> Node {
    let [tx, rx] = [0x7E0, 0x7E8].map(|id| Id::standard(id).unwrap());
    let address = Address::normal(tx, rx).unwrap();
    Link::with_spare(
        address,
        Box::new(config),
        GrowingBuffer::new(limit),
        [[0; 62]; 2],
    )
    .unwrap()
}

fn hear(node: &mut Node, at: u64, data: &[u8]) {
    let id = Id::standard(0x7E8).unwrap();
    let kind = if node.config().kind.is_fd() {
        FrameKind::Fd { brs: false }
    } else {
        FrameKind::Classic
    };
    node.handle_frame(Instant::from_millis(at), FrameView { id, kind, data });
}

/// The frames that go out at this time, and count as on the bus at once.
fn sent(node: &mut Node, at: u64) -> Vec<Vec<u8>> {
    let (mut frame, mut frames) = (Frame::new(), Vec::new());
    let now = Instant::from_millis(at);
    while let Some(transmit) = node.poll_transmit(now, &mut frame) {
        transmit.commit(now);
        frames.push(frame.data().to_vec());
    }
    frames
}

fn told(node: &mut Node) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = node.poll_event() {
        told.push(match event {
            Event::FirstFrame { size, .. } => format!("first {size}"),
            Event::Received(message) => format!("message {:02X?}", message.data()),
            Event::ReceptionFailed(result) => result.name().to_owned(),
            Event::Confirmed(result) => format!("sent {}", result.name()),
            other => format!("{other:?}"),
        });
    }
    told
}

#[test]
fn a_first_frame_of_4_gib_is_answered_by_overflow_and_costs_no_memory() {
    let mut node = node(Config::new(), 4095);
    hear(&mut node, 0, &[0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2]);
    assert_eq!(sent(&mut node, 0), [[0x32, 0, 0]]);
    assert_eq!(node.poll_timeout(), None);
    assert!(told(&mut node).is_empty());
}

#[test]
fn block_size_0_of_the_peer_is_not_replaced_by_the_own_one() {
    let mut config = Config::new();
    config.receive.block_size = 2;
    let mut node = node(config, 100);
    node.send(Instant::ZERO, vec![7; 100]).unwrap();
    assert_eq!(sent(&mut node, 0).len(), 1);
    hear(&mut node, 1, &[0x30, 0, 0]);
    assert_eq!(sent(&mut node, 1).len(), 14);
    assert_eq!(told(&mut node), ["sent N_OK"]);
}

#[test]
fn a_single_frame_in_a_reception_ends_it_and_is_delivered() {
    let mut node = node(Config::new(), 100);
    hear(&mut node, 0, &[0x10, 20, 0, 1, 2, 3, 4, 5]);
    sent(&mut node, 0);
    assert_eq!(told(&mut node), ["first 20"]);
    hear(&mut node, 1, &[2, 0xAA, 0xBB]);
    let expected = ["N_UNEXP_PDU", "message [AA, BB]"];
    assert_eq!(told(&mut node), expected);
}

#[test]
fn the_first_wait_does_not_end_a_transfer() {
    let mut node = node(Config::new(), 100);
    node.send(Instant::ZERO, vec![7; 8]).unwrap();
    sent(&mut node, 0);
    hear(&mut node, 1, &[0x31, 0, 0]);
    assert!(told(&mut node).is_empty());
    hear(&mut node, 2, &[0x30, 0, 0]);
    assert_eq!(sent(&mut node, 2).len(), 1);
    assert_eq!(told(&mut node), ["sent N_OK"]);
}

#[test]
fn garbage_neither_ends_a_reception_nor_is_told() {
    let mut node = node(Config::new(), 100);
    hear(&mut node, 0, &[0x10, 10, 0, 1, 2, 3, 4, 5]);
    sent(&mut node, 0);
    for data in [
        &[][..],
        &[0xF0; 8],
        &[0x10, 0, 0, 0, 0, 3, 1, 2],
        &[0],
        &[0x07, 0xAA],
    ] {
        hear(&mut node, 1, data);
    }
    hear(&mut node, 2, &[0x21, 6, 7, 8, 9]);
    assert_eq!(told(&mut node).len(), 2);
}

#[test]
fn a_single_frame_that_claims_more_than_it_has_delivers_no_stale_bytes() {
    let mut node = node(Config::new(), 100);
    hear(&mut node, 0, &[7, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(told(&mut node).len(), 1);
    hear(&mut node, 1, &[0x07, 0xAA]);
    assert!(told(&mut node).is_empty());
}

#[test]
fn a_first_frame_of_3_bytes_is_ignored() {
    let mut node = node(Config::new(), 100);
    hear(&mut node, 0, &[0x10, 3, 1, 2, 3, 4, 5, 6]);
    assert!(sent(&mut node, 0).is_empty() && told(&mut node).is_empty());
}

#[test]
fn an_fd_single_frame_of_12_bytes_has_the_escape_form_and_a_legal_length() {
    let mut node = node(Config::fd(64, false), 100);
    node.send(Instant::ZERO, vec![7; 12]).unwrap();
    let frames = sent(&mut node, 0);
    assert_eq!(frames[0].len(), 16);
    assert_eq!(frames[0][..2], [0, 12]);
}

#[test]
fn a_first_frame_above_4095_bytes_has_a_header_of_six() {
    let mut node = node(Config::new(), 100);
    node.send(Instant::ZERO, vec![7; 4096]).unwrap();
    assert_eq!(sent(&mut node, 0), [[0x10, 0, 0, 0, 0x10, 0, 7, 7]]);
}

#[test]
fn a_flow_control_in_the_middle_of_a_block_is_not_kept_for_the_next() {
    let mut node = node(Config::new(), 100);
    node.send(Instant::ZERO, vec![7; 60]).unwrap();
    sent(&mut node, 0);
    hear(&mut node, 1, &[0x30, 2, 10]);
    assert_eq!(sent(&mut node, 1).len(), 1);
    hear(&mut node, 2, &[0x30, 0, 0]);
    assert_eq!(sent(&mut node, 11).len(), 1);
    assert!(sent(&mut node, 900).is_empty(), "the block is over");
}

#[test]
fn a_reserved_flow_status_is_invalid_and_no_overflow() {
    let mut node = node(Config::new(), 100);
    node.send(Instant::ZERO, vec![7; 60]).unwrap();
    sent(&mut node, 0);
    hear(&mut node, 1, &[0x3F, 0, 0]);
    assert_eq!(told(&mut node), ["sent N_INVALID_FS"]);
}

#[test]
fn an_advertised_st_min_rounds_up() {
    for (micros, code) in [(50, 0xF1), (150, 0xF2), (950, 1), (1500, 2)] {
        let st_min = StMin::at_least(Duration::from_micros(micros)).unwrap();
        assert_eq!(st_min.code(), code, "{micros} us");
    }
}

#[test]
fn a_reserved_st_min_of_the_peer_is_127_ms() {
    let flow = Pdu::decode(&[0x30, 0, 0xFF], 0, Reading::default()).unwrap();
    let Pdu::FlowControl(flow) = flow else {
        panic!("{flow:?}")
    };
    assert_eq!(flow.st_min.duration(), Duration::from_millis(127));
}

#[test]
fn a_request_comes_in_while_a_response_goes_out() {
    let mut node = node(Config::new(), 100);
    node.send(Instant::ZERO, vec![7; 20]).unwrap();
    sent(&mut node, 0);
    hear(&mut node, 1, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    hear(&mut node, 1, &[0x30, 0, 0]);
    assert_eq!(sent(&mut node, 1).len(), 3);
    hear(&mut node, 2, &[0x21, 7, 8]);
    assert_eq!(told(&mut node).len(), 3);
}
