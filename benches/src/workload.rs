//! What is measured: each workload by name, as something that sends messages.

use crate::Result;
use crate::pair::{Pair, Tally};
use crate::router::Routers;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Two links in memory.
    Links { size: usize },
    /// Two routers in memory, each with so many links that are all busy.
    Routers { links: usize, size: usize },
}

/// A workload that is set up and runs.
pub(crate) enum Running {
    Pair(Box<Pair>),
    Routers(Box<Routers>),
}

impl Workload {
    /// Every row, in the order of the table.
    pub(crate) const ALL: [Self; 9] = [
        Self::Links { size: 7 },
        Self::Links { size: 62 },
        Self::Links { size: 4095 },
        Self::Routers { links: 1, size: 62 },
        Self::Routers {
            links: 100,
            size: 62,
        },
        Self::Routers {
            links: 10_000,
            size: 62,
        },
        Self::Routers {
            links: 1,
            size: 4095,
        },
        Self::Routers {
            links: 100,
            size: 4095,
        },
        Self::Routers {
            links: 10_000,
            size: 4095,
        },
    ];

    /// The name on the command line, such as `links:62` or `routers:100:62`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Links { size } => format!("links:{size}"),
            Self::Routers { links, size } => format!("routers:{links}:{size}"),
        }
    }

    pub(crate) fn from_name(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
            .ok_or_else(|| format!("expected a workload such as links:62, got '{name}'"))
    }

    /// The title of its row.
    pub(crate) fn title(self) -> String {
        match self {
            Self::Links { size } => format!("two links, {size} bytes"),
            Self::Routers { links: 1, size } => format!("two routers, 1 link, {size} bytes"),
            Self::Routers { links, size } => format!("two routers, {links} links, {size} bytes"),
        }
    }

    /// Frames to be timed at once. All links of a router get their turn a few times.
    pub(crate) const fn frames(self) -> u64 {
        match self {
            Self::Links { .. } => 30_000,
            Self::Routers { links, .. } => 30_000 + 10 * links as u64,
        }
    }

    pub(crate) fn start(self) -> Result<Running> {
        Ok(match self {
            Self::Links { size } => Running::Pair(Box::new(Pair::new(size)?)),
            Self::Routers { links, size } => Running::Routers(Box::new(Routers::new(links, size)?)),
        })
    }
}

impl Running {
    /// Moves at least so many frames, and says what happened meanwhile.
    pub(crate) fn run(&mut self, frames: u64) -> Result<Tally> {
        let before = self.tally();
        let end = before.frames + frames;
        let mut steps = 0;
        while self.tally().frames < end && steps < frames {
            match self {
                Self::Pair(pair) => pair.transfer(),
                Self::Routers(routers) => routers.step(),
            }
            steps += 1;
        }
        let after = self.tally();
        let tally = Tally {
            frames: after.frames - before.frames,
            bytes: after.bytes - before.bytes,
            failures: after.failures,
        };
        if tally.failures > 0 || tally.frames < frames {
            return Err(format!("messages got lost on the way: {tally:?}"));
        }
        Ok(tally)
    }

    fn tally(&self) -> Tally {
        match self {
            Self::Pair(pair) => pair.tally(),
            Self::Routers(routers) => routers.tally(),
        }
    }
}
