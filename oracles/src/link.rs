//! A link, called in any order: deadlines move on (P1), polling ends and what is busy has a deadline (P2), a full
//! controller changes nothing but time (P3), nothing panics (P4), stale tokens confirm nothing (P6), each message
//! has one outcome (P8).

use core::time::Duration;

use isotp_core::{Instant, Machine as _, NResult, Timer, TxToken};
use isotp_sim::Happening;
use isotp_testkit::{Caller, Op, Take, TestLink, op};

use crate::setup::setup;
use crate::source::Source;
use crate::{Verdict, ensure};

pub(crate) fn check(input: &[u8]) -> Verdict {
    any_order(input)?;
    twins(input)
}

fn any_order(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let mut link = setup(&mut source).link(0);
    let mut caller = Caller::new(&mut link, 1);
    let mut ops = 0;
    while !source.is_empty() && ops < 400 {
        ops += 1;
        let op = op(&mut source);
        let told = caller.events.len();
        caller.call(&op);
        holds(&caller, &op)?;
        stale(&mut caller, &op)?;
        ends_once(&caller.events, told)?;
    }
    let polled = (0..100).take_while(|_| caller.poll(Take::Commit)).count();
    ensure!(polled < 100, "P2: more than {polled} frames with no input");
    rest(&mut caller)
}

/// P3: of two links that are told the same, one is offered a full controller again and again.
///
/// A buffer that was not ready is asked again by each poll, which is no more than time; so it is ready always
/// or never. Where it falls free in another way, the other link is polled too, once.
fn twins(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let mut setup = setup(&mut source);
    let side = &mut setup.sides[0];
    side.moods = if side.moods == 0 { 0 } else { u32::MAX };
    let drops = [usize::from(side.reported), 3];
    let mut links = [setup.link(0), setup.link(0)];
    let mut twins = links.each_mut().map(|link| Caller::new(link, 1));
    let (mut ops, mut latest) = (0, Instant::ZERO);
    while !source.is_empty() && ops < 200 {
        ops += 1;
        latest = latest.max(twins[0].now);
        let op = op(&mut source);
        if matches!(op, Op::Moods { .. }) {
            continue;
        }
        for (twin, drops) in twins.iter_mut().zip(drops) {
            twin.call(&op);
            twin.drain();
            twin.call(&Op::Timeout);
            twin.drain();
            for _ in 0..drops {
                twin.poll(Take::Drop);
            }
        }
        let [plain, refused] = twins.each_ref().map(|twin| twin.subject.poll_timeout());
        ensure!(
            plain == refused,
            "P3: {refused:?} after {op:?}, expected {plain:?}"
        );
    }
    let [plain, mut refused] = twins;
    // a clock that runs backward is clamped
    refused.now = refused.now.max(latest);
    ensure!(plain.frames == refused.frames, "P3: other frames");
    ensure!(plain.events == refused.events, "P3: other events");
    full_for_ever(&mut refused)
}

/// P3: with a controller that takes nothing any more, N_As, N_Bs and N_Cr end what runs, in time.
fn full_for_ever(caller: &mut Caller<'_, TestLink>) -> Verdict {
    let link = &*caller.subject;
    let (sending, receiving) = (link.is_sending(), link.is_receiving());
    let timing = link.config().timing.clone();
    let bounds = [
        Duration::from_millis(127) + timing.n_as,
        timing.n_bs,
        timing.n_br + 2 * timing.n_ar,
        timing.n_cr,
    ];
    let begun = caller.now;
    let told = caller.events.len();
    loop {
        for _ in 0..3 {
            caller.poll(Take::Drop);
        }
        let Some(next) = caller.subject.poll_timeout() else {
            break;
        };
        let expected = match next.timer {
            Timer::NAs => Some(NResult::TimeoutA),
            Timer::NBs => Some(NResult::TimeoutBs),
            Timer::NCr => Some(NResult::TimeoutCr),
            _ => None,
        };
        let before = caller.events.len();
        caller.now = caller.now.max(next.at);
        ensure!(
            bounds.iter().any(|bound| caller.now <= begun + *bound),
            "P3: still {next:?}"
        );
        caller.subject.handle_timeout(caller.now);
        caller.drain();
        let ended = expected.is_none_or(|result| {
            let new = caller.events[before..].iter();
            new.filter_map(|(_, event)| outcome(event))
                .any(|ended| ended == result)
        });
        ensure!(ended, "P3: {next:?} ended nothing");
    }
    let count = |is: fn(&Happening) -> bool| {
        let new = caller.events[told..].iter();
        new.filter(|(_, event)| is(event)).count()
    };
    let confirmed = count(|event| matches!(event, Happening::Confirmed(_)));
    let failed = count(|event| matches!(event, Happening::ReceptionFailed(_)));
    ensure!(
        (confirmed, failed) == (usize::from(sending), usize::from(receiving)),
        "P3: {confirmed} confirmations and {failed} failures"
    );
    Ok(())
}

