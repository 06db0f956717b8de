//! Links that only listen.

use isotp_core::{Config, Instant, SendError};

use crate::node::{Node, counting, tester};

fn listener() -> Node {
    let mut config = Config::new();
    config.receive.listen_only = true;
    config.receive.block_size = 2;
    Node::new(tester(), &config)
}

/// `FC-11`: no flow control is sent, whatever the own block size says.
#[test]
fn a_listener_takes_any_block_structure_and_sends_nothing() {
    let mut node = listener();
    node.receive(0, "7E8#101B000102030405");
    assert_eq!(node.sent(0), [""; 0]);
    for (at, frame) in [
        "7E8#21060708090A0B0C",
        "7E8#220D0E0F10111213",
        "7E8#231415161718191A",
    ]
    .into_iter()
    .enumerate()
    {
        node.receive(at as u64, frame);
        assert_eq!(node.sent(at as u64), [""; 0]);
    }
    let message: String = counting(27).iter().map(|b| format!("{b:02X}")).collect();
    assert_eq!(
        node.events(),
        ["ff 27".to_owned(), format!("ind {message}")]
    );
}

/// `FC-11`, `RXE-02`: N_Cr runs for a listener too.
#[test]
fn a_listener_gives_up_after_n_cr() {
    let mut node = listener();
    node.receive(0, "7E8#101B000102030405");
    assert_eq!(node.deadline(), Some(1_000_000));
    node.pass_time(1_000_000);
    assert_eq!(node.events(), ["ff 27", "ind! N_TIMEOUT_Cr"]);
}

/// `FC-11`, `FC-08`: nor is a message refused that is too long.
#[test]
fn a_listener_sends_no_overflow() {
    let mut node = listener();
    node.link.buffer_mut().limit = 9;
    node.receive(0, "7E8#100A000102030405");
    assert_eq!(node.sent(0), [""; 0]);
    assert_eq!(node.events(), [""; 0]);
    assert_eq!(node.deadline(), None);
}

/// `FC-11`: it refuses to send, and gives the payload back.
#[test]
fn a_listener_refuses_to_send() {
    let mut node = listener();
    let refused = node.link.send(Instant::ZERO, vec![1, 2]).unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::ListenOnly, vec![1, 2])
    );
    let refused = node
        .link
        .send_functional(Instant::ZERO, vec![3])
        .unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::ListenOnly, vec![3])
    );
}
