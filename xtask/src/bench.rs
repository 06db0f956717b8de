//! `cargo xtask bench`: the measurements of `benches/`, built for release.

use crate::{Outcome, only, shell};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &["--quick", "--markdown"])?;
    if !shell::has("valgrind") {
        shell::apt_install(&["valgrind"])?;
    }
    let mut cargo = shell::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "isotp-bench",
        "--",
    ]);
    shell::run(cargo.args(arguments))
}
