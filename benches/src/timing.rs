//! Wall clock time of a workload.

use std::time::Instant;

use crate::Result;
use crate::workload::Workload;

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    Quick,
    Full,
}

/// What many runs of the same work took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Nanoseconds per frame.
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
    /// 10^9 bytes of payload per second, at the median.
    pub(crate) gigabytes: f64,
}

/// Runs the workload many times; the machine's other work shows in `max`.
pub(crate) fn measure(workload: Workload, effort: Effort) -> Result<Spread> {
    let mut running = workload.start()?;
    running.run(workload.frames())?;
    let runs = match effort {
        Effort::Quick => 50,
        Effort::Full => 200,
    };
    let mut nanos = Vec::with_capacity(runs);
    let (mut bytes, mut frames) = (0, 0);
    for _ in 0..runs {
        let begin = Instant::now();
        let tally = running.run(workload.frames())?;
        nanos.push(begin.elapsed().as_nanos() as f64 / tally.frames as f64);
        bytes += tally.bytes;
        frames += tally.frames;
    }
    nanos.sort_by(f64::total_cmp);
    let at = |index: usize| nanos.get(index).copied().unwrap_or_default();
    let median = at(runs / 2);
    Ok(Spread {
        min: at(0),
        median,
        max: at(runs - 1),
        gigabytes: bytes as f64 / (median * frames as f64),
    })
}
