//! P2: with no new input, `poll_transmit` and `commit` stop; idle and failed machines have no deadline,
//! every other state has one.

use isotp_core::Machine as _;
use isotp_testkit::{Caller, Fleet, Op, Subject, Take, Verdict, ensure};

use crate::harness::check;
use crate::setup::{ops, setup};

#[test]
fn p2_polling_ends() {
    let cases = (setup(), ops());
    check("P2 polling", 2000, &cases, |(setup, ops)| {
        polling_ends(&mut setup.link(0), 1, &ops)
    });
    check("P2 polling in a router", 500, &cases, |(setup, ops)| {
        polling_ends(&mut Fleet::of_side(&setup, 0, 5), 5, &ops)
    });
}

#[test]
fn p2_busy_links_have_a_deadline() {
    check("P2 deadlines", 2000, &(setup(), ops()), |(setup, ops)| {
        let mut link = setup.link(0);
        let mut caller = Caller::new(&mut link, 1);
        for op in &ops {
            caller.call(op);
            let link = &*caller.subject;
            let busy = link.is_sending() || link.is_receiving();
            let deadline = link.poll_timeout();
            ensure!(
                !busy || deadline.is_some(),
                "busy without a deadline after {op:?}"
            );
        }
        Ok(())
    });
}

/// With no frames, confirmations or polls, each deadline ends something.
#[test]
fn p2_a_link_left_alone_comes_to_rest() {
    check("P2 rest", 2000, &(setup(), ops()), |(setup, ops)| {
        let mut link = setup.link(0);
        let mut caller = Caller::new(&mut link, 1);
        ops.iter().for_each(|op| caller.call(op));
        let mut deadlines = 0;
        while let Some(next) = link.poll_timeout() {
            deadlines += 1;
            ensure!(deadlines < 20, "still {next:?} after {deadlines} deadlines");
            link.handle_timeout(next.at);
        }
        ensure!(
            !link.is_sending() && !link.is_receiving(),
            "at rest but busy"
        );
        Ok(())
    });
}

fn polling_ends<M: Subject>(subject: &mut M, links: usize, ops: &[Op]) -> Verdict {
    let mut caller = Caller::new(subject, links);
    for op in ops {
        caller.call(op);
    }
    // a message of 200 bytes, a flow control and a functional message for each link, and some
    let bound = 60 * links;
    let polled = (0..bound).take_while(|_| caller.poll(Take::Commit)).count();
    ensure!(polled < bound, "more than {bound} frames with no input");
    Ok(())
}
