use super::*;
use crate::frame::FrameView;

fn std(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn ext(value: u32) -> Id {
    Id::extended(value).unwrap()
}

fn seen(address: &Address, id: Id, data: &[u8]) -> Option<Recognised> {
    address.recognise(&FrameView {
        id,
        kind: FrameKind::Classic,
        data,
    })
}

/// `ADR-09`, and the formats in which equal ids are two addresses.
#[test]
fn a_link_that_would_hear_itself_is_refused() {
    assert!(Address::normal(std(0x7E0), std(0x7E0)).is_err());
    assert!(Address::mixed_11(std(0x7E0), std(0x7E0), 1).is_err());
    assert!(Address::extended(std(0x6F1), 0x10, std(0x6F1), 0x10).is_err());
    assert!(Address::extended(std(0x6F1), 0x10, std(0x6F1), 0xF1).is_ok());
    assert!(Address::normal_fixed(0xF1, 0xF1).is_err());
    assert!(Address::mixed_29(0xF1, 0xF1, 9).is_err());
    assert!(Address::normal(std(0x123), ext(0x123)).is_ok());
    let same_id = Address::from_halves(Half::normal(std(1)), Half::extended(std(1), 2));
    assert!(same_id.is_err(), "one address format per CAN id");
}

/// `ADR-01`: ids and default priority; receivers ignore the priority, not bits 25 and 24.
#[test]
fn normal_fixed_ids() {
    let a = Address::normal_fixed(0xF1, 0x10).unwrap();
    assert_eq!(a.tx().id(), ext(0x18DA_10F1));
    assert_eq!(a.rx().id(), ext(0x18DA_F110));
    for priority in 0..8u32 {
        assert!(seen(&a, ext(priority << 26 | 0xDA_F110), &[]).is_some());
    }
    assert!(seen(&a, ext(0x19DA_F110), &[]).is_none());
    assert!(seen(&a, ext(0x1ADA_F110), &[]).is_none());
    assert!(seen(&a, ext(0x18DA_F111), &[]).is_none());
    assert_eq!(a.with_priority(3).unwrap().tx().id(), ext(0x0CDA_10F1));
    assert_eq!(a.with_priority(7).unwrap().tx().id(), ext(0x1CDA_10F1));
    assert!(a.with_priority(8).is_err());
}

#[test]
fn any_source_is_received_and_answered() {
    let a = Address::normal_fixed(0xF1, 0x10)
        .unwrap()
        .with_any_source()
        .unwrap();
    let r = seen(&a, ext(0x18DA_F142), &[]).unwrap();
    assert_eq!((r.source, r.functional), (0x42, false));
    assert_eq!(a.tx().towards(r.source).id(), ext(0x18DA_42F1));
    assert!(
        Address::normal(std(1), std(2))
            .unwrap()
            .with_any_source()
            .is_err()
    );
    // one direction that names no source is enough
    let (fixed, plain) = (Half::normal_fixed(0x10, 0xF1), Half::normal(std(1)));
    for (tx, rx) in [(fixed, plain), (plain, fixed)] {
        let mixed = Address::from_halves(tx, rx).unwrap();
        assert_eq!(mixed.with_any_source(), Err(AddressError::NotFixed));
    }
}

/// `ADR-02`: mixed is symmetric, extended carries the receiver's own N_TA each way.
#[test]
fn address_bytes() {
    let e = Address::extended(std(0x6F1), 0x10, std(0x610), 0xF1).unwrap();
    assert_eq!((e.tx().byte(), e.rx().byte()), (Some(0x10), Some(0xF1)));
    assert!(seen(&e, std(0x610), &[0xF1, 1, 2]).is_some());
    assert!(seen(&e, std(0x610), &[0x10, 1, 2]).is_none());
    assert!(seen(&e, std(0x610), &[]).is_none());
    let m = Address::mixed_29(0xF1, 0x10, 0x99).unwrap();
    assert_eq!((m.tx().byte(), m.rx().byte()), (Some(0x99), Some(0x99)));
    assert_eq!(
        (m.tx().id(), m.rx().id()),
        (ext(0x18CE_10F1), ext(0x18CE_F110))
    );
}

/// `ADR-04`: functional ids of each format.
#[test]
fn functional_ids() {
    let n = Address::normal(std(0x7E8), std(0x7E0)).unwrap();
    let n = n.with_functional_rx(std(0x7DF)).unwrap();
    assert!(seen(&n, std(0x7DF), &[]).unwrap().functional);
    assert!(n.with_functional_rx(std(0x7E0)).is_err());

    let f = Address::normal_fixed(0x10, 0xF1)
        .unwrap()
        .with_functional_group(0x33)
        .unwrap();
    assert_eq!(f.functional_rx().unwrap().id(), ext(0x18DB_33F1));
    assert_eq!(f.with_functional_rx(ext(0x18DB_33F1)).unwrap(), f);
    assert!(f.with_functional_rx(ext(0x18DA_33F1)).is_err());
    assert!(seen(&f, ext(0x0CDB_33F1), &[]).unwrap().functional);

    let m = Address::mixed_29(0xF1, 0x10, 9)
        .unwrap()
        .with_functional_target(0x33)
        .unwrap();
    assert_eq!(m.functional_tx().unwrap().id(), ext(0x18CD_33F1));
    assert_eq!(m.functional_tx().unwrap().byte(), Some(9));

    let e = Address::extended(std(0x6F1), 0x10, std(0x610), 0xF1).unwrap();
    assert!(e.with_functional_tx(std(0x6F1)).is_err());
    let e = e.with_functional_tx_to(std(0x6F1), 0xDF).unwrap();
    assert_eq!(e.functional_tx().unwrap().byte(), Some(0xDF));
    assert_eq!(e.reversed().functional_rx(), e.functional_tx());
}

/// An id shared by a physical and a functional address that differ in the address byte.
#[test]
fn extended_functional_on_the_physical_id() {
    let e = Address::extended(std(0x610), 0xF1, std(0x6F1), 0x10).unwrap();
    let e = e.with_functional_rx_to(std(0x6F1), 0xDF).unwrap();
    assert!(!seen(&e, std(0x6F1), &[0x10]).unwrap().functional);
    assert!(seen(&e, std(0x6F1), &[0xDF]).unwrap().functional);
    assert!(seen(&e, std(0x6F1), &[0x11]).is_none());
}

/// `ADR-05`.
#[test]
fn n_ta_types() {
    let fd = FrameKind::Fd { brs: false };
    let short = Address::normal(std(1), std(2)).unwrap();
    let long = Address::normal(ext(1), ext(2)).unwrap();
    let types = [
        short.n_ta_type(FrameKind::Classic, false),
        short.n_ta_type(FrameKind::Classic, true),
        short.n_ta_type(fd, false),
        short.n_ta_type(fd, true),
        long.n_ta_type(FrameKind::Classic, false),
        long.n_ta_type(FrameKind::Classic, true),
        long.n_ta_type(fd, false),
        long.n_ta_type(fd, true),
    ];
    assert_eq!(types, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(!short.is_remote());
    assert!(Address::mixed_11(std(1), std(2), 3).unwrap().is_remote());
}

/// A functional id that is the physical one says nothing about a frame, in either direction.
#[test]
fn a_functional_id_differs_from_the_physical_one() {
    let n = Address::normal(std(0x7E0), std(0x7E8)).unwrap();
    let same = |id| Err(AddressError::SameFunctionalId { id });
    assert_eq!(n.with_functional_tx(std(0x7E0)), same(std(0x7E0)));
    assert_eq!(n.with_functional_rx(std(0x7E8)), same(std(0x7E8)));
    let e = Address::extended(std(0x6F1), 0x10, std(0x610), 0xF1).unwrap();
    assert_eq!(e.with_functional_tx_to(std(0x6F1), 0x10), same(std(0x6F1)));
    assert!(e.with_functional_tx_to(std(0x6F1), 0xDF).is_ok());
}

/// Filters let in what an address receives, whatever its priority, and the echo of what it sends.
#[test]
fn filters_match_what_an_address_receives_and_sends() {
    fn matches(mut filters: impl Iterator<Item = Filter>, id: Id) -> bool {
        filters.any(|filter| {
            filter.id.is_extended() == id.is_extended()
                && (filter.id.value() ^ id.value()) & filter.mask == 0
        })
    }
    let received = |address: Address, id| matches(address.filters(), id);
    let sent = |address: Address, id| matches(address.sent_filters(), id);

    let free = Address::normal(std(0x7E0), std(0x7E8)).unwrap();
    let free = free.with_functional_tx(std(0x7DF)).unwrap();
    assert!(received(free, std(0x7E8)) && !received(free, std(0x7E9)));
    assert!(!received(free, ext(0x7E8)));
    assert!(sent(free, std(0x7E0)) && sent(free, std(0x7DF)) && !sent(free, std(0x7E8)));

    let fixed = Address::normal_fixed(0xF1, 0x10).unwrap();
    assert!(received(fixed, ext(0x18DA_F110)) && received(fixed, ext(0x00DA_F110)));
    assert!(!received(fixed, ext(0x18DA_F111)));
    assert!(sent(fixed, ext(0x18DA_10F1)) && !sent(fixed, ext(0x18DA_11F1)));

    let any = fixed.with_any_source().unwrap();
    assert!(received(any, ext(0x18DA_F177)) && !received(any, ext(0x18DA_F210)));
    assert!(sent(any, ext(0x18DA_77F1)) && !sent(any, ext(0x18DA_77F2)));
}

/// `ADR-09`: a link that sends with another priority than it listens for does not hear itself.
#[test]
fn only_two_fixed_ids_are_the_same_whatever_their_priority() {
    let fixed = Half::normal_fixed(0x10, 0xF1);
    let higher = ext(fixed.id().value() ^ (1 << 26));
    assert!(Address::from_halves(fixed, Half::normal(higher)).is_ok());
    assert!(Address::from_halves(fixed, Half::normal(fixed.id())).is_err());
}

#[test]
fn a_functional_id_is_the_one_that_was_given() {
    let extended = Address::extended(std(0x6F1), 0x10, std(0x610), 0xF1).unwrap();
    let functional = extended.with_functional_tx_to(std(0x6F2), 0xDF).unwrap();
    let half = functional.functional_tx().unwrap();
    assert_eq!((half.id(), half.byte()), (std(0x6F2), Some(0xDF)));
    let functional = extended.with_functional_rx_to(std(0x6F3), 0xDE).unwrap();
    let half = functional.functional_rx().unwrap();
    assert_eq!((half.id(), half.byte()), (std(0x6F3), Some(0xDE)));
}

/// What the short way to send asks for each frame.
#[test]
fn an_address_for_one_peer_without_byte_is_plain() {
    let normal = Address::normal(std(1), std(2)).unwrap();
    let fixed = Address::normal_fixed(0xF1, 0x10).unwrap();
    let extended = Address::extended(std(1), 3, std(2), 4).unwrap();
    let halves = |tx, rx| Address::from_halves(tx, rx).unwrap();
    let sends_a_byte = halves(Half::extended(std(1), 3), Half::normal(std(2)));
    assert!(normal.is_plain() && normal.reversed().is_plain());
    assert!(fixed.is_plain());
    assert!(!fixed.with_any_source().unwrap().is_plain());
    assert!(!extended.is_plain() && !extended.reversed().is_plain());
    assert!(!sends_a_byte.is_plain());
    assert!(sends_a_byte.reversed().is_plain());
}
