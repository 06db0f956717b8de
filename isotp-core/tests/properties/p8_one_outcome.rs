//! P8: every accepted `send` ends in exactly one confirmation, every announced reception in exactly one
//! indication, within a bound that follows from the configuration; and a delivered message is the one
//! that was sent, piece by piece, except for the mix-ups listed in `p8_mix_ups`.

use core::cell::Cell;
use core::time::Duration;

use isotp_core::{Instant, Timing};
use isotp_sim::{Fault, Happening, NodeId, Stop, World};
use isotp_testkit::{Format, Layout, Setup, TestLink, Trouble, Verdict, ensure, pattern};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::setup;

#[derive(Clone, Debug)]
struct Run {
    setup: Setup,
    /// At which time which side sends how much.
    sends: Vec<(u64, usize, usize)>,
    trouble: Trouble,
}

fn fault() -> impl Strategy<Value = Fault> {
    let ms = |range: core::ops::Range<u64>| range.prop_map(Duration::from_millis);
    prop_oneof![
        3 => Just(Fault::Lose),
        2 => Just(Fault::Duplicate),
        2 => ms(1..1500).prop_map(Fault::Delay),
        2 => Just(Fault::Reorder),
        1 => Just(Fault::Fail),
        1 => ms(1..500).prop_map(Fault::BusOff),
        1 => ms(1..1500).prop_map(Fault::ConfirmLate),
        1 => Just(Fault::ConfirmTwice),
        1 => Just(Fault::ConfirmNever),
        1 => Just(Fault::Refuse),
        1 => ms(1..500).prop_map(Fault::Full),
    ]
}

fn runs(faults: impl Strategy<Value = Fault>) -> impl Strategy<Value = Run> {
    let len = prop_oneof![2 => 4..20usize, 4 => 20..400usize, 1 => 4000..4200usize];
    let sends = proptest::collection::vec((0..1500u64, 0..2usize, len), 1..12);
    let faults = proptest::collection::vec((1..25u32, faults), 0..4);
    // bursts of eight and sixteen are those that sequence numbers see just so, and not at all
    let count = prop_oneof![2 => Just(0), 1 => 1..20u64, 1 => Just(8), 2 => Just(16)];
    let burst = (0..60u64, count, proptest::bool::weighted(0.7));
    (setup(), sends, any::<u64>(), faults, burst, any::<bool>()).prop_map(
        |(setup, sends, seed, faults, burst, timed)| Run {
            setup,
            sends,
            trouble: Trouble {
                seed,
                faults,
                burst,
                timed,
            },
        },
    )
}

/// What came of a run.
struct Outcome {
    world: World<TestLink>,
    ends: [NodeId; 2],
    /// The messages that were accepted, by side: when, and what.
    sent: [Vec<(Instant, Vec<u8>)>; 2],
}

impl Run {
    fn play(&self) -> Result<Outcome, String> {
        let mut world = World::new(self.trouble.bus());
        let ends = [
            world.add("a", self.setup.link(0)),
            world.add("b", self.setup.link(1)),
        ];
        let mut sent = [Vec::new(), Vec::new()];
        for (message, (pause, side, len)) in self.sends.iter().enumerate() {
            let until = world.now() + Duration::from_millis(*pause);
            ensure!(world.run_until(until) != Stop::Livelock, "livelock");
            let bytes = pattern(message as u64, *len);
            let now = world.now();
            if world.node_mut(ends[*side]).send(now, bytes.clone()).is_ok() {
                sent[*side].push((now, bytes));
            }
        }
        ensure!(world.run() == Stop::Quiet, "it never ends");
        Ok(Outcome { world, ends, sent })
    }
}

#[test]
fn p8_one_outcome() {
    check("P8 outcome", 1500, &runs(fault()), |run| {
        let outcome = run.play()?;
        for side in 0..2 {
            confirmations(&run, &outcome, side)
                .and_then(|()| indications(&run, &outcome, side))
                .map_err(|error| format!("side {side}: {error}\n{}", outcome.world.trace()))?;
        }
        Ok(())
    });
}

/// One confirmation for each accepted message, in time.
fn confirmations(run: &Run, outcome: &Outcome, side: usize) -> Verdict {
    let node = outcome.ends[side];
    let trace = outcome.world.trace();
    let confirmed = trace.events().filter_map(|(at, of, _, event)| match event {
        Happening::Confirmed(_) if of == Some(node) => Some(at),
        _ => None,
    });
    let confirmed: Vec<Instant> = confirmed.collect();
    let sent = &outcome.sent[side];
    ensure!(
        confirmed.len() == sent.len(),
        "{} sent, confirmed {confirmed:?}",
        sent.len()
    );
    for ((begun, message), ended) in sent.iter().zip(&confirmed) {
        let waits = trace.frames().filter(|(at, of, frame)| {
            at >= begun && at <= ended && *of != Some(node) && is_wait(&run.setup, frame.data())
        });
        let bound = send_bound(&run.setup.timing, message.len(), waits.count());
        let took = *ended - *begun;
        ensure!(
            took <= bound,
            "{} bytes took {took:?}, expected {bound:?}",
            message.len()
        );
    }
    Ok(())
}

/// Each frame N_As and STmin, each block N_Bs, each WAIT another. (Each frame has at least 5 bytes.)
fn send_bound(timing: &Timing, len: usize, waits: usize) -> Duration {
    let frames = 2 + len as u32 / 5;
    let st_min = Duration::from_millis(127);
    (timing.n_as + st_min + timing.n_bs) * frames + timing.n_bs * waits as u32
}

