//! What happens on one bus: who sends what, and what goes wrong.

use core::time::Duration;
use std::collections::HashMap;

use isotp_core::{Id, Instant};
use isotp_sim::{Fault, NodeId, Stop, What, World};
use isotp_testkit::{Choose as _, Setup, Trouble, pattern};

use super::{End, Outcome, Place, Sent, Story, is_wait};
use crate::ensure;
use crate::source::Source;
use crate::watch::Watched;

/// Where the links are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// Each on a port of its own.
    Links,
    /// The first of each pair in one router, as in a tester; the others each on a port.
    Router,
    /// The first of each pair in one router, the second of each in another.
    Routers,
}

/// How long messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lengths {
    /// As many long ones as short ones.
    Mixed,
    /// Mostly short, as in the field.
    Short,
}

/// What happens on one bus.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(super) setups: Vec<Setup>,
    hosts: Hosts,
    sends: Vec<Send>,
    pub(super) trouble: Trouble,
}

#[derive(Clone, Copy, Debug)]
struct Send {
    /// Milliseconds after the one before.
    pause: u64,
    /// Milliseconds in which nobody looks, before it.
    stall: u64,
    /// By how many milliseconds the clock of its end is set, before it.
    clock: i64,
    end: End,
    len: usize,
}

fn fault(source: &mut Source<'_>) -> Fault {
    let kind = source.below(12);
    let pause = Duration::from_millis(1 + source.below(1500));
    match kind {
        0 => Fault::Lose,
        1 => Fault::Duplicate,
        2 => Fault::Delay(pause),
        3 => Fault::Reorder,
        4 => Fault::Fail,
        5 => Fault::BusOff(pause),
        6 => Fault::ConfirmLate(pause),
        7 => Fault::ConfirmTwice,
        8 => Fault::ConfirmNever,
        9 => Fault::Refuse,
        10 => Fault::Full(pause),
        _ => Fault::Corrupt { bit: 0 },
    }
}

/// Any run of these pairs. One pair makes no choice that concerns several.
pub(crate) fn run(
    source: &mut Source<'_>,
    setups: Vec<Setup>,
    hosts: Hosts,
    lengths: Lengths,
) -> Run {
    let pairs = setups.len();
    let most = match lengths {
        Lengths::Mixed => 8,
        Lengths::Short => 16 * pairs.min(25) as u64,
    };
    let sends = (0..=source.below(most))
        .map(|_| send(source, pairs, lengths))
        .collect();
    let faults = (0..source.below(4))
        .map(|_| (1 + source.below(24) as u32, fault(source)))
        .collect();
    // bursts of eight and sixteen are those that sequence numbers see just so, and not at all
    let count = match source.below(4) {
        0 => 0,
        1 => source.below(20),
        2 => 8,
        _ => 16,
    };
    Run {
        setups,
        hosts,
        sends,
        trouble: Trouble {
            seed: source.long(),
            faults,
            burst: (source.below(60), count, source.flag()),
            timed: source.flag(),
        },
    }
}

fn send(source: &mut Source<'_>, pairs: usize, lengths: Lengths) -> Send {
    // what is chosen when the choices are used up comes first, and is short
    let (middle, long, kinds) = match lengths {
        Lengths::Mixed => (2, 7, 8),
        Lengths::Short => (11, 15, 16),
    };
    let kind = source.below(kinds);
    let len = if kind < middle {
        4 + source.below(16)
    } else if kind < long {
        20 + source.below(380)
    } else {
        4000 + source.below(200)
    };
    let pause = source.below(if lengths == Lengths::Short { 300 } else { 1500 });
    let side = source.below(2) as usize;
    let pair = source.below(pairs as u64) as usize;
    let (mut stall, mut clock) = (0, 0);
    match source.below(20) {
        0 => stall = source.below(3000),
        1 => clock = -(source.below(3000) as i64),
        2 => clock = source.below(3000) as i64,
        3 => clock = 1000 * source.below(10_000) as i64,
        _ => {}
    }
    Send {
        pause,
        stall,
        clock,
        end: End { pair, side },
        len: len as usize,
    }
}

