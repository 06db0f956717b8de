//! Clocks that jump, wrap in their lower half, or stand near the end of time, and tokens that are stale
//! by any number of frames: what a link keeps in 32 bits must not show.

use core::time::Duration;

use isotp_core::{
    Address, Config, Frame, FrameView, Id, Instant, Link, LinkId, Machine as _, Router, Slot,
    TxToken,
};

use crate::node::{Node, Store, counting, parse, reported, tester};

/// Where a clock of 32 bits, or of less, would wrap; and where it would not.
const EDGES: [u64; 8] = [
    1 << 29,
    1 << 30,
    1 << 31,
    1 << 32,
    (1 << 32) + (1 << 29),
    3 << 32,
    1 << 48,
    1 << 63,
];

const SECOND: u64 = 1_000_000;
/// N_Bs, N_Cr and N_As at their most, which is a microsecond less than an hour.
const LONGEST: u64 = 3600 * SECOND - 1;

/// Jumps whose lower halves are small, or nothing.
const JUMPS: [u64; 12] = [
    LONGEST,
    3600 * SECOND,
    86_400 * SECOND,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    2 << 32,
    (2 << 32) + 126_999,
    7 << 32,
    1 << 40,
    1 << 48,
    1 << 62,
];

fn lasting(micros: u64) -> Config {
    let mut config = reported();
    let lasts = Duration::from_micros(micros);
    config.timing.n_as = lasts;
    config.timing.n_bs = lasts;
    config.timing.n_cr = lasts;
    config.transmit.max_wait = None;
    config
}

/// Three timers run from `at`: N_Bs, N_Cr and N_As.
fn start_all(node: &mut Node, at: u64) {
    node.request(at, counting(20));
    node.link
        .send_functional(Instant::from_micros(at), counting(2))
        .unwrap();
    node.receive(at, "7E8#100A000102030405");
    node.sent(at);
    // in order of their urgency: flow control, functional message, first frame
    node.confirm(at);
    let functional = node.tokens.remove(0);
    node.confirm(at);
    node.tokens.push(functional);
    assert_eq!(node.events(), ["ff 10"]);
}

const ALL_ENDED: [&str; 3] = ["cfm N_TIMEOUT_Bs", "cfmf N_TIMEOUT_A", "ind! N_TIMEOUT_Cr"];

fn sorted(mut events: Vec<String>) -> Vec<String> {
    events.sort();
    events
}

/// After all that the link sends, and receives in segments.
fn is_usable(node: &mut Node, at: u64) {
    node.tokens.clear();
    node.request(at, counting(3));
    assert_eq!(node.sent(at), ["7E0#03000102"]);
    node.confirm(at);
    node.receive(at, "7E8#100A000102030405");
    node.sent(at);
    node.confirm(at);
    node.receive(at, "7E8#2106070809");
    let expected = ["cfm N_OK", "ff 10", "ind 00010203040506070809"];
    assert_eq!(sorted(node.events()), expected);
    assert_eq!(node.deadline(), None);
}

/// `TIM-02`: a deadline on, before or behind any wrap is kept to the microsecond, however often the link
/// is called before.
#[test]
fn timers_end_to_the_microsecond_at_every_wrap() {
    for lasts in [1, 1000, SECOND, LONGEST] {
        for edge in EDGES.iter().chain(&[u64::MAX - 1]) {
            for deadline in [edge - 1, *edge, edge.saturating_add(1).min(u64::MAX - 1)] {
                for looks in [0, 1, 3, 9] {
                    let Some(start) = deadline.checked_sub(lasts) else {
                        continue;
                    };
                    let mut node = Node::new(tester(), &lasting(lasts));
                    start_all(&mut node, start);
                    for look in 1..=looks {
                        node.receive(start + (lasts - 1) / 10 * look, "123#00");
                        assert_eq!(node.deadline(), Some(deadline));
                    }
                    node.pass_time(deadline - 1);
                    assert_eq!(node.deadline(), Some(deadline));
                    assert_eq!(node.events(), [""; 0], "{lasts} up to {deadline}");
                    node.pass_time(deadline);
                    assert_eq!(sorted(node.events()), ALL_ENDED, "{lasts} to {deadline}");
                    assert_eq!(node.deadline(), None);
                    is_usable(&mut node, deadline);
                }
            }
        }
    }
}

