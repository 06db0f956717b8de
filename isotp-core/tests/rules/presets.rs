//! Presets and what other editions and applications ask for.

use core::time::Duration;

use isotp_core::{Config, FrameKind};

use crate::node::{Node, counting, tester};

/// `OBD-01`: the timers of ISO 15765-4, and the two sums that it bounds.
#[test]
fn the_obd_preset_has_the_timers_of_iso_15765_4() {
    let ms = Duration::from_millis;
    let timing = Config::obd().timing;
    assert_eq!((timing.n_as, timing.n_ar), (ms(25), ms(25)));
    assert_eq!((timing.n_bs, timing.n_cr), (ms(75), ms(150)));
    assert!(
        timing.n_br < ms(25),
        "N_Br and N_Ar of a frame that is sent at once"
    );
    assert!(timing.n_cs < ms(50));
}

/// `OBD-02`: BS 0, STmin 0, no WAIT, frames of 8 bytes.
#[test]
fn the_obd_preset_answers_with_block_size_0_and_no_wait() {
    let mut node = Node::new(tester(), &Config::obd());
    node.receive(0, "7E8#100A000102030405");
    assert_eq!(node.sent(0), ["7E0#300000CCCCCCCCCC"]);
    assert_eq!(node.events(), ["ff 10"]);
    node.link.buffer_mut().is_ready = false;
    node.receive(1, "7E8#1008000102030405");
    assert_eq!(node.sent(1), [""; 0]);
    node.pass_time(20_001);
    assert_eq!(node.sent(20_001), [""; 0]);
    assert_eq!(
        node.events(),
        ["ind! N_UNEXP_PDU", "ff 8", "ind! N_WFT_OVRN"]
    );
    node.request(30_000, vec![0x3E]);
    assert_eq!(node.sent(30_000), ["7E0#013ECCCCCCCCCCCC"]);
}

/// `ED-02`, `PCI-09`, `PCI-14`: to a peer of an older edition a message of up to 4095 bytes is what it
/// knows; a longer one has a first frame that it ignores, and ends with N_TIMEOUT_Bs.
#[test]
fn an_older_peer_is_served_up_to_4095_bytes() {
    let mut node = Node::new(tester(), &Config::new());
    for len in [8, 255, 256, 4095] {
        node.request(0, counting(len));
        let first = format!("7E0#1{len:03X}000102030405");
        assert_eq!(node.sent(0), [first]);
        node.receive(1, "7E8#300000");
        node.sent(1);
        assert_eq!(node.events(), ["cfm N_OK"]);
    }
    node.request(2, counting(4096));
    assert_eq!(node.sent(2), ["7E0#1000000010000001"]);
    node.pass_time(1_000_002);
    assert_eq!(node.events(), ["cfm N_TIMEOUT_Bs"]);
}

/// `XL-01`: CAN XL is no frame kind of this stack, and nothing but CC and FD is.
#[test]
fn frames_are_cc_or_fd_and_have_at_most_64_bytes() {
    assert_eq!(FrameKind::Classic.max_len(), 8);
    assert_eq!(FrameKind::Fd { brs: true }.max_len(), 64);
    let mut node = Node::<Vec<u8>>::new(tester(), &Config::fd(64, false));
    // an SF with the 11-bit length of the proof of concept for XL
    node.receive(0, &format!("7E8##00841{}", "00".repeat(65)));
    assert_eq!(node.events(), [""; 0]);
}

/// `OBD-03`: session timing is not here: an idle link has no deadline, however long it is idle.
#[test]
fn an_idle_link_has_no_session_timer() {
    let mut node = Node::new(tester(), &Config::obd());
    node.request(0, vec![0x10, 0x03]);
    node.sent(0);
    assert_eq!(node.events(), ["cfm N_OK"]);
    assert_eq!(node.deadline(), None);
    node.pass_time(60_000_000);
    assert_eq!(node.events(), [""; 0]);
}
