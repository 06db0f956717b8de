//! P1: after `handle_timeout(t)`, `poll_timeout()` is `None` or later than `t`.

use isotp_core::{Instant, Machine as _};
use isotp_testkit::{Caller, Fleet, Op, Subject, Verdict, ensure};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::{ops, setup};

#[test]
fn p1_deadlines_move_on() {
    let cases = (setup(), ops());
    check("P1 link", 2000, &cases, |(setup, ops)| {
        deadlines_move_on(&mut setup.link(0), 1, &ops)
    });
}

#[test]
fn p1_deadlines_move_on_in_a_router() {
    let cases = (setup(), ops(), 0..2usize);
    check("P1 router", 1000, &cases, |(setup, ops, side)| {
        deadlines_move_on(&mut Fleet::of_side(&setup, side, 5), 5, &ops)
    });
}

/// Whatever was called before, at whatever time, and also when the deadline is long over.
fn deadlines_move_on<M: Subject>(subject: &mut M, links: usize, ops: &[Op]) -> Verdict {
    let mut caller = Caller::new(subject, links);
    for op in ops {
        caller.call(op);
        if matches!(op, Op::Timeout) {
            later_than(caller.subject, caller.now)?;
        }
        if matches!(op, Op::Clock(_)) && caller.subject.poll_timeout().is_some() {
            caller.subject.handle_timeout(caller.now);
            later_than(caller.subject, caller.now)?;
        }
    }
    Ok(())
}

fn later_than<M: Subject>(subject: &M, now: Instant) -> Verdict {
    let next = subject.poll_timeout();
    ensure!(
        next.is_none_or(|next| next.at > now),
        "after handle_timeout({now:?}) expected a later deadline, got {next:?}"
    );
    Ok(())
}

/// The same where the whole clock is one jump of an hour at a time.
#[test]
fn p1_deadlines_move_on_after_a_jump_of_an_hour() {
    let cases = (setup(), ops(), any::<u8>());
    check("P1 jump", 500, &cases, |(setup, ops, hours)| {
        let mut link = setup.link(0);
        let mut caller = Caller::new(&mut link, 1);
        ops.iter().for_each(|op| caller.call(op));
        let jump = core::time::Duration::from_secs(3600 * (1 + u64::from(hours)));
        let now = caller.now + jump;
        link.handle_timeout(now);
        later_than(&link, now)
    });
}
