use std::string::ToString;

use embedded_can::Frame as _;

use super::*;
use crate::testing::frame;

/// What a driver's frame type looks like: `N` bytes at most, data or remote.
#[derive(Debug, PartialEq)]
struct Driver<const N: usize> {
    id: embedded_can::Id,
    data: Option<std::vec::Vec<u8>>,
}

impl<const N: usize> embedded_can::Frame for Driver<N> {
    fn new(id: impl Into<embedded_can::Id>, data: &[u8]) -> Option<Self> {
        let id = id.into();
        (data.len() <= N).then(|| Self {
            id,
            data: Some(data.to_vec()),
        })
    }

    fn new_remote(id: impl Into<embedded_can::Id>, _dlc: usize) -> Option<Self> {
        Some(Self {
            id: id.into(),
            data: None,
        })
    }

    fn is_extended(&self) -> bool {
        matches!(self.id, embedded_can::Id::Extended(_))
    }

    fn is_remote_frame(&self) -> bool {
        self.data.is_none()
    }

    fn id(&self) -> embedded_can::Id {
        self.id
    }

    fn dlc(&self) -> usize {
        self.data().len()
    }

    fn data(&self) -> &[u8] {
        self.data.as_deref().unwrap_or_default()
    }
}

#[test]
fn ids_round_trip_and_keep_their_length() {
    for value in [0, 1, 0x7E0, 0x7FF] {
        let foreign = StandardId::new(value).unwrap();
        let id = Id::from(foreign);
        assert_eq!(id, Id::standard(value).unwrap());
        assert_eq!(Id::from(embedded_can::Id::from(id)), id);
        assert_eq!(StandardId::try_from(id), Ok(foreign));
        assert_eq!(ExtendedId::try_from(id), Err(WrongIdLength { id }));
    }
    for value in [0, 1, 0x7FF, 0x18DA_10F1, 0x1FFF_FFFF] {
        let foreign = ExtendedId::new(value).unwrap();
        let id = Id::from(foreign);
        assert_eq!(id, Id::extended(value).unwrap());
        assert_eq!(Id::from(embedded_can::Id::from(id)), id);
        assert_eq!(ExtendedId::try_from(id), Ok(foreign));
        assert_eq!(StandardId::try_from(id), Err(WrongIdLength { id }));
    }
}

#[test]
fn the_order_of_ids_is_that_of_embedded_can() {
    let ids = [
        0u32,
        1,
        0x122,
        0x123,
        0x7FF,
        0x122 << 18,
        0x123 << 18,
        0x1FFF_FFFF,
    ];
    let standard = ids
        .iter()
        .filter_map(|&v| StandardId::new(u16::try_from(v).ok()?));
    let extended = ids.iter().filter_map(|&v| ExtendedId::new(v));
    let all: std::vec::Vec<embedded_can::Id> = standard
        .map(embedded_can::Id::from)
        .chain(extended.map(embedded_can::Id::from))
        .collect();
    for &a in &all {
        for &b in &all {
            assert_eq!(Id::from(a).cmp(&Id::from(b)), a.cmp(&b), "{a:?} {b:?}");
        }
    }
}

#[test]
fn an_error_says_what_was_expected() {
    let id = Id::extended(0x123).unwrap();
    let error = StandardId::try_from(id).unwrap_err();
    assert_eq!(error.to_string(), "id 00000123 has 29 bits, expected 11");
}

/// `PCI-02`.
#[test]
fn a_remote_frame_has_no_view() {
    let remote = Driver::<8>::new_remote(StandardId::MAX, 8).unwrap();
    assert_eq!(
        FrameView::from_embedded_can(FrameKind::Classic, &remote),
        None
    );
}

#[test]
fn frames_round_trip() {
    for text in ["7E0#", "7E0#023E00", "18DA10F1#1014000102030405"] {
        let frame = frame(text);
        let driver: Driver<8> = frame.to_embedded_can().unwrap();
        let view = FrameView::from_embedded_can(FrameKind::Classic, &driver);
        assert_eq!(view, Some(frame.view()));
    }
}

#[test]
fn a_frame_too_long_for_the_driver_is_refused() {
    let fd = frame("7E0##1 00 0B 000102030405060708090A CCCCCC");
    assert_eq!(fd.to_embedded_can::<Driver<8>>(), None);
    let driver: Driver<64> = fd.to_embedded_can().unwrap();
    let kind = FrameKind::Fd { brs: true };
    assert_eq!(FrameView::from_embedded_can(kind, &driver), Some(fd.view()));
}
