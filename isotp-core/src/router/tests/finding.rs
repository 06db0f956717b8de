//! Which link a frame is for: the buckets of the index, and the groups on functional ids.

use super::*;

#[test]
fn every_link_on_a_functional_id_gets_the_frame() {
    let with_group = |n: u16| {
        normal(0x400 + n, 0x200 + n)
            .with_functional_rx(id(0x7DF))
            .unwrap()
    };
    let addresses: Vec<Address> = (0..300).map(with_group).collect();
    let (mut router, mut ids) = router(&addresses);
    while !ids.is_empty() {
        let mut got: Vec<LinkId> = receive(&mut router, id(0x7DF), &[1, 0x3E])
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        got.sort_by_key(|id| id.slot());
        let mut expected = ids.clone();
        expected.sort_by_key(|id| id.slot());
        assert_eq!(got, expected);
        // the first, the last and one from the middle leave
        let third = ids.len() / 3;
        assert!(router.remove(ids.remove(0)).is_some());
        for at in [third, ids.len().wrapping_sub(1)] {
            if at < ids.len() {
                assert!(router.remove(ids.remove(at)).is_some());
            }
        }
    }
    assert!(router.is_empty());
    assert!(receive(&mut router, id(0x7DF), &[1, 0x3E]).is_empty());
}

#[test]
fn functional_ids_that_share_a_bucket_are_kept_apart() {
    // two links on each of 60 ids that lie unevenly
    let functional = |n: u16| id(0x200 + n % 60 * (n % 60 + 7) % 0x500);
    let address = |n: u16| {
        let address = normal(0x100 + n, n);
        address.with_functional_rx(functional(n)).unwrap()
    };
    let (mut router, ids) = router(&(0..120).map(address).collect::<Vec<_>>());
    for n in 0..60 {
        let mut got: Vec<LinkId> = receive(&mut router, functional(n), &[1, 0x3E])
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        got.sort_by_key(|id| id.slot());
        let mut expected: Vec<LinkId> = (0..120)
            .filter(|other| functional(*other) == functional(n))
            .map(|other| ids[usize::from(other)])
            .collect();
        expected.sort_by_key(|id| id.slot());
        assert_eq!(got, expected, "{n}");
    }
}

/// Addresses share the buckets of the index: whoever leaves one takes nobody along.
#[test]
fn links_that_leave_and_come_take_nobody_along() {
    let address = |n: u16| normal(0x400 + n, n);
    let (mut router, mut ids) = router(&(0..64).map(address).collect::<Vec<_>>());
    let mut numbers: Vec<u16> = (0..64).collect();
    for round in 0..8 {
        for at in (round % 3..64).step_by(3) {
            assert!(router.remove(ids[at]).is_some());
            numbers[at] += 64;
            ids[at] = router.insert(link(address(numbers[at]))).unwrap();
        }
        for (number, link) in numbers.iter().zip(&ids) {
            let got = receive(&mut router, id(*number), &[1, 0x3E]);
            assert_eq!(got, [(*link, std::vec![0x3E])], "round {round}");
        }
    }
}

/// `ADR-01`: one fixed link, whatever the priority; a link for one source before one for any.
#[test]
fn fixed_addresses_are_found_by_what_matters_of_their_id() {
    let one = Address::normal_fixed(0xF1, 0x10).unwrap();
    let any = Address::normal_fixed(0xF1, 0x11)
        .unwrap()
        .with_any_source()
        .unwrap();
    let (mut router, ids) = router(&[one, any]);
    let ext = |value| Id::extended(value).unwrap();
    for (value, link) in [
        (0x18DA_F110, ids[0]),
        (0x00DA_F110, ids[0]),
        (0x18DA_F122, ids[1]),
        (0x1CDA_F111, ids[1]),
    ] {
        assert_eq!(
            receive(&mut router, ext(value), &[1, 2]),
            [(link, std::vec![2])]
        );
    }
    assert!(receive(&mut router, ext(0x18DA_F210), &[1, 2]).is_empty());
}

/// Of a normal id of 29 bits each bit counts, also those that are a priority elsewhere.
#[test]
fn normal_ids_that_differ_in_their_highest_bits_are_two() {
    let id = |bits: u32| Id::extended(bits << 26 | 0x123).unwrap();
    let address = |n| Address::normal(Id::extended(n).unwrap(), id(n)).unwrap();
    let (mut router, ids) = router(&[address(1), address(2)]);
    for (n, link) in ids.iter().enumerate() {
        let got = receive(&mut router, id(n as u32 + 1), &[1, 0x3E]);
        assert_eq!(got, [(*link, std::vec![0x3E])]);
    }
}
