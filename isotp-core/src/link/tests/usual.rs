//! What a link asks itself for each frame, before it takes the long way.

use super::*;
use crate::frame::FrameView;

/// The frame that mostly comes goes the short way; others are left to the long one.
#[test]
fn only_the_usual_frame_is_taken_the_short_way() {
    let config = Config::new();
    let mut link = link(normal(), &config);
    let usual = frame("7E8#21060708090A0B0C");
    let usual = usual.view();
    assert!(!link.take_usual(ms(0), &usual), "none is awaited");
    hear(&mut link, "7E8#1014000102030405");
    assert_eq!(sent(&mut link), ["7E0#300000"]);
    let kind = crate::FrameKind::Fd { brs: false };
    let of_another_kind = FrameView { kind, ..usual };
    assert!(!link.take_usual(ms(0), &of_another_kind));
    assert!(link.take_usual(ms(0), &usual));
    assert_eq!(link.received(), 13);
}

/// A link has data when a frame is ready, and not while it waits.
#[test]
fn a_link_that_waits_has_no_data() {
    let config = Config::new();
    let address = normal().with_functional_tx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    assert!(!link.has_data());
    link.send(ms(0), counted(20)).unwrap();
    assert!(link.has_data());
    commit(&mut link);
    assert!(!link.has_data(), "a flow control is awaited");
    link.send_functional(ms(0), counted(2)).unwrap();
    assert!(link.has_data());
    commit(&mut link);
    assert!(!link.has_data());
}
