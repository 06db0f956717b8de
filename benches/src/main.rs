//! Measures the protocol: time and instructions per frame, sizes, and use of the bus.
//!
//! `cargo xtask bench [--quick] [--markdown] [--echoes]` runs all of it, or the round trips alone, and fails
//! where a limit is broken. It hands over a Python that has aioisotp, with `--python PATH`. This program
//! starts itself under callgrind, with `count WORKLOAD FRAMES`, and for async-std, with `async-std SIZE`.
#![forbid(unsafe_code)]

mod adapters;
mod bus;
mod crowd;
mod echoes;
mod hand_overs;
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
    if let ["async-std", size] = words[..] {
        return adapters::child(size);
    }
    let (mut effort, mut markdown, mut alone, mut python) = (Effort::Full, false, false, None);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word {
            "--quick" => effort = Effort::Quick,
            "--markdown" => markdown = true,
            "--echoes" => alone = true,
            "--python" => python = Some(words.next().ok_or("expected a path after --python")?),
            _ => {
                let known = "--quick, --markdown, --echoes or --python PATH";
                return Err(format!("expected {known}, got '{word}'"));
            }
        }
    }
    let mut report = Report::new(markdown);
    if alone {
        report.echoes(&echoes::measure(effort, python)?);
    } else {
        measure(&mut report, effort, python)?;
    }
    report.finish()
}

fn measure(report: &mut Report, effort: Effort, python: Option<&str>) -> Result<()> {
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
    report.echoes(&echoes::measure(effort, python)?);
    report.crowd(&crowd::measure()?);
    Ok(())
}