const fn outcome(event: &Happening) -> Option<NResult> {
    match event {
        Happening::Confirmed(result)
        | Happening::FunctionalConfirmed(result)
        | Happening::ReceptionFailed(result) => Some(*result),
        _ => None,
    }
}

fn holds(caller: &Caller<'_, TestLink>, op: &Op) -> Verdict {
    let link = &*caller.subject;
    let deadline = link.poll_timeout();
    let busy = link.is_sending() || link.is_receiving();
    ensure!(
        !busy || deadline.is_some(),
        "P2: busy without a deadline after {op:?}"
    );
    if matches!(op, Op::Timeout) {
        let later = deadline.is_none_or(|next| next.at > caller.now);
        ensure!(later, "P1: {deadline:?} at {:?}", caller.now);
    }
    Ok(())
}

/// P6: a token that no frame has confirms nothing.
fn stale(caller: &mut Caller<'_, TestLink>, op: &Op) -> Verdict {
    let before = state(caller);
    let (now, token) = (caller.now, TxToken::from_bits(u64::MAX));
    caller.subject.handle_transmitted(now, token);
    caller.subject.handle_failed(now, token);
    let after = state(caller);
    ensure!(
        before == after,
        "P6: a stale token changed {before:?} to {after:?} after {op:?}"
    );
    Ok(())
}

/// What is over may be told as over since any time.
fn state(caller: &Caller<'_, TestLink>) -> (bool, bool, Option<Instant>) {
    let link = &*caller.subject;
    let deadline = link.poll_timeout().map(|next| next.at.max(caller.now));
    (link.is_sending(), link.is_receiving(), deadline)
}

/// Each announcement has one end before the next.
fn ends_once(events: &[(u32, Happening)], told: usize) -> Verdict {
    if events.len() == told {
        return Ok(());
    }
    let mut open = false;
    for (_, event) in events {
        match event {
            Happening::FirstFrame { .. } => {
                ensure!(!open, "P8: announced twice");
                open = true;
            }
            Happening::ReceptionFailed(_) => {
                ensure!(open, "P8: a failure of nothing");
                open = false;
            }
            Happening::Received {
                data,
                functional: false,
            } if data.len() > 62 => {
                ensure!(open, "P8: a message that was not announced");
                open = false;
            }
            Happening::Received {
                functional: false, ..
            } => open = false,
            _ => {}
        }
    }
    Ok(())
}

/// With no frames, confirmations or polls, each deadline ends something.
fn rest(caller: &mut Caller<'_, TestLink>) -> Verdict {
    let link = &mut *caller.subject;
    let mut deadlines = 0;
    while let Some(next) = link.poll_timeout() {
        deadlines += 1;
        ensure!(
            deadlines < 20,
            "P2: still {next:?} after {deadlines} deadlines"
        );
        link.handle_timeout(next.at);
    }
    ensure!(
        !link.is_sending() && !link.is_receiving(),
        "P2: at rest but busy"
    );
    Ok(())
}
