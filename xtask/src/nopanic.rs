//! `cargo xtask nopanic`: the linker shows that nothing of isotp-core can panic in a release build.
//!
//! The panic handler of the proof calls a function that does not exist. If any call in it can panic,
//! the optimiser keeps the handler and the program cannot be linked.

use std::process::Command;

use crate::{Outcome, only, shell, toolchain};

const CORTEX_M4F: &str = "thumbv7em-none-eabihf";

/// Given by the feature `alloc`, and what a build with everything else has.
const MEMORY: [&str; 2] = ["", "alloc"];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    toolchain::add_target(CORTEX_M4F)?;
    for features in MEMORY {
        for target in [None, Some(CORTEX_M4F)] {
            shell::run(&mut build(features, target))?;
            refuses(features, target)?;
        }
    }
    println!("no panic can be reached in isotp-core, on 64 and on 32 bits, with and without alloc");
    Ok(())
}

/// A proof that cannot fail proves nothing: with one panic it must not be linked.
fn refuses(features: &str, target: Option<&str>) -> Outcome {
    let features = format!("{features} deliberate");
    let (built, text) = shell::capture(&mut build(&features, target))?;
    if built || !text.contains(SYMBOL) {
        return Err(format!(
            "expected a deliberate panic to leave '{SYMBOL}' undefined, got:\n{text}"
        ));
    }
    println!("with a deliberate panic it is not linked, as it must be");
    Ok(())
}

fn build(features: &str, target: Option<&str>) -> Command {
    let mut cargo = shell::cargo();
    cargo.args(["build", "--release", "--locked", "--features", features]);
    cargo.args(["--manifest-path", "proofs/no-panic/Cargo.toml"]);
    cargo.args(["--target-dir", "target/no-panic"]);
    if let Some(target) = target {
        // there is no operating system that would know where to begin
        cargo.env(
            "CARGO_TARGET_THUMBV7EM_NONE_EABIHF_RUSTFLAGS",
            "-C link-arg=--entry=main -C link-arg=--gc-sections",
        );
        cargo.args(["--target", target]);
    }
    cargo
}

const SYMBOL: &str = "a_panic_can_be_reached";
