mod deadlines;
mod finding;
mod successors;
mod turns;

use std::boxed::Box;
use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::buffer::RxBuffer;
use crate::config::Config;
use crate::frame::{Frame, FrameKind, FrameView, Id};
use crate::payload::Payload;
use crate::{Event, Machine, NResult};

type TestLink = Link<Box<[u8]>, Vec<u8>>;
type TestRouter = Router<Vec<Slot<TestLink>>>;

impl RxBuffer for Box<[u8]> {
    fn limit(&self) -> u32 {
        self.len() as u32
    }
    fn start(&mut self, _size: u32) {}
    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        self[offset as usize..][..data.len()].copy_from_slice(data);
        true
    }
}

static CONFIG: Config = Config::new();
/// With a controller that confirms.
static REPORTED: Config = {
    let mut config = Config::new();
    config.confirmation = crate::Confirmation::Reported;
    config
};
const NOW: Instant = Instant::ZERO;

fn id(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn normal(tx: u16, rx: u16) -> Address {
    Address::normal(id(tx), id(rx)).unwrap()
}

fn link(address: Address) -> TestLink {
    Link::new(address, &CONFIG, std::vec![0; 128].into()).unwrap()
}

fn router(addresses: &[Address]) -> (TestRouter, Vec<LinkId>) {
    let mut router = Router::new(Vec::new());
    let ids = addresses
        .iter()
        .map(|address| router.insert(link(*address)).unwrap())
        .collect();
    (router, ids)
}

fn receive(router: &mut TestRouter, id: Id, data: &[u8]) -> Vec<(LinkId, Vec<u8>)> {
    router.handle_frame(
        NOW,
        FrameView {
            id,
            kind: FrameKind::Classic,
            data,
        },
    );
    let mut got = Vec::new();
    while let Some((id, event)) = router.poll_event() {
        if let Event::Received(message) = event {
            got.push((id, message.data().to_vec()));
        }
    }
    got
}

/// What a frame brought as well as what a command on a link that was lent out did.
#[test]
fn there_are_events_until_the_last_is_told() {
    let (mut router, ids) = router(&[normal(1, 2)]);
    assert!(!router.has_events());
    router.handle_frame(
        NOW,
        FrameView {
            id: id(2),
            kind: FrameKind::Classic,
            data: &[1, 7],
        },
    );
    assert!(router.has_events());
    assert!(matches!(router.poll_event(), Some((_, Event::Received(_)))));
    assert!(router.poll_event().is_none());
    assert!(!router.has_events());
    router.send(NOW, ids[0], std::vec![1; 9]).unwrap();
    router.link_mut(ids[0]).unwrap().abort_send(NOW);
    assert!(router.has_events());
    assert!(matches!(
        router.poll_event(),
        Some((_, Event::Confirmed(_)))
    ));
}

#[test]
fn an_address_belongs_to_one_link() {
    let (mut router, ids) = router(&[normal(0x700, 0x708)]);
    let refused = router.insert(link(normal(0x701, 0x708))).unwrap_err();
    assert_eq!(refused.error, InsertError::AddressInUse { id: id(0x708) });
    assert_eq!(
        refused.link.address().tx().id(),
        id(0x701),
        "the link comes back"
    );
    assert!(router.remove(ids[0]).is_some());
    assert!(router.insert(link(normal(0x701, 0x708))).is_ok());
}

#[test]
fn one_address_format_per_id() {
    let extended = |ta| Address::extended(id(0x6F1), 1, id(0x610), ta).unwrap();
    let (mut router, _) = router(&[extended(7), extended(8)]);
    let refused = router.insert(link(normal(0x700, 0x610))).unwrap_err();
    assert_eq!(refused.error, InsertError::FormatInUse { id: id(0x610) });
    assert!(router.insert(link(normal(0x700, 0x611))).is_ok());
    let mixed = Address::extended(id(0x6F1), 1, id(0x611), 9).unwrap();
    assert_eq!(
        router.insert(link(mixed)).unwrap_err().error,
        InsertError::FormatInUse { id: id(0x611) }
    );
    let elsewhere = Address::extended(id(0x6F1), 1, id(0x612), 9).unwrap();
    assert!(router.insert(link(elsewhere)).is_ok());
}

#[test]
fn links_that_share_an_id_differ_by_the_address_byte() {
    let extended = |ta| Address::extended(id(0x6F1), 1, id(0x610), ta).unwrap();
    let addresses: Vec<Address> = (0..=255).map(extended).collect();
    let (mut router, ids) = router(&addresses);
    for (byte, link) in ids.iter().enumerate() {
        let got = receive(&mut router, id(0x610), &[byte as u8, 1, 0xAB]);
        assert_eq!(got, [(*link, std::vec![0xAB])]);
    }
}

/// P1 and P2 for the heap: every deadline fires at its time, and an idle router has none.
#[test]
fn deadlines_fire_in_time_whatever_was_inserted_and_removed() {
    let addresses: Vec<Address> = (0..200).map(|n| normal(0x400 + n, 0x200 + n)).collect();
    let (mut router, ids) = router(&addresses);
    assert_eq!(router.poll_timeout(), None);
    let mut frame = Frame::new();
    for (n, id) in ids.iter().enumerate() {
        let at = Instant::from_millis((n as u64 * 7919) % 500);
        router.send(at, *id, std::vec![0; 20]).unwrap();
        router.poll_transmit(at, &mut frame).unwrap().commit(at);
        if n % 3 == 0 {
            router.remove(ids[n / 2]);
        }
    }
    let mut left = router.len();
    let mut last = Instant::ZERO;
    while let Some(timeout) = router.poll_timeout() {
        assert!(timeout.at >= last);
        last = timeout.at;
        router.handle_timeout(timeout.at);
        assert!(
            router
                .poll_timeout()
                .is_none_or(|next| next.at > timeout.at),
            "P1"
        );
        while let Some((id, event)) = router.poll_event() {
            assert!(matches!(event, Event::Confirmed(NResult::TimeoutBs)));
            let n = ids.iter().position(|other| *other == id).unwrap() as u64;
            assert_eq!(timeout.at, Instant::from_millis((n * 7919) % 500 + 1000));
            left -= 1;
        }
    }
    assert_eq!(left, 0);
}

#[test]
fn a_full_router_says_so_and_gives_the_link_back() {
    let mut slots = [const { Slot::new() }; 2];
    let mut router = Router::new(&mut slots[..]);
    assert!(router.insert(link(normal(1, 2))).is_ok());
    assert!(router.insert(link(normal(3, 4))).is_ok());
    let refused = router.insert(link(normal(5, 6))).unwrap_err();
    assert_eq!(refused.error, InsertError::Full { len: 2 });
    assert_eq!(router.filters().count(), 2);
}

#[test]
fn a_sibling_frame_reaches_every_link_but_its_sender() {
    let (mut router, ids) = router(&[normal(0x7E0, 0x7E8), normal(0x7E8, 0x7E0)]);
    let frame = FrameView {
        id: id(0x7E0),
        kind: FrameKind::Classic,
        data: &[1, 0x3E],
    };
    router.handle_sibling_frame(NOW, frame, ids[0]);
    assert!(matches!(router.poll_event(), Some((id, Event::Received(_))) if id == ids[1]));
    let echo = FrameView {
        id: id(0x7E8),
        ..frame
    };
    router.handle_sibling_frame(NOW, echo, ids[0]);
    assert!(router.poll_event().is_none(), "not to its sender");
}

#[test]
fn whoever_a_frame_is_for_is_told() {
    let functional = |tx| normal(tx, tx + 8).with_functional_rx(id(0x7DF)).unwrap();
    let (mut router, ids) = router(&[functional(0x7E0), functional(0x7E1)]);
    let mut heard = |value, from| {
        let frame = FrameView {
            id: id(value),
            kind: FrameKind::Classic,
            data: &[1, 0x3E],
        };
        let mut slots = Vec::new();
        router.handle_frame_telling(NOW, frame, from, |slot| slots.push(slot));
        slots.sort_unstable();
        slots
    };
    let [a, b] = [ids[0], ids[1]];
    assert_eq!(heard(0x7E8, None), [a.slot()]);
    assert_eq!(heard(0x7E9, Some(a)), [b.slot()]);
    assert_eq!(heard(0x7DF, None), [a.slot(), b.slot()]);
    assert_eq!(heard(0x7DF, Some(b)), [a.slot()], "not the sender");
    assert!(heard(0x123, None).is_empty());
}

/// `TIM-08` in a router: the payload of an offered frame has no bytes, and N_Cs runs all the same.
#[test]
fn a_payload_without_bytes_gives_the_router_a_deadline() {
    struct Dry;
    impl Payload for Dry {
        fn size(&self) -> u32 {
            20
        }
        fn copy_to(&mut self, _offset: u32, _out: &mut [u8]) -> Option<usize> {
            None
        }
    }
    static SHORT: Config = {
        let mut config = Config::new();
        config.timing.n_cs = core::time::Duration::from_millis(50);
        config
    };
    for order in [Order::RoundRobin, Order::LowestId] {
        let mut router = Router::new([const { Slot::new() }; 1]);
        router.set_order(order);
        let memory: Box<[u8]> = std::vec![0; 64].into();
        let link = Link::<_, Dry>::new(normal(1, 2), &SHORT, memory).unwrap();
        let id = router.insert(link).unwrap();
        router.send(NOW, id, Dry).unwrap();
        assert!(router.poll_transmit(NOW, &mut Frame::new()).is_none());
        let timeout = router.poll_timeout().unwrap();
        assert_eq!(timeout.at, Instant::from_millis(50));
        router.handle_timeout(timeout.at);
        let no_data = NResult::Error(crate::Cause::NoData);
        assert!(matches!(router.poll_event(), Some((_, Event::Confirmed(r))) if r == no_data));
    }
}

/// A buffer that says it is ready and then takes nothing ends the reception, and the user hears it.
#[test]
fn a_buffer_that_fails_when_it_is_asked_is_news() {
    #[derive(Debug)]
    struct Fails {
        ready: bool,
    }
    impl RxBuffer for Fails {
        fn limit(&self) -> u32 {
            100
        }
        fn ready(&mut self, _size: u32, _received: u32) -> bool {
            self.ready
        }
        fn start(&mut self, _size: u32) {}
        fn write(&mut self, _offset: u32, _data: &[u8]) -> bool {
            false
        }
    }
    let mut router = Router::new([const { Slot::new() }; 1]);
    let buffer = Fails { ready: false };
    let link = Link::<_, Vec<u8>>::new(normal(1, 2), &CONFIG, buffer).unwrap();
    let link = router.insert(link).unwrap();
    let data = &[0x10, 20, 1, 2, 3, 4, 5, 6];
    router.handle_frame(
        NOW,
        FrameView {
            id: id(2),
            kind: FrameKind::Classic,
            data,
        },
    );
    assert!(matches!(
        router.poll_event(),
        Some((_, Event::FirstFrame { .. }))
    ));
    router.link_mut(link).unwrap().buffer_mut().ready = true;
    assert!(router.poll_transmit(NOW, &mut Frame::new()).is_none());
    assert!(matches!(
        router.poll_event(),
        Some((_, Event::ReceptionFailed(_)))
    ));
    assert_eq!(router.poll_timeout(), None);
}

/// One format per id also where the id belongs to any source.
#[test]
fn an_address_byte_on_an_id_of_any_source_is_refused() {
    let any = Address::normal_fixed(0xF1, 0x11)
        .unwrap()
        .with_any_source()
        .unwrap();
    let (mut router, _) = router(&[any]);
    let ext = |value| Id::extended(value).unwrap();
    let byte = Address::extended(ext(0x18DA_0011), 1, ext(0x18DA_F155), 2).unwrap();
    assert!(matches!(
        router.insert(link(byte)).unwrap_err().error,
        InsertError::FormatInUse { .. }
    ));
}

#[test]
fn the_end_of_time_is_no_endless_loop() {
    let (mut router, ids) = router(&[normal(0x700, 0x708), normal(0x701, 0x709)]);
    for id in ids {
        router.send(Instant::MAX, id, std::vec![0; 20]).unwrap();
    }
    router.handle_timeout(Instant::MAX);
    router.handle_timeout(NOW);
    let mut frame = Frame::new();
    router
        .poll_transmit(Instant::MAX, &mut frame)
        .unwrap()
        .commit(Instant::MAX);
    router.handle_timeout(Instant::MAX);
}

#[test]
fn links_are_found_by_their_address_and_counted() {
    let (mut router, ids) = router(&[normal(1, 2), normal(3, 4)]);
    assert!(!router.is_empty());
    assert_eq!(router.len(), 2);
    assert_eq!(router.find(&normal(1, 2)), Some(ids[0]));
    assert_eq!(router.find(&normal(3, 4)), Some(ids[1]));
    assert_eq!(router.find(&normal(5, 6)), None);
    for id in ids {
        assert!(router.remove(id).is_some());
    }
    assert!(router.is_empty());
    assert_eq!(router.find(&normal(1, 2)), None);
}

/// A buffer that has room again is asked when the router is told.
#[test]
fn a_link_that_is_woken_asks_its_buffer_again() {
    #[derive(Clone, Debug, Default)]
    struct Shared(std::rc::Rc<core::cell::Cell<bool>>);
    impl RxBuffer for Shared {
        fn limit(&self) -> u32 {
            100
        }
        fn ready(&mut self, _size: u32, _received: u32) -> bool {
            self.0.get()
        }
        fn start(&mut self, _size: u32) {}
        fn write(&mut self, _offset: u32, _data: &[u8]) -> bool {
            true
        }
    }
    let mut router = Router::new([const { Slot::new() }; 1]);
    let buffer = Shared::default();
    let link = Link::<_, Vec<u8>>::new(normal(1, 2), &CONFIG, buffer.clone()).unwrap();
    let link = router.insert(link).unwrap();
    let data = &[0x10, 20, 1, 2, 3, 4, 5, 6];
    let kind = FrameKind::Classic;
    let id = id(2);
    router.handle_frame(NOW, FrameView { id, kind, data });
    while router.poll_event().is_some() {}
    let mut frame = Frame::new();
    assert!(router.poll_transmit(NOW, &mut frame).is_none());
    buffer.0.set(true);
    assert!(
        router.poll_transmit(NOW, &mut frame).is_none(),
        "not by itself"
    );
    router.wake(link);
    assert!(router.poll_transmit(NOW, &mut frame).is_some());
    assert_eq!(frame.data(), [0x30, 0, 0]);
}

#[test]
fn a_refused_link_says_why_and_does_not_show_itself() {
    let (mut router, _) = router(&[normal(0x7E0, 0x7E8)]);
    let refused = router.insert(link(normal(0x7E1, 0x7E8))).unwrap_err();
    assert_eq!(
        refused.error.to_string(),
        "rx_id 7E8 belongs to another link; close that one first"
    );
    let shown = std::format!("{refused:?}");
    assert_eq!(
        shown,
        "RefusedLink { error: AddressInUse { id: Id(7E8) }, .. }"
    );
    assert_eq!(
        InsertError::FormatInUse { id: id(0x7E8) }.to_string(),
        "rx_id 7E8 is read in another address format by another link"
    );
    assert_eq!(
        InsertError::Full { len: 3 }.to_string(),
        "all 3 slots are in use; give the router more"
    );
}

#[test]
fn an_extended_address_belongs_to_one_link() {
    let extended = |tx| Address::extended(id(tx), 1, id(0x610), 7).unwrap();
    let (mut router, ids) = router(&[extended(0x6F1)]);
    let refused = router.insert(link(extended(0x6F2))).unwrap_err();
    assert_eq!(refused.error, InsertError::AddressInUse { id: id(0x610) });
    assert_eq!(router.find(&extended(0x6F3)), Some(ids[0]));
}

/// `PCI-02`: a frame without data is for the link of its id, and holds no N_PDU.
#[test]
fn a_frame_without_data_is_for_the_link_of_its_id() {
    let (mut router, ids) = router(&[normal(1, 2), normal(3, 4)]);
    assert!(receive(&mut router, id(4), &[]).is_empty());
    assert_eq!(router.link(ids[0]).unwrap().ignored(), 0);
    assert_eq!(router.link(ids[1]).unwrap().ignored(), 1);
}
