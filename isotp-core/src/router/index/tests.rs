//! Which classes are looked at, and how well the hash spreads.

use std::vec::Vec;

use super::*;
use crate::frame::FrameKind;

type Slots = [Slot<()>];

fn slots(count: usize) -> Vec<Slot<()>> {
    (0..count).map(|_| Slot::new()).collect()
}

fn std(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn ext(value: u32) -> Id {
    Id::extended(value).unwrap()
}

/// One address of each class, in the order of the classes.
fn one_of_each() -> [Address; CLASSES] {
    let fixed = Address::normal_fixed(0xF1, 0x10).unwrap();
    let mixed = Address::mixed_29(0xF1, 0x10, 5).unwrap();
    [
        Address::normal(std(1), std(2)).unwrap(),
        Address::extended(std(1), 3, std(4), 5).unwrap(),
        fixed,
        mixed,
        fixed.with_any_source().unwrap(),
        mixed.with_any_source().unwrap(),
    ]
}

#[test]
fn each_kind_of_address_has_its_class() {
    assert_eq!(
        one_of_each().map(|address| class(&address)),
        [0, 1, 2, 3, 4, 5]
    );
    let mixed = Address::mixed_11(std(1), std(2), 3).unwrap();
    assert_eq!(class(&mixed), BYTE);
}

/// A frame is looked up for the classes that there are links of, and for no other.
#[test]
fn the_classes_are_those_of_the_links_that_are_there() {
    let addresses = one_of_each();
    let mut slots = slots(2 * CLASSES);
    let mut index = Index::default();
    let classes = |index: &Index| index.physical.iter().collect::<Vec<_>>();
    for (class, address) in addresses.iter().enumerate() {
        // two of each
        for slot in [class as u32, (class + CLASSES) as u32] {
            index.insert(&mut slots, slot, *address);
            assert_eq!(classes(&index), (0..=class).collect::<Vec<_>>());
        }
    }
    for class in (0..CLASSES).rev() {
        index.remove(&mut slots, class as u32);
        assert_eq!(
            classes(&index),
            (0..=class).collect::<Vec<_>>(),
            "one is left"
        );
        index.remove(&mut slots, (class + CLASSES) as u32);
        assert_eq!(classes(&index), (0..class).collect::<Vec<_>>());
    }
    assert_eq!(index.functional_classes().count(), 0);
}

/// How many of as many buckets the keys fall into.
fn filled(keys: impl Iterator<Item = u32>) -> (usize, usize) {
    let mut buckets: Vec<usize> = keys.map(|key| bucket(key, 256)).collect();
    let keys = buckets.len();
    buckets.sort_unstable();
    buckets.dedup();
    (buckets.len(), keys)
}

/// What the nodes of one bus have in common does not put them into the same buckets. Chance alone would
/// fill 63 % of them.
#[test]
fn addresses_that_are_much_alike_spread_over_the_buckets() {
    let bytes = || 0..=u8::MAX;
    let spread = [
        filled((0x600..0x700).map(|id| key(0, std(id), 0))),
        filled((0..0x100).map(|id| key(0, ext(id << 8), 0))),
        filled(bytes().map(|byte| key(BYTE, std(0x6F1), byte))),
        filled(bytes().map(|source| key(FIXED, ext(0x18DA_F100 + u32::from(source)), 0))),
        filled(
            bytes().map(|target| key(ANY_SOURCE, ext(0x18DA_00F1 + (u32::from(target) << 8)), 0)),
        ),
        filled(bytes().map(|byte| key(FIXED | BYTE, ext(0x18CE_F110), byte))),
    ];
    for (case, (filled, keys)) in spread.into_iter().enumerate() {
        assert_eq!(keys, 256);
        assert!(filled > 128, "case {case}: {filled} of 256");
    }
}

/// What may be anything does not decide on the bucket.
#[test]
fn priority_and_any_source_do_not_change_the_key() {
    let id = ext(0x18DA_F110);
    let other_priority = ext(0x00DA_F110);
    assert_eq!(key(FIXED, id, 0), key(FIXED, other_priority, 0));
    assert_ne!(key(0, id, 0), key(0, other_priority, 0));
    let other_source = ext(0x00DA_F1FF);
    assert_eq!(key(ANY_SOURCE, id, 0), key(ANY_SOURCE, other_source, 0));
    assert_ne!(key(FIXED, id, 0), key(FIXED, other_source, 0));
}

/// Links share a functional address, or only its bucket: the members of a group are those of its address.
#[test]
fn groups_in_one_bucket_have_their_own_members() {
    const COUNT: usize = 8;
    // ids that all fall into the first bucket
    let ids: Vec<Id> = (0x100..0x7FF)
        .map(std)
        .filter(|id| bucket(key(0, *id, 0), COUNT) == 0)
        .take(4)
        .collect();
    assert_eq!(ids.len(), 4);
    let mut slots = slots(COUNT);
    let mut index = Index::default();
    for slot in 0..COUNT {
        let address = Address::normal(std(slot as u16), std(0x10 + slot as u16)).unwrap();
        let address = address.with_functional_rx(ids[slot % 4]).unwrap();
        index.insert(&mut slots, slot as u32, address);
    }
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(members(&index, &slots, *id), [n as u32, n as u32 + 4]);
    }
}

/// The links that hear a functional frame with this id, in slot order.
fn members(index: &Index, slots: &Slots, id: Id) -> Vec<u32> {
    let (kind, data) = (FrameKind::Classic, &[1, 0x3E][..]);
    let frame = FrameView { id, kind, data };
    let (mut slot, _) = index.functional(slots, 0, &frame).unwrap();
    let mut members = Vec::new();
    while slot != NONE {
        members.push(slot);
        slot = slots[slot as usize].node.chains.member_next;
    }
    members.sort_unstable();
    members
}
