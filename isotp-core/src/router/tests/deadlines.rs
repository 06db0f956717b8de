//! When a router wants to be called, and what it costs to know it.

use super::*;
use crate::time::{Timeout, Timer};

const fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// The key of an entry is a lower bound; where no other link has a deadline, the exact one is told.
#[test]
fn the_deadline_of_the_only_busy_link_is_exact() {
    let (mut router, ids) = router(&[normal(0x700, 0), normal(0x701, 1)]);
    router.send(ms(0), ids[0], std::vec![0; 20]).unwrap();
    assert_eq!(router.poll_timeout().unwrap().at, ms(1000));
    let mut frame = Frame::new();
    let transmit = router.poll_transmit(ms(500), &mut frame).unwrap();
    transmit.commit(ms(500));
    assert_eq!(router.poll_timeout().unwrap().at, ms(1500), "N_Bs");
}

/// An entry is keyed anew for an earlier deadline, not for the same or a later one.
#[test]
fn only_an_earlier_deadline_touches_the_heap() {
    let mut slots = [const { Slot::<TestLink>::new() }; 2];
    let mut heap = Heap::default();
    assert!(heap.note(&mut slots, 1, Some(ms(20))), "it has no entry");
    let (at, timer) = (ms(20), Timer::NAs);
    heap.key(&mut slots, 1, Some(Timeout { at, timer }));
    for (deadline, anew) in [(ms(21), false), (ms(20), false), (ms(19), true)] {
        assert_eq!(heap.note(&mut slots, 1, Some(deadline)), anew);
    }
    assert!(!heap.note(&mut slots, 1, None));
    assert!(heap.first(&slots).is_none(), "no link has a deadline");
}

/// A deadline that moved to the end of time leaves the heap: it never comes.
#[test]
fn a_deadline_at_the_end_of_time_is_none() {
    let (mut router, ids) = router(&[normal(0x700, 0), normal(0x701, 1)]);
    for (link, at) in ids.iter().zip([0, 1]) {
        router.send(ms(at), *link, std::vec![0; 20]).unwrap();
    }
    let transmit = router.poll_transmit(Instant::MAX, &mut Frame::new());
    transmit.unwrap().commit(Instant::MAX);
    router.handle_timeout(Instant::MAX);
    assert_eq!(router.poll_timeout(), None);
}

#[test]
fn a_link_is_in_a_queue_until_it_is_taken_out() {
    let mut slots = [const { Slot::<TestLink>::new() }; 2];
    let mut queue = Queue::new(Purpose::Data);
    queue.push_back(&mut slots, 1);
    assert!(queue.contains(&slots, 1));
    assert!(!queue.contains(&slots, 0));
    queue.pop_front(&mut slots);
    assert!(!queue.contains(&slots, 1));
}
