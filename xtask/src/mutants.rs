//! `cargo xtask mutants`: does a test fail when the core is broken on purpose, in one place at a time?

use crate::{Outcome, only, shell};

/// Each phase meets what the one before has left over, so that most changes cost a second. What was caught
/// once is not tried again, so it can be stopped and goes on from there.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    tools()?;
    // more make each build slower, and a slow test looks like one that hangs
    let jobs = std::thread::available_parallelism().map_or(1, |jobs| jobs.get().min(4));
    for phase in PHASES {
        let mut mutants = shell::program("cargo");
        mutants.args(["mutants", "--package", "isotp-core", "--iterate"]);
        mutants.args(["--output", OUTPUT, "--jobs", &jobs.to_string()]);
        mutants.args(*phase);
        eprintln!("$ cargo mutants {}", phase.join(" "));
        let status = mutants.status().map_err(|error| format!("{error}"))?;
        // 2 and 3: some were missed, or took too long
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            return Err(format!("cargo mutants ended with {status}"));
        }
    }
    println!("what no test noticed: {OUTPUT}/mutants.out/missed.txt; docs/testing.md says why");
    Ok(())
}

fn tools() -> Outcome {
    let (there, _) = shell::capture(shell::program("cargo").args(["mutants", "--version"]))?;
    if there {
        return Ok(());
    }
    shell::run(shell::program("cargo").args(["install", "cargo-mutants", "--locked"]))
}

const OUTPUT: &str = "target/mutants";

/// The unit tests; the rules and the vectors; everything, the oracles' tests as well.
const PHASES: &[&[&str]] = &[
    &["--cargo-arg=--lib"],
    &["--cargo-arg=--test=rules", "--cargo-arg=--test=conformance"],
    &["--test-package=isotp-core,isotp-oracles"],
];
