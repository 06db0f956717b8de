//! Links that take the place of others.

use super::*;

/// `TIM-11` across links: a token of a link that left confirms nothing of its successor.
#[test]
fn a_stale_token_never_confirms_a_successor() {
    let make = || Link::new(normal(0x700, 0x708), &REPORTED, std::vec![0; 64].into()).unwrap();
    let mut router: TestRouter = Router::new(Vec::new());
    let mut frame = Frame::new();
    let first = router.insert(make()).unwrap();
    router.send(NOW, first, std::vec![1]).unwrap();
    let stale = router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
    router.remove(first).unwrap();
    let second = router.insert(make()).unwrap();
    assert_eq!(first.slot(), second.slot());
    assert!(router.link(first).is_none());
    router.send(NOW, second, std::vec![2]).unwrap();
    let fresh = router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
    router.handle_transmitted(NOW, stale);
    assert!(router.poll_event().is_none());
    router.handle_transmitted(NOW, fresh);
    assert!(matches!(
        router.poll_event(),
        Some((_, Event::Confirmed(NResult::Ok)))
    ));
}

/// `TIM-11`: a link that is busy when it is inserted has no frame in flight whose token the slot gave.
#[test]
fn a_stale_token_never_confirms_a_busy_newcomer() {
    let make = || Link::new(normal(0x700, 0x708), &REPORTED, std::vec![0; 64].into()).unwrap();
    let mut router: TestRouter = Router::new(Vec::new());
    let mut frame = Frame::new();
    let first = router.insert(make()).unwrap();
    router.send(NOW, first, std::vec![1]).unwrap();
    let stale = router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
    router.remove(first).unwrap();
    let mut busy: TestLink = make();
    busy.send(NOW, std::vec![2]).unwrap();
    let _elsewhere = busy.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
    router.insert(busy).unwrap();
    router.handle_transmitted(NOW, stale);
    assert!(router.poll_event().is_none());
}

/// `P4`: a user who puts another link where the router has lent one breaks that link, nothing else.
#[test]
fn a_link_that_is_replaced_behind_the_routers_back_harms_no_other() {
    let (mut router, ids) = router(&[normal(0x700, 0x708), normal(0x701, 0x709)]);
    let fixed = Address::normal_fixed(0x10, 0xF1)
        .unwrap()
        .with_functional_group(0x33)
        .unwrap();
    *router.link_mut(ids[0]).unwrap() = link(fixed);
    for n in 0..20 {
        router.insert(link(normal(0x400 + n, 0x200 + n))).unwrap();
    }
    assert!(router.remove(ids[0]).is_some());
    assert!(receive(&mut router, id(0x708), &[1, 2]).is_empty());
    assert_eq!(
        receive(&mut router, id(0x709), &[1, 2]),
        [(ids[1], std::vec![2])]
    );
    assert!(router.insert(link(normal(0x700, 0x708))).is_ok());
}
