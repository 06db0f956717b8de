//! `cargo xtask nostd`: isotp-core builds with neither std nor alloc nor an operating system.
//!
//! The proof is a program without std that has its own panic handler. It cannot be built as soon as
//! anything pulls in std (two panic handlers) or alloc (no allocator), and this command checks that too.

use std::process::Command;

use crate::{Outcome, only, shell, toolchain};

const CORTEX_M4F: &str = "thumbv7em-none-eabihf";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    shell::run(build(&mut shell::cargo(), &[]))?;
    refuses("alloc", "no global memory allocator")?;
    refuses("std", "panic_impl")?;
    toolchain::add_target(CORTEX_M4F)?;
    shell::run(build(&mut shell::cargo(), &["--target", CORTEX_M4F]))?;
    println!("isotp-core builds without std, without alloc, and for {CORTEX_M4F}");
    Ok(())
}

/// A proof that cannot fail proves nothing: with `feature` the program must not build.
fn refuses(feature: &str, reason: &str) -> Outcome {
    let (built, text) = shell::capture(build(&mut shell::cargo(), &["--features", feature]))?;
    if built || !text.contains(reason) {
        return Err(format!(
            "expected the proof to fail with '{reason}' under feature {feature}, got:\n{text}"
        ));
    }
    println!("with {feature} it does not build, as it must be");
    Ok(())
}

fn build<'a>(cargo: &'a mut Command, more: &[&str]) -> &'a mut Command {
    cargo.args(["build", "--release", "--locked"]);
    cargo.args(["--manifest-path", "proofs/no-std/Cargo.toml"]);
    cargo.args(["--target-dir", "target/no-std"]).args(more)
}
