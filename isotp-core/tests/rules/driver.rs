//! Drivers that refuse frames, lose them, or are full.

use isotp_core::{Frame, Instant, Machine as _, TxToken};

use crate::node::{Node, counting, reported, tester};

/// `SVC-09`: a frame that the driver refuses for good ends the transfer with N_ERROR.
#[test]
fn a_refused_frame_ends_its_transfer_with_n_error() {
    let mut node = Node::new(tester(), &reported());
    let mut frame = Frame::new();
    node.request(0, counting(20));
    node.link
        .poll_transmit(Instant::ZERO, &mut frame)
        .unwrap()
        .reject(Instant::ZERO);
    assert_eq!(node.events(), ["cfm N_ERROR"]);
    assert_eq!(node.sent(1), [""; 0]);

    node.receive(2, "7E8#100A000102030405");
    let now = Instant::from_micros(2);
    node.link
        .poll_transmit(now, &mut frame)
        .unwrap()
        .reject(now);
    assert_eq!(node.events(), ["ff 10", "ind! N_ERROR"]);

    node.link.send_functional(now, vec![1]).unwrap();
    node.link
        .poll_transmit(now, &mut frame)
        .unwrap()
        .reject(now);
    assert_eq!(node.events(), ["cfmf N_ERROR"]);
    assert_eq!(node.deadline(), None);
}

/// `SVC-09`, `FC-08`: a refused OVFLW ends nothing that was announced.
#[test]
fn a_refused_overflow_says_nothing() {
    let mut node = Node::<Vec<u8>>::new(tester(), &reported());
    node.link.buffer_mut().limit = 9;
    node.receive(0, "7E8#100A000102030405");
    let mut frame = Frame::new();
    let transmit = node.link.poll_transmit(Instant::ZERO, &mut frame).unwrap();
    transmit.reject(Instant::ZERO);
    assert_eq!(node.events(), [""; 0]);
    assert_eq!(node.deadline(), None);
}

/// `SVC-09`: a lost frame is offered again, the same bytes, and N_As runs on from the first request.
#[test]
fn a_lost_frame_is_offered_again_within_n_as() {
    let mut node = Node::new(tester(), &reported());
    node.request(0, counting(20));
    assert_eq!(node.sent(0), ["7E0#1014000102030405"]);
    node.lose(400_000);
    assert_eq!(node.sent(400_000), ["7E0#1014000102030405"]);
    node.confirm(500_000);
    node.receive(500_001, "7E8#300000");
    assert_eq!(node.sent(500_001), ["7E0#21060708090A0B0C"]);
    node.lose(600_000);
    assert_eq!(node.sent(600_000), ["7E0#21060708090A0B0C"]);
    assert_eq!(node.deadline(), Some(1_500_001));
    node.pass_time(1_500_000);
    assert_eq!(node.events(), [""; 0]);
    node.pass_time(1_500_001);
    assert_eq!(node.events(), ["cfm N_TIMEOUT_A"]);
}

/// `SVC-09`: the same for flow control and N_Ar.
#[test]
fn a_lost_flow_control_is_offered_again_within_n_ar() {
    let mut node = Node::<Vec<u8>>::new(tester(), &reported());
    node.receive(0, "7E8#100A000102030405");
    assert_eq!(node.sent(0), ["7E0#300000"]);
    node.lose(400_000);
    assert_eq!(node.sent(400_000), ["7E0#300000"]);
    node.pass_time(999_999);
    assert_eq!(node.events(), ["ff 10"]);
    node.pass_time(1_000_000);
    assert_eq!(node.events(), ["ind! N_TIMEOUT_A"]);
}

/// `SVC-09`, `FC-06`: a WAIT that is lost and sent again is one WAIT.
#[test]
fn a_lost_wait_counts_once() {
    let mut config = reported();
    config.receive.max_wait = 2;
    let mut node = Node::<Vec<u8>>::new(tester(), &config);
    node.link.buffer_mut().is_ready = false;
    node.receive(0, "7E8#100A000102030405");
    node.pass_time(100_000);
    assert_eq!(node.sent(100_000), ["7E0#310000"]);
    node.lose(110_000);
    assert_eq!(node.sent(110_000), ["7E0#310000"]);
    node.confirm(120_000);
    node.pass_time(220_000);
    assert_eq!(node.sent(220_000), ["7E0#310000"]);
    node.confirm(230_000);
    node.pass_time(330_000);
    assert_eq!(node.events(), ["ff 10", "ind! N_WFT_OVRN"]);
}

/// `SVC-09`, `TIM-01`: a controller that is full for ever mutes no timer.
#[test]
fn a_full_controller_lets_n_as_and_n_ar_fire() {
    let mut node = Node::new(tester(), &reported());
    node.request(0, counting(20));
    node.receive(500_000, "7E8#100A000102030405");
    assert_eq!(node.events(), ["ff 10"]);
    let mut frame = Frame::new();
    for at in (0..3_000_000).step_by(100_000) {
        let now = Instant::from_micros(at);
        node.link.handle_timeout(now);
        // offered, and not taken
        let _ = node.link.poll_transmit(now, &mut frame);
        let events = node.events();
        match at {
            1_000_000 => assert_eq!(events, ["cfm N_TIMEOUT_A"]),
            1_500_000 => assert_eq!(events, ["ind! N_TIMEOUT_A"]),
            _ => assert_eq!(events, [""; 0], "{at}"),
        }
    }
    assert_eq!(node.deadline(), None);
}

/// `TIM-11`: only the newest frame's own token confirms; none that was invented, used or from before.
#[test]
fn a_stale_token_confirms_nothing() {
    let mut node = Node::new(tester(), &reported());
    node.request(0, vec![0x3E]);
    node.sent(0);
    let old = node.tokens[0];
    node.confirm(1);
    assert_eq!(node.events(), ["cfm N_OK"]);
    node.request(2, vec![0x3E]);
    node.sent(2);
    let current = node.tokens[0].to_bits();
    for bits in (0..1 << 12).chain([u64::MAX, u64::from(u32::MAX)]) {
        if bits != current {
            node.link
                .handle_transmitted(Instant::from_micros(3), TxToken::from_bits(bits));
            node.link
                .handle_failed(Instant::from_micros(3), TxToken::from_bits(bits));
        }
    }
    node.link.handle_transmitted(Instant::from_micros(3), old);
    assert_eq!(node.events(), [""; 0]);
    assert_eq!(node.sent(4), [""; 0]);
    node.confirm(5);
    assert_eq!(node.events(), ["cfm N_OK"]);
}

/// `TIM-10`, `SVC-09`: a flow control for a frame that is then reported lost was for another frame.
#[test]
fn a_kept_flow_control_goes_with_the_lost_frame() {
    let mut node = Node::new(tester(), &reported());
    node.request(0, counting(20));
    node.sent(0);
    node.receive(1, "7E8#300000");
    node.lose(2);
    assert_eq!(node.sent(2), ["7E0#1014000102030405"]);
    node.confirm(3);
    assert_eq!(node.sent(3), [""; 0], "the flow control is awaited anew");
    node.receive(4, "7E8#300000");
    assert_eq!(node.sent(4).len(), 1);
}