impl Run {
    /// Plays it.
    ///
    /// # Errors
    /// It goes on without end.
    pub(crate) fn play(&self) -> Result<Outcome, String> {
        let (world, stories) = self.stage();
        let mut outcome = Outcome {
            world,
            stories,
            stalls: Vec::new(),
            set_back: Vec::new(),
        };
        for (message, send) in self.sends.iter().enumerate() {
            let world = &mut outcome.world;
            let until = world.now() + Duration::from_millis(send.pause);
            ensure!(world.run_until(until) != Stop::Livelock, "livelock");
            let pause = Duration::from_millis(send.stall);
            outcome.stalls.push((world.now(), pause));
            world.stall(pause);
            let now = world.now();
            let story = &mut outcome.stories[send.end.pair][send.end.side];
            let Place { node, slot } = story.place;
            let watched = world.node_mut(node);
            watched.set_clock(send.clock);
            if send.clock < 0 {
                let by = Duration::from_millis(send.clock.unsigned_abs());
                outcome.set_back.push((now, node, by));
            }
            let bytes = pattern(message as u64, send.len);
            let lag = watched.lag(now, slot);
            if watched.send(now, slot, bytes.clone()) {
                story.sent.push(Sent {
                    at: now,
                    lag,
                    bytes,
                });
            }
        }
        let late = outcome.world.now() + Duration::from_secs(36_000);
        ensure!(
            outcome.world.run_until(late) == Stop::Quiet,
            "it never ends"
        );
        self.tell(&mut outcome);
        Ok(outcome)
    }

    /// Whether bits are inverted.
    pub(super) fn corrupts(&self) -> bool {
        let mut faults = self.trouble.faults.iter();
        faults.any(|(_, fault)| matches!(fault, Fault::Corrupt { .. }))
    }

    /// Whether nothing goes wrong, and everybody looks all the time at a clock that is right.
    pub(super) fn is_calm(&self) -> bool {
        let all_look = self
            .sends
            .iter()
            .all(|send| send.stall == 0 && send.clock == 0);
        self.trouble.is_none() && all_look
    }

    /// The bus, and the links on it.
    fn stage(&self) -> (World<Watched>, Vec<[Story; 2]>) {
        let mut world = World::new(self.trouble.bus());
        let mut router = |side: usize, name: &str, routed: bool| {
            routed.then(|| world.add(name, Watched::router(&self.setups, side)))
        };
        let routers = [
            router(0, "router a", self.hosts != Hosts::Links),
            router(1, "router b", self.hosts == Hosts::Routers),
        ];
        let setups = self.setups.iter().enumerate();
        let stories = setups.map(|(pair, setup)| {
            [0, 1].map(|side| {
                let name = ["a", "b"][side];
                let place = match routers[side] {
                    Some(node) => Place { node, slot: pair },
                    None => Place {
                        node: world.add(&format!("{name}{pair}"), Watched::link(setup, side)),
                        slot: 0,
                    },
                };
                Story {
                    place,
                    sent: Vec::new(),
                    events: Vec::new(),
                    waits: Vec::new(),
                }
            })
        });
        let stories = stories.collect();
        (world, stories)
    }

    /// Tells each end's part of the trace.
    fn tell(&self, outcome: &mut Outcome) {
        let (mut by_id, mut by_place) = (HashMap::<Id, End>::new(), HashMap::new());
        for (pair, setup) in self.setups.iter().enumerate() {
            for side in 0..2 {
                let end = End { pair, side };
                let Place { node, slot } = outcome.story(end).place;
                by_id.insert(setup.address(side).tx().id(), end);
                by_place.insert((node, slot), end);
            }
        }
        let story = |stories: &mut Vec<[Story; 2]>, end: Option<&End>, at: Instant, what: &What| {
            let Some(&End { pair, side }) = end else {
                return;
            };
            let story = &mut stories[pair][side];
            match what {
                What::Frame(frame) if is_wait(&self.setups[pair], side, frame.data()) => {
                    story.waits.push(at);
                }
                What::Event { event, .. } => story.events.push((at, event.clone())),
                What::Frame(_) => {}
            }
        };
        for entry in outcome.world.trace().entries() {
            let end = match &entry.what {
                What::Frame(frame) => by_id.get(&frame.id()),
                What::Event { slot, .. } => {
                    let place = entry.node.map(|node: NodeId| (node, *slot as usize));
                    place.and_then(|place| by_place.get(&place))
                }
            };
            story(&mut outcome.stories, end, entry.at, &entry.what);
        }
    }
}
