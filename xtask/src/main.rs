//! Developer commands: `cargo xtask COMMAND`.
#![forbid(unsafe_code)]

mod bench;
mod cross;
mod embedded;
mod features;
mod fuzz;
mod msrv;
mod mutants;
mod nopanic;
mod nostd;
mod package;
mod shell;
mod sim;
mod toolchain;
mod vm;
mod workspace;

use std::process::ExitCode;

/// What went wrong, as one line for the person at the terminal.
type Outcome = Result<(), String>;

struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "bench",
        about: "measure the protocol [--quick] [--echoes] [--markdown | --write]; fails where a limit is broken",
        run: bench::run,
    },
    Command {
        name: "cross",
        about: "check for Windows and macOS [--debian: with Debian's compiler and -Zbuild-std]",
        run: cross::run,
    },
    Command {
        name: "embedded",
        about: "run the examples for firmware on emulated machines, measure isotp-core there [--write]",
        run: embedded::run,
    },
    Command {
        name: "features",
        about: "lint every combination of features of every published crate, test the outer ones",
        run: features::run,
    },
    Command {
        name: "fuzz",
        about: "fuzz every target, or those named, for a minute each [SECONDS] [TARGET..] [--write]",
        run: fuzz::run,
    },
    Command {
        name: "msrv",
        about: "check every published crate with the oldest compiler that it promises",
        run: msrv::run,
    },
    Command {
        name: "mutants",
        about: "break the core on purpose, in one place at a time: does a test fail?",
        run: mutants::run,
    },
    Command {
        name: "nopanic",
        about: "prove by linking that nothing of isotp-core can panic in a release build",
        run: nopanic::run,
    },
    Command {
        name: "nostd",
        about: "prove that isotp-core needs neither std nor alloc nor an operating system",
        run: nostd::run,
    },
    Command {
        name: "package",
        about: "package every published crate and build it from its package",
        run: package::run,
    },
    Command {
        name: "sim",
        about: "simulate so many seeded worlds, or one again [WORLDS] [--seed SEED]",
        run: sim::run,
    },
    Command {
        name: "vm",
        about: "test against a real Linux kernel [FILTER..] [--all] [--list] [--count] [--program PATH] [-- ARGS]",
        run: vm::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("help", String::as_str);
    if matches!(name, "help" | "--help" | "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        help();
        eprintln!("\nxtask: expected one of the commands above, got '{name}'");
        return ExitCode::from(2);
    };
    match (command.run)(arguments.get(1..).unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    println!("cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:<10} {}", command.name, command.about);
    }
}

/// Accepts only the options in `known`.
fn only(arguments: &[String], known: &[&str]) -> Outcome {
    arguments
        .iter()
        .find(|argument| !known.contains(&argument.as_str()))
        .map_or(Ok(()), |argument| {
            let expected = if known.is_empty() {
                "no argument".to_owned()
            } else {
                known.join(" or ")
            };
            Err(format!("expected {expected}, got '{argument}'"))
        })
}
