//! The shorter way of a frame against the longer one.

use super::*;
use crate::faults::Rng;

/// Two buses to which the same happens, but for the shorter way on one of them, tell the same.
#[test]
fn a_frame_sent_at_once_is_as_one_that_was_submitted() {
    let shorter: u32 = (0..2000).map(run_on_twins).sum();
    assert!(shorter > 1000, "only {shorter} frames went the shorter way");
}

/// Gives how many frames went the shorter way.
fn run_on_twins(seed: u64) -> u32 {
    let mut rng = Rng::new(seed);
    let clock = match rng.below(4) {
        0 => Clock::Timed(BitTiming::new(500_000, 500_000).unwrap()),
        _ => Clock::Free,
    };
    let mut twins = [(); 2].map(|()| bus(clock, Faults::none()));
    let mut confirms = BTreeMap::new();
    let ports = [(); 3].map(|()| {
        let config = PortConfig {
            queue: rng.below(3) as usize,
            inbox: 1 + rng.below(6) as usize,
            overrun: [Overrun::Hold, Overrun::Lose][rng.below(2) as usize],
            order: [Order::Fifo, Order::ById][rng.below(2) as usize],
            confirms: rng.below(4) > 0,
            own_messages: rng.below(4) == 0,
        };
        let port = same(seed, &mut twins, |bus| bus.attach(config));
        confirms.insert(port, config.confirms);
        port
    });
    let (mut now, mut shorter) = (0, 0);
    for number in 0..60 {
        now += [0, 0, 7, 300][rng.below(4) as usize];
        let port = ports[rng.below(3) as usize];
        let mut confirmed = None;
        match rng.below(6) {
            0 => drop(same(seed, &mut twins, |bus| told(bus, port))),
            1 => drop(same(seed, &mut twins, |bus| {
                submit(bus, now, port, 5, number)
            })),
            2 => same(seed, &mut twins, |bus| bus.handle_timeout(at(now))),
            3 => {
                let faults = some_faults(&mut rng, number / 2);
                same(seed, &mut twins, |bus| bus.set_faults(faults.clone()));
            }
            _ => {
                let data = number.to_be_bytes();
                let view = FrameView {
                    id: id(number as u16 % 9),
                    kind: FrameKind::Classic,
                    data: &data,
                };
                let at_once = twins[0].send_at_once(at(now), port, view);
                shorter += u32::from(at_once);
                let long = &mut twins[usize::from(at_once)..];
                let taken = long.iter_mut().map(|bus| {
                    let taken = bus.submit(at(now), port, view, number).is_ok();
                    bus.handle_timeout(at(now));
                    taken
                });
                let taken: Vec<bool> = taken.collect();
                if at_once {
                    assert_eq!(taken, [true], "seed {seed}");
                    // the other has its confirmation, and nothing else
                    confirmed = confirms[&port].then_some(port);
                    let kind = DeliveryKind::Confirmed { token: number };
                    let told = told(&mut twins[1], port);
                    let expected = (now, kind, view.id.value(), number as u8);
                    let expected = confirmed.map(|_| expected);
                    assert!(told.into_iter().eq(expected), "seed {seed}");
                }
            }
        }
        same(seed, &mut twins, |bus| {
            let woken = core::iter::from_fn(|| bus.poll_wake());
            let woken: Vec<_> = woken.filter(|port| Some(*port) != confirmed).collect();
            (woken, bus.poll_timeout(), *bus.stats(), bus.now())
        });
    }
    shorter
}

fn same<T: PartialEq + fmt::Debug>(
    seed: u64,
    twins: &mut [Bus; 2],
    act: impl FnMut(&mut Bus) -> T,
) -> T {
    let [one, other] = twins.each_mut().map(act);
    assert_eq!(one, other, "seed {seed}");
    one
}

fn some_faults(rng: &mut Rng, number: u64) -> Faults {
    let moment = Duration::from_micros(50);
    let often = Chance::percent(20);
    match rng.below(4) {
        0 => Faults::random(number)
            .with(often, Fault::Delay(moment))
            .with(often, Fault::Full(moment))
            .with(often, Fault::BusOff(moment)),
        1 => Faults::none()
            .at(number, Fault::Refuse)
            .at(number, Fault::Lose),
        _ => Faults::none(),
    }
}
