//! A router with five links, called in any order, beside five separate links that are told the same (P7):
//! the same frames up to the order of links, the same events, no deadline later; and P1, P2, P4.

mod both;

use isotp_core::{Machine as _, Order};
use isotp_testkit::{Caller, Choose as _, Op, Take, op};

use crate::setup::setup;
use crate::source::Source;
use crate::{Verdict, ensure};

use both::Both;

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let mut setup = setup(&mut source);
    let side = usize::from(source.flag());
    // how often a buffer is asked depends on who asks: it is ready always or never
    let moods = &mut setup.sides[side].moods;
    *moods = if *moods == 0 { 0 } else { u32::MAX };
    let mut both = Both::new(&setup, side, LINKS);
    if source.flag() {
        both.set_order(Order::LowestId);
    }
    let mut caller = Caller::new(&mut both, usize::from(LINKS));
    let (mut ops, mut latest) = (0, caller.now);
    while !source.is_empty() && ops < 300 {
        ops += 1;
        if source.below(40) == 39 {
            caller.subject.replace(&setup, side, source.below(8) as u8);
        }
        let mut op = op(&mut source);
        if let Op::Moods { moods, .. } = &mut op {
            *moods = if *moods & 1 == 0 { 0 } else { u32::MAX };
        }
        caller.call(&op);
        // a clock that runs backward is clamped by each link that sees it, and a router shows it to few
        caller.now = caller.now.max(latest);
        latest = caller.now;
        caller.subject.same()?;
        if matches!(op, Op::Timeout) {
            let next = caller.subject.poll_timeout();
            let later = next.is_none_or(|next| next.at > caller.now);
            ensure!(later, "P1: {next:?} at {:?}", caller.now);
        }
    }
    let bound = 60 * usize::from(LINKS);
    let polled = (0..bound).take_while(|_| caller.poll(Take::Commit)).count();
    ensure!(
        polled < bound,
        "P2: more than {polled} frames with no input"
    );
    caller.drain();
    caller.subject.same()
}

const LINKS: u8 = 5;
