//! Whose frame goes next, and whose deadline comes first.

use super::*;

#[test]
fn data_takes_turns_and_a_dropped_offer_keeps_its_turn() {
    let (mut router, ids) = router(&[normal(0x702, 2), normal(0x700, 0), normal(0x701, 1)]);
    for id in &ids {
        router.send(NOW, *id, std::vec![0; 3]).unwrap();
    }
    let mut frame = Frame::new();
    for _ in 0..3 {
        drop(router.poll_transmit(NOW, &mut frame).unwrap());
        assert_eq!(frame.id(), id(0x702));
    }
    let mut order = Vec::new();
    while let Some(transmit) = router.poll_transmit(NOW, &mut frame) {
        transmit.commit(NOW);
        order.push(frame.id().value());
    }
    assert_eq!(order, [0x702, 0x700, 0x701]);
    while router.poll_event().is_some() {}
    router.set_order(Order::LowestId);
    for id in &ids {
        router.send(NOW, *id, std::vec![0; 3]).unwrap();
    }
    let mut order = Vec::new();
    while let Some(transmit) = router.poll_transmit(NOW, &mut frame) {
        transmit.commit(NOW);
        order.push(frame.id().value());
    }
    assert_eq!(order, [0x700, 0x701, 0x702]);
}

/// Nor does it lose it by what is asked of its link, or told to it, in the meantime.
#[test]
fn a_dropped_offer_keeps_its_turn_while_its_link_is_used() {
    for told in [true, false] {
        let (mut router, ids) = router(&[normal(0x701, 1), normal(0x702, 2)]);
        for id in &ids {
            router.send(NOW, *id, std::vec![0; 3]).unwrap();
        }
        let mut frame = Frame::new();
        let token = {
            let offer = router.poll_transmit(NOW, &mut frame).unwrap();
            offer.token()
        };
        if told {
            router.handle_transmitted(NOW, token);
        } else {
            router.link_mut(ids[0]).unwrap();
        }
        router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
        assert_eq!(frame.id(), id(0x701), "{told}");
    }
}

#[test]
fn flow_control_leaves_before_data() {
    let (mut router, ids) = router(&[normal(0x100, 0x101), normal(0x700, 0x708)]);
    router.send(NOW, ids[0], std::vec![0; 3]).unwrap();
    receive(&mut router, id(0x708), &[0x10, 20, 1, 2, 3, 4, 5, 6]);
    let mut frame = Frame::new();
    router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
    assert_eq!(frame.data()[0], 0x30);
}

#[test]
fn a_dropped_offer_of_a_flow_control_keeps_its_turn() {
    let (mut router, _) = router(&[normal(0x701, 1), normal(0x702, 2)]);
    for rx in [1, 2] {
        receive(&mut router, id(rx), &[0x10, 20, 1, 2, 3, 4, 5, 6]);
    }
    let mut frame = Frame::new();
    for _ in 0..3 {
        drop(router.poll_transmit(NOW, &mut frame).unwrap());
        assert_eq!(frame.id(), id(0x701));
    }
    for expected in [0x701, 0x702] {
        router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
        assert_eq!(frame.id(), id(expected));
    }
}

/// Links take turns frame by frame, also where each has more to send at once.
#[test]
fn a_committed_frame_ends_the_turn_of_its_link() {
    let (mut router, ids) = router(&[normal(0x701, 1), normal(0x702, 2)]);
    let mut frame = Frame::new();
    for link in &ids {
        router.send(NOW, *link, std::vec![0; 20]).unwrap();
        router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
    }
    for rx in [1, 2] {
        receive(&mut router, id(rx), &[0x30, 0, 0]);
    }
    let mut order = Vec::new();
    while let Some(transmit) = router.poll_transmit(NOW, &mut frame) {
        transmit.commit(NOW);
        order.push((frame.id().value(), frame.data()[0]));
    }
    let (first, second) = ((0x701, 0x21), (0x702, 0x21));
    assert_eq!(order, [first, second, (0x701, 0x22), (0x702, 0x22)]);
}

/// With [`Order::LowestId`] it is the id of the frame that is ready which decides.
#[test]
fn the_lowest_id_is_that_of_the_next_frame() {
    let functional = normal(0x700, 0).with_functional_tx(id(0x10)).unwrap();
    let (mut router, ids) = router(&[functional, normal(0x100, 1)]);
    router.set_order(Order::LowestId);
    let mut frame = Frame::new();
    let mut order = |router: &mut TestRouter| {
        let mut order = Vec::new();
        while let Some(transmit) = router.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            order.push(frame.id().value());
        }
        while router.poll_event().is_some() {}
        order
    };
    router.send(NOW, ids[0], std::vec![0; 3]).unwrap();
    router.send(NOW, ids[1], std::vec![0; 3]).unwrap();
    assert_eq!(order(&mut router), [0x100, 0x700]);
    router
        .send_functional(NOW, ids[0], std::vec![0; 3])
        .unwrap();
    router.send(NOW, ids[1], std::vec![0; 3]).unwrap();
    assert_eq!(order(&mut router), [0x10, 0x100]);
}

