//! Pairs of links over a bus with faults: each does what the reference does, frame by frame (P6); each transfer
//! has one outcome, in time, and the right content (P8); without faults everything arrives (P5).

mod bounds;
mod content;
mod figures;
mod run;

pub use figures::Figures;
pub(crate) use run::{Hosts, Lengths, run};

use core::time::Duration;

use isotp_core::Instant;
use isotp_sim::{Fault, Happening, NodeId, World};
use isotp_testkit::{Choose as _, Format, Setup};

use crate::Verdict;
use crate::setup::setup;
use crate::source::Source;
use crate::watch::Watched;
use run::Run;

/// Plays what `input` says.
///
/// # Errors
/// What does not hold, with the trace of the bus.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let setup = setup(&mut source);
    let hosts = source.pick(&[Hosts::Links, Hosts::Links, Hosts::Router, Hosts::Routers]);
    let run = run(&mut source, vec![setup], hosts, Lengths::Mixed);
    run.play()?.judge(&run).map(drop)
}

/// One side of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    pair: usize,
    side: usize,
}

impl End {
    const fn peer(self) -> Self {
        Self {
            pair: self.pair,
            side: 1 - self.side,
        }
    }
}

/// Where the link of an end is.
#[derive(Clone, Copy, Debug)]
struct Place {
    node: NodeId,
    slot: usize,
}

/// What came of a run.
pub(crate) struct Outcome {
    world: World<Watched>,
    /// By pair and side.
    stories: Vec<[Story; 2]>,
    /// When nobody looked, and for how long.
    stalls: Vec<(Instant, Duration)>,
    /// When which clock was set back, and by how much.
    set_back: Vec<(Instant, NodeId, Duration)>,
}

/// What happened at one end.
struct Story {
    place: Place,
    /// The messages that were accepted.
    sent: Vec<Sent>,
    events: Vec<(Instant, Happening)>,
    /// When an FC.WAIT of this end was on the bus.
    waits: Vec<Instant>,
}

/// A message that a link took to send.
#[derive(Clone, Debug)]
struct Sent {
    at: Instant,
    /// How far the clock of its link had still to go, for it was set back before.
    lag: Duration,
    bytes: Vec<u8>,
}

impl Story {
    fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.events.iter().filter_map(|(_, event)| event.data())
    }
}

impl Outcome {
    /// Checks all ends.
    ///
    /// # Errors
    /// What does not hold, with the trace of the bus.
    pub(crate) fn judge(&self, run: &Run) -> Result<Figures, String> {
        let mut figures = Figures {
            frames: self.world.bus().stats().frames,
            faults: self.world.bus().stats().faults,
            ..Figures::default()
        };
        for pair in 0..self.stories.len() {
            for side in 0..2 {
                self.judge_end(run, End { pair, side }, &mut figures)
                    .map_err(|error| {
                        format!("pair {pair}, side {side}: {error}\n{}", self.trace())
                    })?;
            }
        }
        Ok(figures)
    }

    /// Frames and events as text.
    pub(crate) fn trace(&self) -> String {
        self.world.trace().to_string()
    }

    fn judge_end(&self, run: &Run, end: End, figures: &mut Figures) -> Verdict {
        let story = self.story(end);
        self.world.node(story.place.node).verdict().clone()?;
        figures.transfers += story.sent.len() as u64;
        figures.confirmed += bounds::confirmations(run, self, end)?;
        bounds::indications(run, self, end)?;
        content::content(run, self, end, figures)?;
        figures.received += story.messages().count() as u64;
        content::complete(run, self, end)
    }

    fn story(&self, end: End) -> &Story {
        &self.stories[end.pair][end.side]
    }

    /// For how long nobody looked between two moments.
    fn stalled(&self, from: Instant, to: Instant) -> Duration {
        let stalls = self.stalls.iter();
        let within = stalls.filter(|(at, _)| (from..=to).contains(at));
        within.map(|(_, pause)| *pause).sum()
    }

    /// By how much the clock of a node was set back between two moments.
    fn set_back(&self, node: NodeId, from: Instant, to: Instant) -> Duration {
        let moments = self.set_back.iter();
        let within = moments.filter(|(at, of, _)| *of == node && (from..=to).contains(at));
        within.map(|(.., by)| *by).sum()
    }

    /// Whether the bus did something wrong.
    fn has_faults(&self) -> bool {
        self.world.bus().stats().faults > 0
    }
}

fn is_wait(setup: &Setup, side: usize, data: &[u8]) -> bool {
    let prefix = usize::from(Format::prefix(&setup.address(1 - side)).is_some());
    data.get(prefix) == Some(&0x31)
}

/// Whether a fault makes copies of frames, or changes their order.
const fn makes_copies(fault: &Fault) -> bool {
    matches!(fault, Fault::Duplicate | Fault::Delay(_) | Fault::Reorder)
}
