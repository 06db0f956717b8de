//! Ids and frames.

extern crate std;

use core::hash::{Hash, Hasher};
use std::format;
use std::hash::DefaultHasher;

use super::*;

#[test]
fn a_value_too_wide_for_the_id_is_refused() {
    assert!(Id::standard(0x7FF).is_ok());
    assert!(Id::standard(0x800).is_err());
    assert!(Id::extended(0x1FFF_FFFF).is_ok());
    assert!(Id::extended(0x2000_0000).is_err());
}

#[test]
fn eleven_bit_ids_win_arbitration_against_the_same_leading_bits() {
    let short = Id::standard(0x123).unwrap();
    let long = Id::extended(0x123 << 18).unwrap();
    assert!(short < long);
    assert!(Id::extended(0x122 << 18 | 0x3_FFFF).unwrap() < short);
    assert_ne!(Id::standard(0x123).unwrap(), Id::extended(0x123).unwrap());
}

#[test]
fn every_length_finds_the_next_that_a_dlc_can_name() {
    for len in 0..=8 {
        assert_eq!(next_length(len), len);
    }
    for len in 9..=64usize {
        let dlc = next_length(len);
        assert!(dlc >= len && is_full_length(dlc));
        assert!(
            !FD_LENGTHS
                .iter()
                .any(|&l| usize::from(l) >= len && usize::from(l) < dlc)
        );
    }
}

#[test]
fn ids_and_frames_are_shown_as_candump_shows_them() {
    let (short, long) = (Id::standard(0x7E0).unwrap(), Id::extended(0x7E0).unwrap());
    assert_eq!(format!("{short} {long}"), "7E0 000007E0");
    assert_eq!(format!("{short:?}"), "Id(7E0)");
    let mut frame = frame(&[2, 0x3E, 0]);
    assert_eq!(format!("{frame} {frame:?}"), "7E0#023E00 Frame(7E0#023E00)");
    frame.kind = FrameKind::Fd { brs: true };
    assert_eq!(format!("{frame}"), "7E0##1023E00");
}

#[test]
fn three_kinds_of_frames_are_three() {
    let kinds = [
        FrameKind::Classic,
        FrameKind::Fd { brs: false },
        FrameKind::Fd { brs: true },
    ];
    let hash = |kind: FrameKind| {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        hasher.finish()
    };
    for (n, kind) in kinds.into_iter().enumerate() {
        for (m, other) in kinds.into_iter().enumerate() {
            assert_eq!(kind == other, n == m, "{kind:?} {other:?}");
            assert_eq!(hash(kind) == hash(other), n == m, "{kind:?} {other:?}");
        }
    }
}

#[test]
fn frames_are_equal_when_what_is_on_the_bus_is() {
    let mut used = frame(&[9; 8]);
    let view = FrameView {
        id: used.id(),
        kind: FrameKind::Classic,
        data: &[2, 0x3E, 0],
    };
    assert!(used.copy_from(view));
    assert_eq!(
        used,
        frame(&[2, 0x3E, 0]),
        "what was there before is not seen"
    );
    assert_ne!(used, frame(&[2, 0x3E, 1]));
    assert_ne!(used, frame(&[2, 0x3E]));
    let another = Frame {
        id: Id::extended(0x7E0).unwrap(),
        ..used.clone()
    };
    assert_ne!(used, another);
    let before = used.clone();
    assert!(!used.copy_from(FrameView {
        data: &[0; 65],
        ..view
    }));
    assert_eq!(used, before);
}

fn frame(data: &[u8]) -> Frame {
    let mut frame = Frame::new();
    let id = Id::standard(0x7E0).unwrap();
    let kind = FrameKind::Classic;
    assert!(frame.copy_from(FrameView { id, kind, data }));
    frame
}
