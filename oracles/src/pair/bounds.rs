//! Each transfer has one outcome, within a bound that follows from the configuration (P8).

use core::time::Duration;

use isotp_core::{Instant, NResult, Timing};
use isotp_sim::Happening;

use super::run::Run;
use super::{End, Outcome};
use crate::{Verdict, ensure};

/// One confirmation for each accepted message, in time. Gives how many were `N_OK`.
///
/// While nobody looks no timer can end, and a clock that was set back stands still until it has caught up:
/// each prolongs a transfer by no more than itself, and only what falls into it counts.
pub(super) fn confirmations(run: &Run, outcome: &Outcome, end: End) -> Result<u64, String> {
    let (story, peer) = (outcome.story(end), outcome.story(end.peer()));
    let setup = &run.setups[end.pair];
    let confirmed = story.events.iter().filter_map(|(at, event)| match event {
        Happening::Confirmed(result) => Some((*at, *result)),
        _ => None,
    });
    let confirmed: Vec<(Instant, NResult)> = confirmed.collect();
    ensure!(
        confirmed.len() == story.sent.len(),
        "{} sent, confirmed {confirmed:?}",
        story.sent.len()
    );
    for (sent, (ended, _)) in story.sent.iter().zip(&confirmed) {
        let (begun, ended) = (sent.at, *ended);
        let waits = peer.waits.iter().filter(|at| (begun..=ended).contains(at));
        let bound = send_bound(&setup.timing, sent.bytes.len(), waits.count())
            + outcome.stalled(begun, ended)
            + outcome.set_back(story.place.node, begun, ended)
            + sent.lag;
        let took = ended - begun;
        ensure!(
            took <= bound,
            "{} bytes took {took:?}, expected {bound:?}",
            sent.bytes.len()
        );
    }
    let ok = |(_, result): &&(Instant, NResult)| *result == NResult::Ok;
    Ok(confirmed.iter().filter(ok).count() as u64)
}

/// Each frame N_As and STmin, each block N_Bs, each WAIT another. (Each frame has at least 5 bytes.)
fn send_bound(timing: &Timing, len: usize, waits: usize) -> Duration {
    let frames = 2 + len as u32 / 5;
    let st_min = Duration::from_millis(127);
    (timing.n_as + st_min + timing.n_bs) * frames + timing.n_bs * waits as u32
}

/// Each announcement has one end before the next, in time.
pub(super) fn indications(run: &Run, outcome: &Outcome, end: End) -> Verdict {
    let story = outcome.story(end);
    let setup = &run.setups[end.pair];
    let mut open: Option<(Instant, u32)> = None;
    for (at, event) in &story.events {
        let ended = match event {
            Happening::FirstFrame { size } => {
                ensure!(open.is_none(), "announced at {open:?} and again at {at:?}");
                open = Some((*at, *size));
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
            let timing = &setup.timing;
            let waits = u32::from(setup.sides[end.side].max_wait) + 1;
            let per_frame = timing.n_cr + (timing.n_ar + timing.n_br) * waits + timing.n_ar;
            let bound = per_frame * (2 + size / 5)
                + outcome.stalled(begun, *at)
                + outcome.set_back(story.place.node, Instant::ZERO, *at);
            let took = *at - begun;
            ensure!(took <= bound, "{took:?} to receive, expected {bound:?}");
        }
    }
    ensure!(open.is_none(), "announced and never ended: {open:?}");
    Ok(())
}
