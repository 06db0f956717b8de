//! What comes in the middle of a message and is no part of it.

use super::*;

#[test]
fn another_source_in_the_middle_of_a_message_is_ignored() {
    let mut config = Config::new();
    config.diagnostics = true;
    let mut link = link(any_source(), &config);
    hear(&mut link, "18DAF142#100F000102030405");
    assert_eq!(told(&mut link), ["ff 15 from 42"]);
    assert_eq!(sent(&mut link), ["18DA42F1#300000"]);
    // the source that the address names is one of many
    for source in ["18DAF143", "18DAF110"] {
        for other in ["#013E", "#100F000102030405", "#21060708090A0B0C"] {
            hear(&mut link, &std::format!("{source}{other}"));
            assert_eq!(told(&mut link), ["OtherSource"], "{source}{other}");
            assert_eq!(link.received(), 6);
        }
    }
    hear(&mut link, "18DAF142#21060708090A0B0C");
    hear(&mut link, "18DAF142#220D0E");
    assert_eq!(told(&mut link), ["message 15 from 42"]);
    hear(&mut link, "18DAF143#013E");
    assert_eq!(told(&mut link), ["message 1 from 43"]);
}

/// `ADR-01`: a frame of another id is not for this link, whatever it waits for.
#[test]
fn a_consecutive_frame_of_another_id_or_kind_is_not_taken() {
    let mut config = Config::new();
    config.diagnostics = true;
    let mut link = link(normal(), &config);
    hear(&mut link, "7E8#100F000102030405");
    assert_eq!(told(&mut link).len(), 1);
    assert_eq!(sent(&mut link), ["7E0#300000"]);
    hear(&mut link, "7E9#21060708090A0B0C");
    assert_eq!(told(&mut link), [""; 0]);
    assert_eq!(link.received(), 6);
    hear(&mut link, "7E8##021060708090A0B0C");
    assert_eq!(told(&mut link), ["FrameKind"]);
    assert_eq!(link.received(), 6);
    hear(&mut link, "7E8#21060708090A0B0C");
    assert_eq!(link.received(), 13);
}

/// `PCI-01`: in the middle of a message only a consecutive frame is one.
#[test]
fn a_full_frame_of_zeros_is_no_consecutive_frame() {
    let mut config = Config::new();
    config.diagnostics = true;
    let mut link = link(normal(), &config);
    hear(&mut link, "7E8#1020000102030405");
    assert_eq!(told(&mut link).len(), 1);
    assert_eq!(sent(&mut link), ["7E0#300000"]);
    hear(&mut link, "7E8#0000000000000000");
    assert_eq!(told(&mut link), ["SingleFrame"]);
    assert_eq!(link.received(), 6);
    assert!(link.is_receiving());
}
