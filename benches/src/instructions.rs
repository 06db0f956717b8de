//! Instructions per frame, counted by callgrind: unlike time, the same on a busy machine.
//!
//! The program runs itself twice, with different numbers of frames. The difference has no set-up in it.

use std::process::{Command, Stdio};

use crate::Result;
use crate::workload::Workload;

/// Instructions that one more frame costs, both ends counted.
pub(crate) fn per_frame(workload: Workload) -> Result<f64> {
    let frames = workload.frames();
    let (few, some) = count(workload, frames)?;
    let (many, more) = count(workload, 3 * frames)?;
    if more <= some {
        return Err(format!("{}: no frames were counted", workload.name()));
    }
    Ok((many as f64 - few as f64) / (more - some) as f64)
}

/// Runs the workload in this process, for callgrind, and prints the number of frames.
pub(crate) fn child(workload: &str, frames: &str) -> Result<()> {
    let frames = frames
        .parse()
        .map_err(|_| format!("expected a number of frames, got '{frames}'"))?;
    let tally = Workload::from_name(workload)?.start()?.run(frames)?;
    println!("{}", tally.frames);
    Ok(())
}

/// Instructions and frames of one run of the whole program.
fn count(workload: Workload, frames: u64) -> Result<(u64, u64)> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["count", &workload.name(), &frames.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start valgrind: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let instructions = log
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, number)| number.trim().parse().ok());
    let frames = String::from_utf8_lossy(&output.stdout).trim().parse().ok();
    instructions
        .zip(frames)
        .filter(|_| output.status.success())
        .ok_or_else(|| format!("callgrind gave no count for {}:\n{log}", workload.name()))
}
