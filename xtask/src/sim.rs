//! `cargo xtask sim [WORLDS] [--seed SEED]`: seeded worlds, built for release.

use crate::{Outcome, shell};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut cargo = shell::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "isotp-oracles",
        "--",
    ]);
    if arguments.is_empty() {
        cargo.arg(WORLDS);
    }
    shell::run(cargo.args(arguments))
}

/// A million transfers.
const WORLDS: &str = "43000";
