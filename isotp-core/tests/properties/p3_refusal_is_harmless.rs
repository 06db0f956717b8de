//! P3: dropping every `Transmit` changes nothing but time, and a controller that is full for ever lets
//! the timers fire.

use core::time::Duration;

use isotp_core::{Instant, Machine as _, NResult};
use isotp_sim::{Bus, BusConfig, Fault, Faults, Happening, PortConfig, Stop, World};
use isotp_testkit::{Caller, Fleet, Op, Take, ensure, pattern};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::{length, ops, setup};

/// Twins get the same calls; one of them is offered a full controller after each, several times.
///
/// A buffer that was not ready is asked again by each poll, which is no more than time. So it is ready
/// always or never, and where a buffer can fall free in another way (a message that early consecutive
/// frames complete, while the next first frame waits) the other twin is polled too, once.
#[test]
fn p3_dropping_every_transmit_changes_nothing() {
    let cases = (setup(), ops(), any::<bool>(), 2..5usize);
    check(
        "P3 twins",
        2000,
        &cases,
        |(mut setup, ops, ready, drops)| {
            setup.sides[0].moods = if ready { 0 } else { u32::MAX };
            let drops = [usize::from(setup.sides[0].reported), drops];
            let mut links = [setup.link(0), setup.link(0)];
            let [plain, refused] = &mut links;
            let mut twins = [Caller::new(plain, 1), Caller::new(refused, 1)];
            for op in ops.iter().filter(|op| !matches!(op, Op::Moods { .. })) {
                for (twin, drops) in twins.iter_mut().zip(drops) {
                    twin.call(op);
                    twin.drain();
                    twin.call(&Op::Timeout);
                    twin.drain();
                    for _ in 0..drops {
                        twin.poll(Take::Drop);
                    }
                }
                let [plain, refused] =
                    [&twins[0], &twins[1]].map(|twin| twin.subject.poll_timeout());
                ensure!(
                    plain == refused,
                    "after {op:?}: {refused:?}, expected {plain:?}"
                );
            }
            let [plain, refused] = &twins;
            ensure!(plain.frames == refused.frames, "other frames");
            ensure!(plain.events == refused.events, "other events");
            Ok(())
        },
    );
}

/// N_As, with a controller that has room for nothing.
#[test]
fn p3_a_controller_that_is_full_for_ever_lets_n_as_fire() {
    let cases = (setup(), length());
    check("P3 N_As", 300, &cases, |(setup, len)| {
        let mut world = World::new(Bus::new(BusConfig::default()));
        let full = PortConfig {
            queue: 0,
            ..PortConfig::default()
        };
        let node = world.add_with("sender", setup.link(0), full);
        world
            .node_mut(node)
            .send(Instant::ZERO, pattern(1, len))
            .unwrap();
        ensure!(world.run() == Stop::Quiet, "it never ends");
        let expected = Happening::Confirmed(NResult::TimeoutA);
        ensure!(world.events(node).eq([&expected]), "{}", world.trace());
        let over = Instant::ZERO + setup.timing.n_as;
        ensure!(
            world.now() == over,
            "at {:?}, expected {over:?}",
            world.now()
        );
        Ok(())
    });
}

/// The receiver's controller takes nothing: N_Ar there, N_Bs at the sender.
#[test]
fn p3_a_receiver_with_a_full_controller_lets_n_ar_and_n_bs_fire() {
    let cases = (setup(), 200..2000usize);
    check("P3 N_Ar, N_Bs", 200, &cases, |(mut setup, len)| {
        setup.sides[1].moods = 0;
        let full = PortConfig {
            queue: 0,
            ..PortConfig::default()
        };
        let mut world = World::new(Bus::new(BusConfig::default()));
        let sender = world.add("sender", setup.link(0));
        let receiver = world.add_with("receiver", setup.link(1), full);
        world
            .node_mut(sender)
            .send(Instant::ZERO, pattern(1, len))
            .unwrap();
        ensure!(world.run() == Stop::Quiet, "it never ends");
        let sent = Happening::Confirmed(NResult::TimeoutBs);
        ensure!(world.events(sender).eq([&sent]), "{}", world.trace());
        let failed = Happening::ReceptionFailed(NResult::TimeoutA);
        ensure!(
            world.events(receiver).last() == Some(&failed),
            "{}",
            world.trace()
        );
        let over = Instant::ZERO + setup.timing.n_bs.max(setup.timing.n_ar);
        ensure!(
            world.now() == over,
            "at {:?}, expected {over:?}",
            world.now()
        );
        Ok(())
    });
}