/// Each announcement has one end before the next, in time.
fn indications(run: &Run, outcome: &Outcome, side: usize) -> Verdict {
    let node = outcome.ends[side];
    let mut open: Option<(Instant, u32)> = None;
    for (at, of, _, event) in outcome.world.trace().events() {
        let ended = match event {
            _ if of != Some(node) => continue,
            Happening::FirstFrame { size } => {
                ensure!(open.is_none(), "announced at {open:?} and again at {at:?}");
                open = Some((at, *size));
                continue;
            }
            Happening::ReceptionFailed(_) => {
                ensure!(open.is_some(), "a failure of nothing at {at:?}");
                open.take()
            }
            Happening::Received { data, .. } => open.take_if(|open| open.1 as usize == data.len()),
            _ => continue,
        };
        if let Some((begun, size)) = ended {
            let timing = &run.setup.timing;
            let waits = u32::from(run.setup.sides[side].max_wait) + 1;
            let per_frame = timing.n_cr + (timing.n_ar + timing.n_br) * waits + timing.n_ar;
            let bound = per_frame * (2 + size / 5);
            ensure!(
                at - begun <= bound,
                "{:?} to receive, expected {bound:?}",
                at - begun
            );
        }
    }
    ensure!(open.is_none(), "announced and never ended: {open:?}");
    Ok(())
}

fn is_wait(setup: &Setup, data: &[u8]) -> bool {
    let prefix = usize::from(Format::prefix(&setup.address(0)).is_some());
    data.get(prefix) == Some(&0x31)
}

/// Without faults there is no mix-up, and everything that was sent is there.
#[test]
fn p8_nothing_is_lost_or_mixed_up_without_faults() {
    check("P8 no faults", 300, &runs(Just(Fault::Lose)), |mut run| {
        run.trouble.faults.clear();
        run.trouble.burst.1 = 0;
        run.setup.timing.n_cr = Duration::from_secs(1);
        run.setup.timing.n_bs = Duration::from_secs(1);
        run.setup.sides.iter_mut().for_each(|side| side.moods = 0);
        let outcome = run.play()?;
        for side in 0..2 {
            let received = outcome.world.messages(outcome.ends[1 - side]);
            let sent = outcome.sent[side].iter().map(|(_, bytes)| &bytes[..]);
            ensure!(received.eq(sent), "{}", outcome.world.trace());
        }
        Ok(())
    });
}

/// Each piece of a delivered message is a piece of one that was sent, from a frame with the same
/// sequence number; and without duplicates no message is delivered twice.
#[test]
fn p8_what_is_delivered_is_what_was_sent() {
    let mix_ups = Cell::new(0);
    check("P8 content", 3000, &runs(fault()), |run| {
        let outcome = run.play()?;
        for side in 0..2 {
            let found = content(&run, &outcome, side)
                .map_err(|error| format!("to side {side}: {error}\n{}", outcome.world.trace()))?;
            mix_ups.set(mix_ups.get() + found);
        }
        Ok(())
    });
    println!("P8 content: {} mix-ups, each with a reason", mix_ups.get());
}

/// The same where mix-ups are likely: one long message in one block, with some frames in a row late.
#[test]
fn p8_only_frames_sixteen_apart_are_mixed_up() {
    let mix_ups = Cell::new(0);
    let frames = (
        30..90usize,
        2..30u64,
        prop_oneof![1..40u64, Just(8), Just(16), Just(32)],
    );
    check(
        "P8 sixteen",
        1000,
        &(runs(fault()), frames),
        |(mut run, frames)| {
            let (count, from, late) = frames;
            run.trouble.faults.clear();
            run.setup.sides.iter_mut().for_each(|side| {
                (side.block_size, side.st_min, side.moods) = (0, 0, 0);
            });
            let layout = Layout::of(&run.setup, 0);
            let len = layout.first(0) + count * layout.consecutive();
            let run = Run {
                sends: vec![(0, 0, len)],
                trouble: Trouble {
                    burst: (from, late, true),
                    timed: false,
                    ..run.trouble
                },
                ..run
            };
            let outcome = run.play()?;
            let found = content(&run, &outcome, 1)
                .map_err(|error| format!("{error}\n{}", outcome.world.trace()))?;
            mix_ups.set(mix_ups.get() + found);
            Ok(())
        },
    );
    let found = mix_ups.get();
    println!("P8 sixteen: {found} mix-ups, each with a reason");
    assert!(found > 0, "no mix-up to look at");
}

/// Says how many messages were mixed up, each in a way that ISO-TP cannot see.
fn content(run: &Run, outcome: &Outcome, side: usize) -> Result<u32, String> {
    let sent: Vec<&[u8]> = outcome.sent[1 - side]
        .iter()
        .map(|(_, bytes)| &bytes[..])
        .collect();
    let layout = Layout::of(&run.setup, 1 - side);
    let (mut last, mut mix_ups) = (None, 0);
    for message in outcome.world.messages(outcome.ends[side]) {
        let Some(position) = sent.iter().position(|sent| *sent == message) else {
            layout.explain(message, &sent)?;
            mix_ups += 1;
            ensure!(
                outcome.world.bus().stats().faults > 0,
                "a mix-up without a fault"
            );
            continue;
        };
        // one copy each, in order, unless the bus itself makes copies or changes the order
        let in_order = last.is_none_or(|last| position > last);
        let copies =
            |fault: &Fault| matches!(fault, Fault::Duplicate | Fault::Delay(_) | Fault::Reorder);
        ensure!(
            in_order || run.trouble.has(copies),
            "message {position} after {last:?}"
        );
        last = Some(position);
    }
    Ok(mix_ups)
}
