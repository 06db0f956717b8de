//! What is measured: each workload by name, as something that sends messages.

use crate::Result;
use crate::pair::{Pair, Tally};

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Two links in memory; bytes in each message.
    Links(usize),
}

/// A workload that is set up and runs.
pub(crate) enum Running {
    Pair(Box<Pair>),
}

impl Workload {
    pub(crate) const ALL: [Self; 3] = [Self::Links(7), Self::Links(62), Self::Links(4095)];

    /// The name on the command line, such as `links:62`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Links(size) => format!("links:{size}"),
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
            Self::Links(size) => format!("two links, messages of {size} bytes"),
        }
    }

    /// Rounds that take about a millisecond.
    pub(crate) const fn rounds(self) -> u64 {
        match self {
            Self::Links(size) => 200_000 / (size as u64 + 20),
        }
    }

    pub(crate) fn start(self) -> Result<Running> {
        match self {
            Self::Links(size) => Ok(Running::Pair(Box::new(Pair::new(size)?))),
        }
    }
}

impl Running {
    /// Sends `rounds` messages on each link, and says what happened meanwhile.
    pub(crate) fn run(&mut self, rounds: u64) -> Result<Tally> {
        let before = self.tally();
        match self {
            Self::Pair(pair) => (0..rounds).for_each(|_| pair.transfer()),
        }
        let after = self.tally();
        let tally = Tally {
            frames: after.frames - before.frames,
            bytes: after.bytes - before.bytes,
            failures: after.failures,
        };
        if tally.failures > 0 || tally.bytes == 0 {
            return Err(format!("messages got lost on the way: {tally:?}"));
        }
        Ok(tally)
    }

    fn tally(&self) -> Tally {
        match self {
            Self::Pair(pair) => pair.tally(),
        }
    }
}