/// From some frame on no controller takes anything: both ends come to an end. Where that frame is the
/// first consecutive one, by N_As and N_Cr.
#[test]
fn p3_controllers_that_fall_full_let_n_as_and_n_cr_fire() {
    let cases = (setup(), 200..2000usize, 2..200u64);
    check("P3 N_As, N_Cr", 500, &cases, |(mut setup, len, from)| {
        setup.sides.iter_mut().for_each(|side| side.moods = 0);
        let mut world = World::new(Bus::new(BusConfig::default()));
        let sender = world.add("sender", setup.link(0));
        let receiver = world.add("receiver", setup.link(1));
        world
            .node_mut(sender)
            .send(Instant::ZERO, pattern(1, len))
            .unwrap();
        let full = Fault::Full(Duration::from_secs(1_000_000));
        let faults =
            (from..from + 20).fold(Faults::none(), |faults, number| faults.at(number, full));
        world.bus_mut().set_faults(faults);
        let stop = world.run_until(Instant::from_millis(900_000));
        ensure!(stop != Stop::Livelock, "livelock");
        let confirmed = world
            .events(sender)
            .filter(|e| matches!(e, Happening::Confirmed(_)));
        ensure!(confirmed.count() == 1, "{}", world.trace());
        let ended = world.events(receiver).filter(|event| {
            matches!(
                event,
                Happening::Received { .. } | Happening::ReceptionFailed(_)
            )
        });
        ensure!(ended.count() == 1, "{}", world.trace());
        if from == 2 {
            let ends = [
                (sender, Happening::Confirmed(NResult::TimeoutA)),
                (receiver, Happening::ReceptionFailed(NResult::TimeoutCr)),
            ];
            for (node, end) in ends {
                ensure!(world.events(node).last() == Some(&end), "{}", world.trace());
            }
        }
        Ok(())
    });
}

/// A router whose every offer is dropped: each link still fails by N_As, at its time.
#[test]
fn p3_a_router_that_may_never_send_fails_each_transfer_at_n_as() {
    let cases = (setup(), 1..40u8, 1..300usize);
    check("P3 router", 200, &cases, |(setup, count, len)| {
        let mut fleet = Fleet::of_side(&setup, 0, count);
        let mut caller = Caller::new(&mut fleet, usize::from(count));
        let start = caller.now;
        for (at, id) in caller.subject.ids.clone().into_iter().enumerate() {
            let now = start + Duration::from_millis(at as u64);
            caller
                .subject
                .router
                .send(now, id, pattern(1, len))
                .unwrap();
        }
        let mut deadlines = 0;
        while let Some(next) = caller.subject.poll_timeout() {
            for _ in 0..2 * count {
                caller.poll(Take::Drop);
            }
            caller.now = caller.now.max(next.at);
            caller.subject.handle_timeout(caller.now);
            deadlines += 1;
            ensure!(deadlines <= 3 * u32::from(count), "deadlines without end");
        }
        caller.drain();
        let expected = Happening::Confirmed(NResult::TimeoutA);
        let failed = caller
            .events
            .iter()
            .filter(|event| event.1 == expected)
            .count();
        ensure!(failed == usize::from(count), "{:?}", caller.events);
        let over = start + setup.timing.n_as + Duration::from_millis(u64::from(count) - 1);
        ensure!(
            caller.now == over,
            "ended at {:?}, expected {over:?}",
            caller.now
        );
        Ok(())
    });
}