/// `TIM-02`, `SVC-01`: after a jump of any size each timer has ended, once, also where the link was called
/// in between without being asked for its deadline.
#[test]
fn a_jump_of_any_size_ends_every_timer_once() {
    for start in EDGES.iter().flat_map(|edge| [edge - 1, *edge]) {
        for jump in JUMPS {
            for late in [0, 1, 1 << 29, 1 << 32] {
                let mut node = Node::new(tester(), &lasting(LONGEST));
                start_all(&mut node, start);
                let now = start + jump;
                // the clock moves, and no timer is looked at
                node.receive(now, "123#00");
                assert!(node.deadline().is_some_and(|deadline| deadline <= now));
                node.pass_time(now + late);
                assert_eq!(sorted(node.events()), ALL_ENDED, "{start} + {jump}");
                assert_eq!(node.deadline(), None);
                node.pass_time(now + late + (1 << 32));
                assert_eq!(node.events(), [""; 0]);
                is_usable(&mut node, now + late + (1 << 32));
            }
        }
    }
}

/// `TIM-05`: the separation time is over after any jump, and never before.
#[test]
fn the_separation_time_is_kept_across_every_wrap_and_jump() {
    const ST_MIN: u64 = 127_000;
    for start in EDGES.iter().flat_map(|edge| [edge - ST_MIN, edge - 1]) {
        for over in JUMPS.into_iter().chain([ST_MIN, ST_MIN + 1]) {
            let mut node = Node::new(tester(), &lasting(LONGEST));
            node.request(start, counting(100));
            node.sent(start);
            node.confirm(start);
            node.receive(start, "7E8#30007F");
            assert_eq!(node.sent(start).len(), 1);
            node.confirm(start);
            assert_eq!(node.deadline(), Some(start + ST_MIN));
            for early in [0, 1, ST_MIN / 2, ST_MIN - 1] {
                assert_eq!(node.sent(start + early), [""; 0]);
            }
            assert_eq!(node.sent(start + over).len(), 1, "{start} + {over}");
            // and N_As runs from then on, not from what was before
            assert_eq!(node.deadline(), Some(start + over + LONGEST));
        }
    }
}

/// `TIM-01`: however far a clock runs backward, it is held.
#[test]
fn a_clock_that_jumps_back_by_any_time_is_held() {
    for jump in JUMPS {
        let start = (1 << 62) + 5;
        let mut node = Node::new(tester(), &lasting(SECOND));
        start_all(&mut node, start);
        for back in [start - jump, 0, start - 1] {
            node.receive(back, "123#00");
            node.pass_time(back);
            assert_eq!(node.sent(back), [""; 0]);
            assert_eq!(node.deadline(), Some(start + SECOND));
        }
        assert_eq!(node.events(), [""; 0]);
        node.pass_time(start + SECOND);
        assert_eq!(sorted(node.events()), ALL_ENDED);
    }
}

/// Although no clock may show the end of time, nothing hangs there.
#[test]
fn at_the_end_of_time_every_message_ends() {
    for start in [u64::MAX - 2 * SECOND, u64::MAX - 1, u64::MAX] {
        let mut node = Node::new(tester(), &lasting(SECOND));
        start_all(&mut node, start);
        let mut events = Vec::new();
        for _ in 0..8 {
            node.pass_time(u64::MAX);
            events.append(&mut node.events());
        }
        assert_eq!(sorted(events), ALL_ENDED);
        assert_eq!(node.deadline(), None);
    }
}

/// `TIM-11`: stale by a power of two is stale.
#[test]
fn a_token_confirms_one_frame_however_many_came_after() {
    let mut node = Node::new(tester(), &reported());
    for stale_by in [1 << 8, 1 << 16] {
        node.request(0, counting(3));
        node.sent(0);
        let stale = node.tokens[0];
        for _ in 0..stale_by {
            node.confirm(0);
            assert_eq!(node.events(), ["cfm N_OK"]);
            node.request(0, counting(3));
            node.sent(0);
        }
        node.link.handle_transmitted(Instant::ZERO, stale);
        node.link.handle_failed(Instant::ZERO, stale);
        assert_eq!(node.events(), [""; 0], "stale by {stale_by}");
        assert_eq!(node.sent(0), [""; 0]);
        node.confirm(0);
        assert_eq!(node.events(), ["cfm N_OK"]);
    }
}

