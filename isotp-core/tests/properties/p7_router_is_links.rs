//! P7: a router with N links behaves as N separate links on one bus, up to the order of frames; it never
//! loops a frame back to itself.

use core::time::Duration;
use std::collections::BTreeMap;

use isotp_core::{Frame, Instant, NResult};
use isotp_sim::{Bus, BusConfig, Happening, NodeId, PortConfig, Stop, World};
use isotp_testkit::{Fleet, Host, Setup, Subject, Verdict, ensure, paired_link, pattern};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::setup;

/// One message: at which millisecond, which pair, from which side, how long, functional or not.
#[derive(Clone, Debug)]
struct Request {
    at: u64,
    pair: u8,
    from_fleet: bool,
    len: usize,
    functional: bool,
}

fn requests(pairs: u8, most: usize) -> impl Strategy<Value = Vec<Request>> {
    let len = prop_oneof![3 => 1..8usize, 3 => 8..200usize, 1 => 4000..4200usize];
    let request = (
        0..3000u64,
        0..pairs,
        any::<bool>(),
        len,
        proptest::bool::weighted(0.1),
    );
    let request = request.prop_map(|(at, pair, from_fleet, len, functional)| Request {
        at,
        pair,
        from_fleet,
        len,
        functional,
    });
    proptest::collection::vec(request, 1..most).prop_map(|mut requests| {
        requests.sort_by_key(|request| request.at);
        requests
    })
}

/// What each pair said and was told: frames by id, events by end.
type Story = (
    BTreeMap<u32, Vec<Frame>>,
    BTreeMap<(bool, u8), Vec<Happening>>,
);

/// Runs the requests with `fleet` links in a router, or each on a port of its own; the other ends are
/// separate links in both cases. Every eighth of them is missing, so that timers play too.
fn run(setup: &Setup, pairs: u8, requests: &[Request], routed: bool) -> Result<Story, String> {
    let mut world = World::new(Bus::new(BusConfig::default()));
    let unbounded = PortConfig {
        queue: 100_000,
        inbox: usize::MAX,
        ..PortConfig::default()
    };
    let mut fleet: Vec<NodeId> = Vec::new();
    if routed {
        let router = Fleet::of_side(setup, 0, pairs);
        fleet.push(world.add_with("router", Host::of_fleet(router), unbounded));
    } else {
        for pair in 0..pairs {
            let link = paired_link(setup, 0, pair);
            fleet.push(world.add_with("link", Host::of_link(link), unbounded));
        }
    }
    let others: Vec<Option<NodeId>> = (0..pairs)
        .map(|pair| {
            let link = || Host::of_link(paired_link(setup, 1, pair));
            (pair % 8 != 7).then(|| world.add_with("other", link(), unbounded))
        })
        .collect();
    for request in requests {
        world.run_until(Instant::from_millis(request.at));
        let now = world.now();
        let pair = usize::from(request.pair);
        let node = match others[pair] {
            _ if request.from_fleet => fleet[if routed { 0 } else { pair }],
            Some(other) => other,
            None => continue,
        };
        let payload = pattern(request.at << 8 | u64::from(request.pair), request.len);
        world.node_mut(node).with_link(pair, |link| {
            let _ = if request.functional {
                link.send_functional(now, payload.clone())
            } else {
                link.send(now, payload.clone())
            };
        });
    }
    ensure!(world.run() == Stop::Quiet, "it never ends");
    let mut story = Story::default();
    for (_, _, frame) in world.trace().frames() {
        let of_id = story.0.entry(frame.id().value()).or_default();
        of_id.push(frame.clone());
    }
    for (_, node, slot, event) in world.trace().events() {
        let node = node.ok_or("an event of no node")?;
        let of_fleet = fleet.contains(&node);
        let pair = match others.iter().position(|other| *other == Some(node)) {
            Some(pair) => pair,
            None if routed => slot as usize,
            None => fleet.iter().position(|id| *id == node).unwrap_or(0),
        };
        let told = story.1.entry((of_fleet, pair as u8)).or_default();
        told.push(event.clone());
    }
    Ok(story)
}

fn same(setup: &Setup, pairs: u8, requests: &[Request]) -> Verdict {
    let routed = run(setup, pairs, requests, true)?;
    let separate = run(setup, pairs, requests, false)?;
    for (id, frames) in &separate.0 {
        let other = routed.0.get(id).map_or(&[][..], Vec::as_slice);
        ensure!(
            other == frames,
            "frames of {id:X}: {other:?}, expected {frames:?}"
        );
    }
    ensure!(routed.0.len() == separate.0.len(), "frames of other ids");
    for (end, events) in &separate.1 {
        let other = routed.1.get(end).map_or(&[][..], Vec::as_slice);
        ensure!(
            other == events,
            "events of {end:?}: {other:?}, expected {events:?}"
        );
    }
    ensure!(routed.1.len() == separate.1.len(), "events of other links");
    Ok(())
}

/// A buffer is ready always or never: how often it is asked depends on who asks.
fn steady() -> impl Strategy<Value = Setup> {
    (setup(), 0..5u8).prop_map(|(mut setup, never)| {
        setup.sides[0].moods = 0;
        setup.sides[1].moods = if never == 0 { u32::MAX } else { 0 };
        setup
    })
}

#[test]
fn p7_router_is_links() {
    let cases = (steady(), requests(12, 60));
    check("P7", 150, &cases, |(setup, requests)| {
        same(&setup, 12, &requests)
    });
}

#[test]
fn p7_a_router_with_hundreds_of_links_is_hundreds_of_links() {
    let cases = (steady(), requests(200, 300));
    check("P7 hundreds", 3, &cases, |(setup, mut requests)| {
        requests
            .iter_mut()
            .for_each(|request| request.len = request.len.min(100));
        same(&setup, 200, &requests)
    });
}

/// Two links of one router that are each other's peers hear nothing of each other.
#[test]
fn p7_a_router_never_loops_a_frame_back_to_itself() {
    check("P7 loop", 200, &(setup(), 1..200usize), |(setup, len)| {
        let mut fleet = Fleet::of_side(&setup, 0, 1);
        let peer = paired_link(&setup, 1, 0);
        fleet.ids.push(
            fleet
                .router
                .insert(peer)
                .map_err(|refused| refused.error.to_string())?,
        );
        let mut world = World::new(Bus::new(BusConfig::default()));
        let node = world.add("router", fleet);
        let id = world.node(node).ids[0];
        world
            .node_mut(node)
            .router
            .send(Instant::ZERO, id, pattern(1, len))
            .unwrap();
        ensure!(world.run() == Stop::Quiet, "it never ends");
        let single = world.now() < Instant::ZERO + Duration::from_millis(20);
        let result = if single {
            NResult::Ok
        } else {
            NResult::TimeoutBs
        };
        let expected = Happening::Confirmed(result);
        ensure!(world.events(node).eq([&expected]), "{}", world.trace());
        Ok(())
    });
}
