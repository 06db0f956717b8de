//! P6: two consecutive frames are never closer than STmin, counted from the confirmation; a stale token
//! never confirms.

use core::time::Duration;

use isotp_core::{Event, Frame, FrameView, Instant, Machine as _, NResult, StMin, TxToken};
use isotp_testkit::{Format, Setup, TestLink, Verdict, ensure, pattern};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::setup;

/// What the peer and the controller do; values are taken in turn, around and around.
#[derive(Clone, Debug)]
struct Peer {
    /// BS and coded STmin of the flow controls, reserved codes included.
    flows: Vec<(u8, u8)>,
    /// Microseconds from commit to confirmation.
    confirmations: Vec<u32>,
    /// Microseconds by which polls come late.
    latenesses: Vec<u32>,
    /// Before each confirmation: other tokens.
    stale: Vec<u64>,
}

fn peer() -> impl Strategy<Value = Peer> {
    let micros = || proptest::collection::vec(0..9000u32, 1..5);
    let stale = proptest::collection::vec(prop_oneof![any::<u64>(), 0..200u64], 1..4);
    let flow = (0..5u8, prop_oneof![any::<u8>(), 0..4u8, 0xF1..=0xF9u8]);
    let flows = proptest::collection::vec(flow, 1..4);
    (flows, micros(), micros(), stale).prop_map(|(flows, confirmations, latenesses, stale)| Peer {
        flows,
        confirmations,
        latenesses,
        stale,
    })
}

#[test]
fn p6_pacing() {
    let cases = (setup(), peer(), 20..300usize);
    check("P6", 1500, &cases, |(mut setup, peer, len)| {
        let side = &mut setup.sides[0];
        (side.reported, side.in_flight) = (true, 1);
        let mut link = setup.link(0);
        pacing(&setup, &mut link, &peer, len)
    });
}

/// Frames in flight wait for nobody at STmin 0, and for everybody else.
#[test]
fn p6_pacing_holds_with_more_frames_in_flight() {
    let cases = (setup(), peer(), 20..300usize, 2..9u8);
    check(
        "P6 in flight",
        1000,
        &cases,
        |(mut setup, peer, len, in_flight)| {
            let side = &mut setup.sides[0];
            (side.reported, side.in_flight) = (true, in_flight);
            let mut link = setup.link(0);
            pacing(&setup, &mut link, &peer, len)
        },
    );
}

/// Sends one message; the test is the peer and the controller.
fn pacing(setup: &Setup, link: &mut TestLink, peer: &Peer, len: usize) -> Verdict {
    let mut now = Instant::from_millis(1);
    link.send(now, pattern(1, len))
        .map_err(|refused| refused.error.to_string())?;
    let mut frame = Frame::new();
    let mut in_flight: Vec<(Instant, TxToken)> = Vec::new();
    let mut pace = Pace::default();
    let mut given: Vec<u64> = Vec::new();
    for turn in 0..10_000usize {
        if let Some(Event::Confirmed(result)) = link.poll_event() {
            // all that a slow controller and a late poll may do
            ensure!(result.is_ok() || result == NResult::TimeoutA, "{result}");
            ensure!(
                !result.is_ok() || in_flight.is_empty(),
                "N_OK before the last confirmation"
            );
            return Ok(());
        }
        while let Some(transmit) = link.poll_transmit(now, &mut frame) {
            let token = transmit.commit(now);
            given.push(token.to_bits());
            let delay = of(&peer.confirmations, turn);
            let after = in_flight
                .last()
                .map_or(now, |last: &(Instant, TxToken)| last.0);
            in_flight.push((after.max(now + Duration::from_micros(delay.into())), token));
            pace.committed(now, in_flight.len())?;
        }
        let stale = of(&peer.stale, turn);
        if !in_flight.iter().any(|(_, token)| token.to_bits() == stale) {
            let sent = link.sent();
            link.handle_transmitted(now, TxToken::from_bits(stale));
            ensure!(
                link.sent() == sent && link.is_sending(),
                "a stale token confirmed"
            );
        }
        let next = in_flight.first().map(|(at, _)| *at);
        let deadline = link.poll_timeout().map(|timeout| timeout.at);
        if let Some(at) = next.filter(|at| deadline.is_none_or(|deadline| *at <= deadline)) {
            now = at.max(now);
            let (_, token) = in_flight.remove(0);
            link.handle_transmitted(now, token);
            pace.confirmed(now);
            // the same confirmation once more is stale
            link.handle_transmitted(now, token);
        } else if link
            .poll_timeout()
            .is_some_and(|t| t.timer == isotp_core::Timer::NBs)
        {
            let (block_size, code) = of(&peer.flows, turn);
            receive_flow_control(setup, link, now, block_size, code);
            pace.flow_control(StMin::from_wire(code), setup.sides[0].first_only);
        } else if let Some(deadline) = deadline {
            now = deadline + Duration::from_micros(of(&peer.latenesses, turn).into());
            link.handle_timeout(now);
        }
    }
    Err("the message never ends".into())
}

/// When the last consecutive frame was confirmed, and how long the next must wait.
#[derive(Default)]
struct Pace {
    st_min: Duration,
    set: bool,
    confirmed: Option<Instant>,
    /// The next frame is the first after a flow control, or the first of the message: no wait.
    free: bool,
}

impl Pace {
    fn committed(&mut self, now: Instant, in_flight: usize) -> Verdict {
        let free = core::mem::take(&mut self.free) || !self.set;
        if free || self.st_min.is_zero() {
            return Ok(());
        }
        ensure!(
            in_flight == 1,
            "{in_flight} frames in flight with STmin {:?}",
            self.st_min
        );
        let waited = self.confirmed.map(|confirmed| now - confirmed);
        ensure!(
            waited.is_some_and(|waited| waited >= self.st_min),
            "{waited:?} after the confirmation, expected {:?}",
            self.st_min
        );
        Ok(())
    }

    fn confirmed(&mut self, now: Instant) {
        self.confirmed = Some(now);
    }

    fn flow_control(&mut self, st_min: StMin, first_only: bool) {
        if !self.set || !first_only {
            self.st_min = st_min.duration();
        }
        self.set = true;
        self.free = true;
    }
}

fn receive_flow_control(setup: &Setup, link: &mut TestLink, now: Instant, bs: u8, st_min: u8) {
    let address = setup.address(0);
    let prefix = Format::prefix(&address);
    let data: Vec<u8> = prefix.into_iter().chain([0x30, bs, st_min]).collect();
    let view = FrameView {
        id: address.rx().id(),
        kind: setup.kind,
        data: &data,
    };
    link.handle_frame(now, view);
}

fn of<T: Copy>(values: &[T], turn: usize) -> T {
    values[turn % values.len()]
}
