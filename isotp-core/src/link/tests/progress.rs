//! What a user may look at while a message is on its way.

use super::*;

#[test]
fn a_sender_tells_how_many_bytes_are_in_committed_frames() {
    let config = Config::default();
    let mut link = link(normal(), &config);
    assert!(!link.is_sending());
    assert_eq!(link.sent(), 0);
    link.send(ms(0), counted(20)).unwrap();
    assert!(link.is_sending());
    assert_eq!(link.sent(), 0, "nothing is committed");
    assert_eq!(sent(&mut link).len(), 1);
    assert_eq!(link.sent(), 6);
    hear(&mut link, "7E8#300100");
    assert_eq!(sent(&mut link).len(), 1);
    assert_eq!(link.sent(), 13);
    hear(&mut link, "7E8#300000");
    assert_eq!(sent(&mut link).len(), 1);
    assert_eq!(told(&mut link), ["N_OK"]);
    assert!(!link.is_sending());
    assert_eq!(link.take_payload(), Some(counted(20)));
    assert_eq!(link.take_payload(), None);
}

#[test]
fn a_receiver_tells_how_many_bytes_have_come() {
    let config = Config::default();
    let mut link = link(normal(), &config);
    assert!(!link.is_receiving());
    assert_eq!(link.received(), 0);
    hear(&mut link, "7E8#1014000102030405");
    assert!(link.is_receiving());
    assert_eq!(link.received(), 6);
    assert_eq!(sent(&mut link).len(), 1);
    hear(&mut link, "7E8#21060708090A0B0C");
    assert!(link.is_receiving());
    assert_eq!(link.received(), 13);
    assert!(!link.is_sending(), "a flow control is no message");
    hear(&mut link, "7E8#220D0E0F10111213");
    assert!(!link.is_receiving());
}

#[test]
fn a_single_frame_is_told_apart_from_a_segmented_message() {
    let config = Config::default();
    let mut link = link(normal(), &config);
    hear(&mut link, "7E8#023E00");
    let Some(Event::Received(mut single)) = link.poll_event() else {
        panic!("no message");
    };
    assert_eq!(single.single(), Some(&[0x3E, 0][..]));
    assert!(single.buffer().is_none());
    let shown = std::format!("{single:?}");
    assert_eq!(shown, "Message { size: 2, functional: false, .. }");
    hear(&mut link, "7E8#1008000102030405");
    assert_eq!(sent(&mut link).len(), 1);
    hear(&mut link, "7E8#210607");
    assert!(matches!(
        link.poll_event(),
        Some(Event::FirstFrame { size: 8, .. })
    ));
    let Some(Event::Received(mut whole)) = link.poll_event() else {
        panic!("no message");
    };
    assert_eq!(whole.single(), None);
    assert_eq!(whole.buffer().map(|buffer| buffer.bytes.len()), Some(8));
}
