//! Measures the protocol: time and instructions per frame, sizes, and use of the bus.
//!
//! `cargo xtask bench [--quick] [--markdown]` runs all of it and fails where a limit is broken. This
//! program starts itself under callgrind, with `count WORKLOAD FRAMES`, and for async-std, with
//! `async-std SIZE EFFORT`.
#![forbid(unsafe_code)]

mod adapters;
mod bus;
mod crowd;
mod instructions;
mod pair;
mod report;
mod router;
mod sizes;
mod timing;
mod workload;

use std::process::ExitCode;

use bus::Wire;
use report::Report;
use timing::Effort;
use workload::Workload;

/// What went wrong, as one line.
type Result<T> = core::result::Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["count", workload, frames] = words[..] {
        return instructions::child(workload, frames);
    }
    if let ["async-std", size, effort] = words[..] {
        return adapters::child(size, effort);
    }
    let (mut effort, mut markdown) = (Effort::Full, false);
    for word in words {
        match word {
            "--quick" => effort = Effort::Quick,
            "--markdown" => markdown = true,
            _ => return Err(format!("expected --quick or --markdown, got '{word}'")),
        }
    }
    let mut report = Report::new(markdown);
    measure(&mut report, effort)?;
    report.finish()
}

fn measure(report: &mut Report, effort: Effort) -> Result<()> {
    let mut frames = Vec::new();
    for workload in Workload::ALL {
        let spread = timing::measure(workload, effort)?;
        let instructions = instructions::per_frame(workload)?;
        frames.push((workload, spread, instructions));
    }
    report.frames(&frames);
    report.scale(&frames);
    report.bus(&[bus::measure(Wire::Cc)?, bus::measure(Wire::Fd)?]);
    report.sizes(&sizes::all());
    report.echoes(&adapters::echoes(effort)?, adapters::hand_over(effort));
    report.crowd(&crowd::measure()?);
    Ok(())
}
