//! What arrives is what was sent (P8), and without faults all of it does (P5).

use core::time::Duration;

use isotp_testkit::Layout;

use super::run::Run;
use super::{End, Figures, Outcome, makes_copies};
use crate::{Verdict, ensure};

/// Counts messages that nobody sent: those of pieces of several, in a way that ISO-TP cannot see, and those of
/// inverted bits, of which the reference made the same.
pub(super) fn content(run: &Run, outcome: &Outcome, end: End, figures: &mut Figures) -> Verdict {
    let sent = outcome.story(end.peer()).sent.iter();
    let sent: Vec<&[u8]> = sent.map(|sent| &sent.bytes[..]).collect();
    let layout = Layout::of(&run.setups[end.pair], 1 - end.side);
    let mut last = None;
    for message in outcome.story(end).messages() {
        let Some(position) = sent.iter().position(|sent| *sent == message) else {
            match layout.explain(message, &sent) {
                Ok(()) => figures.mixed_up += 1,
                Err(_) if run.corrupts() => figures.altered += 1,
                Err(error) => return Err(error),
            }
            ensure!(outcome.has_faults(), "a mix-up without a fault");
            continue;
        };
        // one copy each, in order, unless the bus itself makes copies or changes the order
        let in_order = last.is_none_or(|last| position > last);
        ensure!(
            in_order || run.trouble.has(makes_copies),
            "message {position} after {last:?}"
        );
        last = Some(position);
    }
    Ok(())
}

/// Without faults, and with peers that are patient enough, all that was sent has arrived.
pub(super) fn complete(run: &Run, outcome: &Outcome, end: End) -> Verdict {
    let patient = Duration::from_millis(400);
    let setup = &run.setups[end.pair];
    let timing = &setup.timing;
    // on a bus with other pairs whose ids are lower, a frame may wait for longer than its timer
    let alone = run.setups.len() == 1 || !run.trouble.timed;
    let ready = setup.sides.iter().all(|side| side.moods == 0);
    let patient = [timing.n_cr, timing.n_bs, timing.n_as]
        .iter()
        .all(|time| *time >= patient);
    if !run.is_calm() || !alone || !ready || !patient {
        return Ok(());
    }
    let sent = &outcome.story(end).sent;
    let received = outcome.story(end.peer()).messages();
    ensure!(
        received.eq(sent.iter().map(|sent| &sent.bytes[..])),
        "something was lost without a fault"
    );
    Ok(())
}