/// `TIM-11`: a token that was never given out, or 2^k frames ago, neither confirms nor fails a frame.
#[test]
fn a_token_that_differs_in_one_bit_is_stale() {
    let mut node = Node::new(tester(), &reported());
    start_all(&mut node, 0);
    node.pass_time(2 * SECOND);
    node.events();
    node.tokens.clear();
    node.request(2 * SECOND, counting(3));
    node.sent(2 * SECOND);
    let bits = node.tokens[0].to_bits();
    for bit in 0..32 {
        let other = TxToken::from_bits(bits ^ 1 << bit);
        node.link.handle_failed(Instant::ZERO, other);
        node.link.handle_transmitted(Instant::ZERO, other);
        assert_eq!(node.events(), [""; 0], "bit {bit}");
        assert_eq!(node.sent(2 * SECOND), [""; 0], "bit {bit}");
    }
    node.confirm(2 * SECOND);
    assert_eq!(node.events(), ["cfm N_OK"]);
}

type Line = Link<Store, Vec<u8>, Box<Config>>;

/// A router of three links to other nodes; the ids of its links.
fn router(config: &Config) -> (Router<[Slot<Line>; 3]>, Vec<LinkId>) {
    let mut router = Router::new([const { Slot::new() }; 3]);
    let ids = (0..3).map(|n| {
        let id = |value| Id::standard(value).unwrap();
        let address = Address::normal(id(0x7E0 + n), id(0x7E8 + n)).unwrap();
        let Node { link, .. } = Node::new(address, config);
        router.insert(link).unwrap()
    });
    let ids = ids.collect();
    (router, ids)
}

/// `TIM-02`: the same through a router, where links sleep while others work.
#[test]
fn a_jump_of_any_size_ends_every_timer_of_a_router_once() {
    for start in EDGES.iter().flat_map(|edge| [edge - 1, *edge]) {
        for jump in JUMPS {
            let (mut router, ids) = router(&lasting(LONGEST));
            let mut frame = Frame::new();
            for (n, id) in ids.iter().enumerate() {
                let now = Instant::from_micros(start + n as u64);
                router.send(now, *id, counting(20)).unwrap();
                let offer = router.poll_transmit(now, &mut frame).unwrap();
                let token = offer.commit(now);
                router.handle_transmitted(now, token);
            }
            let deadline = router.poll_timeout().unwrap().at;
            assert_eq!(deadline.as_micros(), start + LONGEST);
            // the clock of the first link runs on, those of the others stand still
            let now = Instant::from_micros(start + jump);
            let (id, kind, data) = parse("7E8#21");
            let data = &data[..];
            router.handle_frame(now, FrameView { id, kind, data });
            let mut ended = Vec::new();
            for now in [now, now + Duration::from_micros(2)] {
                router.handle_timeout(now);
                assert!(router.poll_timeout().is_none_or(|next| next.at > now));
                while let Some((id, event)) = router.poll_event() {
                    ended.push((id.slot(), format!("{event:?}")));
                }
            }
            ended.sort();
            let expected = [0, 1, 2].map(|slot| (slot, "Confirmed(TimeoutBs)".to_owned()));
            assert_eq!(ended, expected, "{start} + {jump}");
            assert_eq!(router.poll_timeout(), None);
        }
    }
}

/// `TIM-11`: the same for the token's slot, through a router.
#[test]
fn a_token_of_another_slot_is_stale() {
    let (mut router, ids) = router(&reported());
    let (now, mut frame) = (Instant::ZERO, Frame::new());
    let mut tokens = Vec::new();
    for id in &ids {
        router.send(now, *id, counting(3)).unwrap();
        tokens.push(router.poll_transmit(now, &mut frame).unwrap().commit(now));
    }
    for token in &tokens {
        for bit in 0..64 {
            let other = TxToken::from_bits(token.to_bits() ^ 1 << bit);
            if !tokens.contains(&other) {
                router.handle_failed(now, other);
                router.handle_transmitted(now, other);
                assert!(router.poll_event().is_none(), "bit {bit}");
                assert!(router.poll_transmit(now, &mut frame).is_none());
            }
        }
    }
    for token in &tokens {
        router.handle_transmitted(now, *token);
        let (id, _) = router.poll_event().unwrap();
        assert_eq!(id.slot(), token.slot());
    }
}