/// The links before and behind one that leaves keep their turns.
#[test]
fn a_link_that_leaves_takes_nobodys_turn() {
    for leaves in 0..3 {
        let (mut router, ids) = router(&[normal(0x700, 0), normal(0x701, 1), normal(0x702, 2)]);
        for link in &ids {
            router.send(NOW, *link, std::vec![0; 3]).unwrap();
        }
        assert!(router.remove(ids[leaves]).is_some());
        let newcomer = router.insert(link(normal(0x703, 3))).unwrap();
        router.send(NOW, newcomer, std::vec![0; 3]).unwrap();
        let (mut frame, mut order) = (Frame::new(), Vec::new());
        while let Some(transmit) = router.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            order.push(frame.id().value());
        }
        let mut expected = std::vec![0x700, 0x701, 0x702];
        expected.remove(leaves);
        expected.push(0x703);
        assert_eq!(order, expected);
    }
}

/// A frame that was lost is offered again, whichever link of the router it was of.
#[test]
fn a_lost_frame_is_that_of_its_link() {
    let mut router: TestRouter = Router::new(Vec::new());
    let mut frame = Frame::new();
    let mut tokens = Vec::new();
    for n in 0..2 {
        let address = normal(0x700 + n, n);
        let link = Link::new(address, &REPORTED, std::vec![0; 128].into()).unwrap();
        let link = router.insert(link).unwrap();
        router.send(NOW, link, std::vec![0; 3]).unwrap();
        tokens.push(router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW));
    }
    assert!(router.poll_transmit(NOW, &mut frame).is_none());
    router.handle_failed(NOW, tokens[1]);
    assert!(router.poll_transmit(NOW, &mut frame).is_some());
    assert_eq!(frame.id(), id(0x701));
}

/// The earliest deadline is told, also right after the link that has it was lent out.
#[test]
fn the_earliest_deadline_is_that_of_any_link() {
    static PATIENT: Config = {
        let mut config = Config::new();
        config.timing.n_as = core::time::Duration::from_secs(2);
        config
    };
    let mut router: TestRouter = Router::new(Vec::new());
    let mut frame = Frame::new();
    let at = Instant::from_millis;
    for (n, since) in [(0, 200), (1, 100), (2, 300)] {
        let address = normal(0x700 + n, n);
        let link = Link::new(address, &PATIENT, std::vec![0; 128].into()).unwrap();
        let link = router.insert(link).unwrap();
        router.send(at(since), link, std::vec![0; 20]).unwrap();
        let transmit = router.poll_transmit(at(since), &mut frame);
        transmit.unwrap().commit(at(since));
        // N_Bs is shorter than N_As, which ran before
        let first = if n == 0 { 200 } else { 100 };
        let n_bs = router.poll_timeout().unwrap();
        assert_eq!(n_bs.at, at(first) + PATIENT.timing.n_bs, "{n}");
    }
}

/// A queue that was empty is whole again when the only turn in it was given back.
#[test]
fn whoever_comes_after_a_dropped_offer_is_served() {
    let (mut router, ids) = router(&[normal(0x700, 0), normal(0x701, 1), normal(0x702, 2)]);
    let mut frame = Frame::new();
    router.send(NOW, ids[0], std::vec![0; 3]).unwrap();
    drop(router.poll_transmit(NOW, &mut frame).unwrap());
    let mut order = Vec::new();
    for link in &ids[1..] {
        router.send(NOW, *link, std::vec![0; 3]).unwrap();
    }
    while let Some(transmit) = router.poll_transmit(NOW, &mut frame) {
        transmit.commit(NOW);
        order.push(frame.id().value());
    }
    assert_eq!(order, [0x700, 0x701, 0x702]);
}

/// Of links on one id the one that asked first is served first.
#[test]
fn of_equal_lowest_ids_the_first_in_the_queue_goes() {
    let extended = |n_ta| Address::extended(id(0x6F1), n_ta, id(0x600), n_ta).unwrap();
    let (mut router, ids) = router(&[extended(0), extended(1), extended(2)]);
    router.set_order(Order::LowestId);
    let mut frame = Frame::new();
    for order in [[0, 1, 2], [2, 0, 1]] {
        for n in order {
            router.send(NOW, ids[n], std::vec![0; 3]).unwrap();
        }
        for n in order {
            router.poll_transmit(NOW, &mut frame).unwrap().commit(NOW);
            assert_eq!(usize::from(frame.data()[0]), n);
        }
        while router.poll_event().is_some() {}
    }
}
