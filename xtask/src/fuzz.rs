//! `cargo xtask fuzz [SECONDS] [TARGET..] [--write]`: every fuzz target for so long, one after the other.

mod times;

use std::process::Command;

use crate::{Outcome, shell};

use times::{Figures, Times};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let write = arguments.iter().any(|argument| argument == "--write");
    let words = arguments.iter().filter(|argument| *argument != "--write");
    let (mut seconds, mut chosen) = (60u64, Vec::new());
    for word in words {
        match word.parse() {
            Ok(number) => seconds = number,
            Err(_) if TARGETS.contains(&word.as_str()) => chosen.push(word.as_str()),
            Err(_) => {
                let targets = TARGETS.join(", ");
                return Err(format!(
                    "expected seconds, --write or a target ({targets}), got '{word}'"
                ));
            }
        }
    }
    if chosen.is_empty() {
        chosen = TARGETS.to_vec();
    }
    tools()?;
    locked()?;
    shell::run(&mut fuzz("build"))?;
    let mut failed = Vec::new();
    let mut times = Times::read()?;
    for target in chosen {
        match one(target, seconds) {
            Ok(figures) => {
                println!("{target}: {figures}");
                times.add(target, figures);
            }
            Err(error) => {
                eprintln!("{error}");
                failed.push(target);
            }
        }
        if write {
            times.write()?;
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} failed; keep what is in fuzz/artifacts under fuzz/regressions",
        failed.join(", ")
    ))
}

/// What else must be here.
fn tools() -> Outcome {
    let (nightly, _) = shell::capture(shell::program("cargo").args(["+nightly", "--version"]))?;
    if !nightly {
        return Err(
            "fuzzing needs a nightly compiler: rustup toolchain install nightly".to_owned(),
        );
    }
    let (there, _) = shell::capture(shell::program("cargo").args(["fuzz", "--version"]))?;
    if there {
        return Ok(());
    }
    shell::run(shell::program("cargo").args(["install", "cargo-fuzz", "--locked"]))
}

/// The workspace of the targets has a lock of its own, which a build would change without a word.
fn locked() -> Outcome {
    let mut cargo = shell::cargo();
    cargo.args(["metadata", "--locked", "--format-version", "1"]);
    let (ok, text) = shell::capture(cargo.args(["--manifest-path", "fuzz/Cargo.toml"]))?;
    if ok {
        return Ok(());
    }
    Err(format!(
        "{text}\nfuzz/Cargo.lock is behind: cargo update --workspace --manifest-path fuzz/Cargo.toml"
    ))
}

/// `cargo fuzz` with the compiler that it needs.
fn fuzz(word: &str) -> Command {
    let mut command = shell::program("cargo");
    command.args(["+nightly", "fuzz", word, "--release"]);
    command
}

/// Runs one target from its committed corpus; what it finds on the way is kept below `target`.
fn one(target: &str, seconds: u64) -> Result<Figures, String> {
    let grown = format!("fuzz/target/corpus/{target}");
    let path = shell::root().join(&grown);
    std::fs::create_dir_all(&path).map_err(|error| format!("{grown}: {error}"))?;
    let mut command = fuzz("run");
    command.args([target, &grown, &format!("fuzz/corpus/{target}")]);
    command.args(["--", "-timeout=20", "-max_len=1024", "-len_control=0"]);
    command.arg("-print_final_stats=1");
    command.arg(format!("-max_total_time={seconds}"));
    let (ok, text) = shell::capture(&mut command)?;
    if !ok {
        let tail: Vec<&str> = text.lines().rev().take(40).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        return Err(format!("{}\n{target} failed", tail.join("\n")));
    }
    Figures::of(seconds, &text).ok_or_else(|| format!("{target} told no figures:\n{text}"))
}

const TARGETS: &[&str] = &[
    "pdu",
    "receiver",
    "sender",
    "link",
    "pair",
    "router",
    "observer",
    "isotpserver",
];
