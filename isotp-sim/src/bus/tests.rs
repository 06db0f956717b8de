mod at_once;

use super::*;
use crate::faults::Chance;
use isotp_core::Id;

fn id(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

fn bus(clock: Clock, faults: Faults) -> Bus {
    Bus::new(BusConfig { clock, faults })
}

fn submit(bus: &mut Bus, now: u64, port: PortId, of: u16, token: u64) -> Result<(), SubmitError> {
    let data = token.to_be_bytes();
    let view = FrameView {
        id: id(of),
        kind: FrameKind::Classic,
        data: &data,
    };
    bus.submit(at(now), port, view, token).map(|_| ())
}

/// What a port is told: time, kind, id and last data byte.
fn told(bus: &mut Bus, port: PortId) -> Vec<(u64, DeliveryKind, u32, u8)> {
    let mut frame = Frame::new();
    core::iter::from_fn(|| {
        let delivery = bus.poll_receive(port, &mut frame)?;
        Some((
            delivery.at.as_micros(),
            delivery.kind,
            frame.id().value(),
            frame.data()[7],
        ))
    })
    .collect()
}

fn tokens(bus: &mut Bus, port: PortId) -> Vec<u8> {
    told(bus, port).iter().map(|told| told.3).collect()
}

fn drive(bus: &mut Bus) {
    while let Some(next) = bus.poll_timeout() {
        bus.handle_timeout(next);
        assert!(bus.poll_timeout().is_none_or(|after| after > next));
    }
}

#[test]
fn the_lowest_id_of_the_queue_heads_wins_each_arbitration() {
    let mut bus = bus(Clock::Free, Faults::none());
    let [a, b, c] = [(); 3].map(|()| bus.attach(PortConfig::default()));
    for (port, of, token) in [(a, 0x700, 1), (a, 0x100, 2), (b, 0x300, 3), (b, 0x200, 4)] {
        submit(&mut bus, 0, port, of, token).unwrap();
    }
    bus.handle_timeout(at(0));
    // 0x100 waits behind 0x700 in the queue of its port
    assert_eq!(tokens(&mut bus, c), [3, 4, 1, 2]);
}

#[test]
fn a_port_ordered_by_id_sends_its_lowest_first_and_equals_in_order() {
    let mut bus = bus(Clock::Free, Faults::none());
    let by_id = PortConfig {
        order: Order::ById,
        ..PortConfig::default()
    };
    let (a, b) = (bus.attach(by_id), bus.attach(PortConfig::default()));
    for (of, token) in [(0x700, 1), (0x100, 2), (0x700, 3), (0x100, 4)] {
        submit(&mut bus, 0, a, of, token).unwrap();
    }
    bus.handle_timeout(at(0));
    assert_eq!(tokens(&mut bus, b), [2, 4, 1, 3]);
}

/// The winner is chosen when the bus falls idle, not when the caller looks.
#[test]
fn a_frame_submitted_after_the_bus_fell_idle_does_not_win_that_arbitration() {
    let timing = BitTiming::new(500_000, 500_000).unwrap();
    let mut bus = bus(Clock::Timed(timing), Faults::none());
    let (a, b) = (
        bus.attach(PortConfig::default()),
        bus.attach(PortConfig::default()),
    );
    submit(&mut bus, 0, a, 0x700, 1).unwrap();
    submit(&mut bus, 10, a, 0x701, 2).unwrap();
    submit(&mut bus, 2000, b, 0x001, 3).unwrap();
    bus.handle_timeout(at(5000));
    let heard: Vec<_> = told(&mut bus, a);
    assert_eq!(
        heard.iter().map(|told| told.3).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(heard[1].0 < 600 && heard[2].0 > 2200);
}

#[test]
fn frames_back_to_back_are_an_intermission_apart_and_busy_time_adds_up() {
    let timing = BitTiming::new(500_000, 500_000).unwrap();
    let mut bus = bus(Clock::Timed(timing), Faults::none());
    let (a, b) = (
        bus.attach(PortConfig::default()),
        bus.attach(PortConfig::default()),
    );
    for token in 0..10 {
        submit(&mut bus, 100, a, 0x123, token).unwrap();
    }
    drive(&mut bus);
    let ends: Vec<_> = told(&mut bus, b).iter().map(|told| told.0).collect();
    let stats = *bus.stats();
    assert_eq!(stats.frames, 10);
    assert_eq!(stats.busy.as_micros() as u64, stats.bits * 2);
    assert_eq!(ends[9] + 6, 100 + stats.bits * 2);
    assert!(ends.windows(2).all(|pair| pair[1] - pair[0] >= 222));
}

#[test]
fn counted_bits_take_no_time_and_equal_those_of_a_timed_bus() {
    let timing = BitTiming::new(500_000, 500_000).unwrap();
    let mut sums = Vec::new();
    for clock in [Clock::Timed(timing), Clock::Counted(timing)] {
        let mut bus = bus(clock, Faults::none());
        let a = bus.attach(PortConfig::default());
        for token in 0..10 {
            submit(&mut bus, 0, a, 0x123, token).unwrap();
        }
        bus.handle_timeout(at(0));
        let done_at_once = told(&mut bus, a).len();
        drive(&mut bus);
        sums.push((bus.stats().bits, bus.stats().busy, done_at_once));
    }
    assert_eq!((sums[0].0, sums[0].1), (sums[1].0, sums[1].1));
    assert_eq!((sums[0].2, sums[1].2), (0, 10));
}

#[test]
fn a_full_queue_takes_no_more_and_wakes_its_port_when_it_has_room() {
    let timing = BitTiming::new(500_000, 500_000).unwrap();
    let mut bus = bus(Clock::Timed(timing), Faults::none());
    let small = PortConfig {
        queue: 2,
        confirms: false,
        ..PortConfig::default()
    };
    let a = bus.attach(small);
    submit(&mut bus, 0, a, 1, 1).unwrap();
    bus.handle_timeout(at(0));
    submit(&mut bus, 0, a, 1, 2).unwrap();
    assert_eq!(bus.room(a), 0);
    assert_eq!(submit(&mut bus, 0, a, 1, 3), Err(SubmitError::Full));
    assert_eq!(bus.poll_wake(), None);
    let next = bus.poll_timeout().unwrap();
    bus.handle_timeout(next);
    assert_eq!(bus.poll_wake(), Some(a));
    assert_eq!(bus.poll_wake(), None);
    submit(&mut bus, 0, a, 1, 3).unwrap();
}

#[test]
fn the_sender_hears_its_own_frame_only_if_it_asks_for_it() {
    let mut bus = bus(Clock::Free, Faults::none());
    let echoing = PortConfig {
        own_messages: true,
        ..PortConfig::default()
    };
    let silent = PortConfig {
        confirms: false,
        ..PortConfig::default()
    };
    let (a, b) = (bus.attach(echoing), bus.attach(silent));
    submit(&mut bus, 7, a, 1, 5).unwrap();
    submit(&mut bus, 7, b, 2, 6).unwrap();
    bus.handle_timeout(at(7));
    let (echo, confirmed) = (DeliveryKind::Echo, DeliveryKind::Confirmed { token: 5 });
    let received = DeliveryKind::Received;
    assert_eq!(
        told(&mut bus, a),
        [(7, echo, 1, 5), (7, confirmed, 1, 5), (7, received, 2, 6)]
    );
    assert_eq!(told(&mut bus, b), [(7, received, 1, 5)]);
}

#[test]
fn a_full_inbox_holds_the_bus_or_loses_frames_as_configured() {
    for (overrun, overruns) in [(Overrun::Hold, 0), (Overrun::Lose, 3)] {
        let mut bus = bus(Clock::Free, Faults::none());
        let a = bus.attach(PortConfig::default());
        let b = bus.attach(PortConfig {
            inbox: 2,
            overrun,
            ..PortConfig::default()
        });
        for token in 0..5 {
            submit(&mut bus, 0, a, 1, token).unwrap();
        }
        bus.handle_timeout(at(0));
        assert_eq!(tokens(&mut bus, b), [0, 1]);
        bus.handle_timeout(at(50));
        let rest = told(&mut bus, b);
        assert_eq!(bus.stats().overruns, overruns);
        if overrun == Overrun::Hold {
            // not before the time at which there was room
            assert!(
                rest.iter()
                    .map(|told| (told.0, told.3))
                    .eq([(50, 2), (50, 3)])
            );
        }
    }
}

#[test]
fn a_detached_port_is_gone_and_its_name_is_not_used_again() {
    let mut bus = bus(Clock::Free, Faults::none());
    let (a, b) = (
        bus.attach(PortConfig::default()),
        bus.attach(PortConfig::default()),
    );
    submit(&mut bus, 0, a, 1, 1).unwrap();
    assert!(bus.detach(b) && !bus.detach(b));
    assert_eq!(submit(&mut bus, 0, b, 1, 1), Err(SubmitError::Detached));
    let c = bus.attach(PortConfig::default());
    assert_ne!(b, c);
    bus.handle_timeout(at(0));
    assert_eq!(tokens(&mut bus, c), [1]);
    assert!(tokens(&mut bus, b).is_empty());
}

#[test]
fn a_frame_that_can_has_not_is_refused() {
    let mut bus = bus(Clock::Free, Faults::none());
    let a = bus.attach(PortConfig::default());
    for (kind, len, fits) in [
        (FrameKind::Classic, 8, true),
        (FrameKind::Classic, 9, false),
        (FrameKind::Fd { brs: true }, 13, false),
        (FrameKind::Fd { brs: true }, 64, true),
        (FrameKind::Fd { brs: true }, 65, false),
    ] {
        let data = vec![0; len];
        let view = FrameView {
            id: id(1),
            kind,
            data: &data,
        };
        assert_eq!(
            bus.submit(at(0), a, view, 0).is_ok(),
            fits,
            "{kind:?} {len}"
        );
    }
}

#[test]
fn each_fault_does_what_it_says() {
    use DeliveryKind::{Confirmed, Failed, Received};
    let ms = Duration::from_millis;
    let (confirmed, received) = (Confirmed { token: 1 }, Received);
    let corrupted = 1 ^ 0x80;
    // what the sender is told, what the other is told; frame 1 at once, frame 2 after 20 ms
    let table = [
        (Fault::Lose, vec![(0, confirmed)], vec![]),
        (Fault::Duplicate, vec![(0, confirmed)], vec![(0, 1), (0, 1)]),
        (Fault::Delay(ms(3)), vec![(0, confirmed)], vec![(3000, 1)]),
        (Fault::Reorder, vec![(0, confirmed)], vec![(10_000, 1)]),
        (
            Fault::Corrupt { bit: 56 },
            vec![(0, confirmed)],
            vec![(0, corrupted)],
        ),
        (Fault::Fail, vec![(0, Failed { token: 1 })], vec![]),
        (Fault::BusOff(ms(2)), vec![(0, Failed { token: 1 })], vec![]),
        (
            Fault::ConfirmLate(ms(4)),
            vec![(4000, confirmed)],
            vec![(0, 1)],
        ),
        (Fault::ConfirmTwice, vec![(0, confirmed); 2], vec![(0, 1)]),
        (Fault::ConfirmNever, vec![], vec![(0, 1)]),
    ];
    for (fault, mut at_sender, mut at_other) in table {
        let mut bus = bus(Clock::Free, Faults::none().at(0, fault));
        let (a, b) = (
            bus.attach(PortConfig::default()),
            bus.attach(PortConfig::default()),
        );
        submit(&mut bus, 0, a, 1, 1).unwrap();
        drive(&mut bus);
        submit(&mut bus, 20_000, a, 1, 2).unwrap();
        drive(&mut bus);
        at_sender.push((20_000, Confirmed { token: 2 }));
        at_other.push((20_000, 2));
        let sender: Vec<_> = told(&mut bus, a).iter().map(|t| (t.0, t.1)).collect();
        assert_eq!(sender, at_sender, "{fault:?}");
        let heard = told(&mut bus, b);
        assert!(heard.iter().all(|told| told.1 == received));
        let other: Vec<_> = heard.iter().map(|t| (t.0, t.3)).collect();
        assert_eq!(other, at_other, "{fault:?}");
        assert_eq!(bus.stats().faults, 1);
    }
}

#[test]
fn a_reordered_frame_comes_right_after_the_next_one() {
    let mut bus = bus(Clock::Free, Faults::none().at(1, Fault::Reorder));
    let (a, b) = (
        bus.attach(PortConfig::default()),
        bus.attach(PortConfig::default()),
    );
    for token in 0..4 {
        submit(&mut bus, 0, a, 1, token).unwrap();
    }
    bus.handle_timeout(at(0));
    assert_eq!(tokens(&mut bus, b), [0, 2, 1, 3]);
    assert_eq!(bus.poll_timeout(), None);
}

#[test]
fn bus_off_fails_the_whole_queue_and_the_port_neither_sends_nor_hears_until_it_is_back() {
    let off = Fault::BusOff(Duration::from_millis(1));
    let mut bus = bus(Clock::Free, Faults::none().at(0, off));
    let (a, b) = (
        bus.attach(PortConfig::default()),
        bus.attach(PortConfig::default()),
    );
    for token in 0..3 {
        submit(&mut bus, 0, a, 1, token).unwrap();
    }
    bus.handle_timeout(at(0));
    assert_eq!(told(&mut bus, a).len(), 3);
    assert_eq!(submit(&mut bus, 500, a, 1, 9), Err(SubmitError::Full));
    submit(&mut bus, 500, b, 2, 8).unwrap();
    bus.handle_timeout(at(500));
    assert!(tokens(&mut bus, a).is_empty());
    assert_eq!(tokens(&mut bus, b), [8]);
    while bus.poll_wake().is_some() {}
    bus.handle_timeout(at(1000));
    assert_eq!(bus.poll_wake(), Some(a));
    submit(&mut bus, 1000, a, 1, 9).unwrap();
    submit(&mut bus, 1000, b, 2, 7).unwrap();
    bus.handle_timeout(at(1000));
    assert_eq!(tokens(&mut bus, a), [9, 7]);
}

#[test]
fn refused_is_never_and_full_is_later() {
    let full = Fault::Full(Duration::from_micros(30));
    let mut bus = bus(Clock::Free, Faults::none().at(0, Fault::Refuse).at(1, full));
    let (a, b) = (
        bus.attach(PortConfig::default()),
        bus.attach(PortConfig::default()),
    );
    assert_eq!(submit(&mut bus, 0, a, 1, 1), Err(SubmitError::Refused));
    assert_eq!(submit(&mut bus, 0, a, 1, 2), Err(SubmitError::Full));
    assert_eq!(bus.poll_timeout(), Some(at(30)));
    submit(&mut bus, 0, b, 1, 3).unwrap();
    bus.handle_timeout(at(0));
    assert_eq!(tokens(&mut bus, a), [3], "a full controller still hears");
    bus.handle_timeout(at(30));
    submit(&mut bus, 30, a, 1, 4).unwrap();
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let run = |seed| {
        let faults = Faults::random(seed)
            .with(Chance::percent(10), Fault::Lose)
            .with(Chance::percent(10), Fault::Delay(Duration::from_millis(1)))
            .with(Chance::percent(10), Fault::Corrupt { bit: 0 });
        let mut bus = bus(Clock::Free, faults);
        let (a, b) = (
            bus.attach(PortConfig::default()),
            bus.attach(PortConfig::default()),
        );
        for token in 0..200 {
            submit(&mut bus, token * 100, a, 1, token).unwrap();
            bus.handle_timeout(at(token * 100));
        }
        drive(&mut bus);
        (told(&mut bus, b), bus.stats().faults)
    };
    let (first, second, other) = (run(1), run(1), run(2));
    assert_eq!(first, second);
    assert_ne!(first, other);
    assert!((30..80).contains(&first.1));
}

/// Clocks that run backward or jump, and times at the end of all time.
#[test]
fn no_time_makes_the_bus_panic() {
    let timing = BitTiming::new(1, 1).unwrap();
    let mut bus = bus(
        Clock::Timed(timing),
        Faults::none().at(1, Fault::Delay(Duration::MAX)),
    );
    let a = bus.attach(PortConfig::default());
    for now in [5, u64::MAX, 0, u64::MAX - 1] {
        submit(&mut bus, now, a, 1, 1).unwrap();
        bus.handle_timeout(at(now));
        let _ = bus.poll_timeout();
    }
}
