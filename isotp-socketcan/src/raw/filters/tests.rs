use super::*;
use isotp_driver::Id;

fn address(tx: u32, rx: u32) -> Address {
    let id = |value| Id::extended(value).unwrap();
    Address::normal(id(tx), id(rx)).unwrap()
}

/// Whether the kernel would give us this frame.
fn passes(filters: &Filters, can_id: u32) -> bool {
    let matches = |filter: &CanFilter| {
        let filter: &libc::can_filter = filter.as_ref();
        can_id & filter.can_mask == filter.can_id & filter.can_mask
    };
    filters.list().iter().any(matches)
}

fn passes_extended(filters: &Filters, id: u32) -> bool {
    passes(filters, id | libc::CAN_EFF_FLAG)
}

#[test]
fn what_links_send_and_receive_comes_through_and_nothing_else() {
    let std = |value| Id::standard(value).unwrap();
    let mut filters = Filters::new();
    assert!(filters.list().is_empty() && filters.take_change().is_none());
    let tester = Address::normal(std(0x7E0), std(0x7E8)).unwrap();
    let tester = tester.with_functional_tx(std(0x7DF)).unwrap();
    filters.connected(&tester);
    assert_eq!(filters.take_change(), Some(Filtering::Exact(3)));
    assert_eq!(filters.take_change(), None);
    for can_id in 0..=0x7FF {
        let ours = [0x7E0, 0x7E8, 0x7DF].contains(&can_id);
        assert_eq!(passes(&filters, can_id), ours, "{can_id:#X}");
        assert!(!passes(&filters, can_id | libc::CAN_EFF_FLAG));
        assert!(!passes(&filters, can_id | libc::CAN_RTR_FLAG));
    }
    // a sibling that is the peer needs the same ids
    filters.connected(&tester.reversed());
    assert_eq!(filters.take_change(), None);
    filters.disconnected(&tester);
    assert_eq!(filters.take_change(), None);
    assert!(passes(&filters, 0x7E8));
    filters.disconnected(&tester.reversed());
    assert_eq!(filters.take_change(), Some(Filtering::Nothing));
    assert!(filters.list().is_empty());
}

#[test]
fn any_source_and_any_priority_come_through() {
    let mut filters = Filters::new();
    let link = Address::normal_fixed(0xF1, 0x10).unwrap();
    filters.connected(&link.with_any_source().unwrap());
    for id in [
        0x18DA_F110,
        0x18DA_F122,
        0x0CDA_F1FF,
        0x18DA_10F1,
        0x18DA_33F1,
    ] {
        assert!(passes_extended(&filters, id), "{id:#X}");
    }
    for id in [0x18DA_F210, 0x18DB_F110, 0x18DA_33F2] {
        assert!(!passes_extended(&filters, id), "{id:#X}");
    }
}

#[test]
fn a_filter_that_covered_others_leaves_them_behind() {
    let mut filters = Filters::new();
    let wide = Address::normal_fixed(0xF1, 0x10)
        .unwrap()
        .with_any_source()
        .unwrap();
    filters.connected(&wide);
    let narrow = address(0x0100_0000, 0x18DA_F133);
    filters.connected(&narrow);
    filters.disconnected(&wide);
    assert!(passes_extended(&filters, 0x18DA_F133));
    assert!(!passes_extended(&filters, 0x18DA_F134));
}

#[test]
fn above_512_filters_are_merged_and_still_let_every_link_through() {
    let mut filters = Filters::new();
    for link in 0..1000 {
        filters.connected(&address(0x0100_0000 + link, 0x0200_0000 + link));
        assert!(filters.list().len() <= MAX, "{link}");
    }
    let Filtering::Merged { filters: count, .. } = filters.take_change().unwrap() else {
        panic!("{}", filters.filtering);
    };
    assert_eq!(count as usize, filters.list().len());
    for link in 0..1000 {
        assert!(passes_extended(&filters, 0x0100_0000 + link));
        assert!(passes_extended(&filters, 0x0200_0000 + link));
    }
    assert!(!passes_extended(&filters, 0x0300_0000));
    assert!(!passes_extended(&filters, 0x0100_0000 + 4096));

    // when most of them have gone, the filters are exact again
    for link in 10..1000 {
        filters.disconnected(&address(0x0100_0000 + link, 0x0200_0000 + link));
    }
    for link in 0..10 {
        assert!(passes_extended(&filters, 0x0100_0000 + link));
    }
    assert!(matches!(filters.filtering, Filtering::Exact(_)));
    assert!(!passes_extended(&filters, 0x0100_0000 + 999));
}

#[test]
fn ids_all_over_the_place_end_the_filtering() {
    let mut filters = Filters::new();
    // odd multiples of a large odd number: every bit of an id varies
    let spread = |link: u32| link.wrapping_mul(0x0A6D_2B79) & 0x1FFF_FFFF;
    for link in 0..20_000 {
        filters.connected(&address(spread(2 * link), spread(2 * link + 1)));
    }
    assert_eq!(filters.take_change(), Some(Filtering::Everything));
    for can_id in [
        0,
        0x7FF,
        libc::CAN_EFF_FLAG,
        libc::CAN_EFF_FLAG | 0x1FFF_FFFF,
    ] {
        assert!(passes(&filters, can_id));
    }
    for link in 0..20_000 {
        filters.disconnected(&address(spread(2 * link), spread(2 * link + 1)));
    }
    assert_eq!(filters.take_change(), Some(Filtering::Nothing));
}

/// Links come one at a time, and the kernel is told after each. What it is told costs time too.
#[test]
fn ten_thousand_links_are_not_ten_thousand_times_all_filters() {
    let mut filters = Filters::new();
    let (mut told, mut changes) = (0, 0);
    for link in 0..10_000u32 {
        filters.connected(&address(0x18DA_0000 + link, 0x10DA_0000 + link));
        if filters.take_change().is_some() {
            changes += 1;
            told += filters.list().len();
        }
    }
    assert!(changes < 3000, "{changes} changes");
    assert!(told < 10_000 * 100, "{told} filters in {changes} changes");
    for link in 0..10_000 {
        assert!(passes_extended(&filters, 0x18DA_0000 + link));
        assert!(passes_extended(&filters, 0x10DA_0000 + link));
    }
}

#[test]
fn who_listens_to_all_gets_all_and_links_keep_their_filters() {
    let mut filters = Filters::new();
    filters.set_all(true);
    assert_eq!(filters.take_change(), Some(Filtering::Everything));
    assert!(passes(&filters, 0x123) && passes_extended(&filters, 0x123));
    filters.connected(&address(0x10, 0x20));
    filters.set_all(false);
    assert_eq!(filters.take_change(), Some(Filtering::Exact(2)));
    assert!(!passes(&filters, 0x123) && passes_extended(&filters, 0x20));
    filters.set_all(false);
    assert_eq!(filters.take_change(), None);
}
