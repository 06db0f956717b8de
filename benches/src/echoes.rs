//! Round trips in rounds: every adapter has its turn in each, and so has aioisotp. What else the machine does
//! strikes all of them, so what they took can be compared.

use crate::Result;
use crate::adapters::{self, Adapter};
use crate::hand_overs;
use crate::timing::Effort;

/// What was timed with messages of one size.
#[derive(Debug)]
pub(crate) struct Echoes {
    pub(crate) size: usize,
    pub(crate) ours: Vec<(Adapter, Micros)>,
    /// Where there is a Python that has it.
    pub(crate) aioisotp: Option<Micros>,
    /// The hand-overs of a round trip under blocking, between threads that do nothing else; of a message
    /// of a few frames, where they are most of it.
    pub(crate) hand_overs: Option<Micros>,
}

/// Microseconds in the batches of all rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Micros {
    pub(crate) min: f64,
    pub(crate) median: f64,
}

/// A message of a few frames, and one of many. `python` has aioisotp.
pub(crate) fn measure(effort: Effort, python: Option<&str>) -> Result<Vec<Echoes>> {
    let sizes = [FEW_FRAMES, 4095];
    sizes
        .map(|size| one(size, effort, python))
        .into_iter()
        .collect()
}

fn one(size: usize, effort: Effort, python: Option<&str>) -> Result<Echoes> {
    let rounds = match effort {
        Effort::Quick => 4,
        Effort::Full => 10,
    };
    let mut ours = Adapter::ALL.map(|adapter| (adapter, Vec::new()));
    let (mut aioisotp, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (adapter, micros) in &mut ours {
            micros.extend(adapter.echo(size)?);
        }
        if let Some(python) = python {
            aioisotp.extend(adapters::aioisotp(python, size)?);
        }
        if size == FEW_FRAMES {
            bare.extend(hand_overs::round_trip());
        }
    }
    let ours = ours.map(|(adapter, micros)| (adapter, Micros::of(micros)));
    Ok(Echoes {
        size,
        ours: ours.into(),
        aioisotp: python.map(|_| Micros::of(aioisotp)),
        hand_overs: (size == FEW_FRAMES).then(|| Micros::of(bare)),
    })
}

impl Micros {
    fn of(mut batches: Vec<f64>) -> Self {
        batches.sort_by(f64::total_cmp);
        let at = |index: usize| batches.get(index).copied().unwrap_or_default();
        Self {
            min: at(0),
            median: at(batches.len() / 2),
        }
    }
}

/// Bytes of a message of a few frames.
const FEW_FRAMES: usize = 12;
