//! The tests that need a Linux kernel with CAN. `cargo xtask vm` runs them in an emulated machine;
//! where there is a vcan0, `cargo run --package linux-tests` does without, and says what it skipped.

#[cfg(target_os = "linux")]
mod adapter;
#[cfg(target_os = "linux")]
mod bridge;
#[cfg(target_os = "linux")]
mod case;
#[cfg(target_os = "linux")]
mod cases;
#[cfg(target_os = "linux")]
mod contract;
#[cfg(target_os = "linux")]
mod core_link;
#[cfg(target_os = "linux")]
mod deadline;
#[cfg(target_os = "linux")]
mod differential;
#[cfg(target_os = "linux")]
mod dump;
#[cfg(target_os = "linux")]
mod duplex;
#[cfg(target_os = "linux")]
mod endpoint;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod grid;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod interface;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod listeners;
#[cfg(target_os = "linux")]
mod modules;
#[cfg(target_os = "linux")]
mod monitor;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod pacing;
#[cfg(target_os = "linux")]
mod pairwise;
#[cfg(target_os = "linux")]
mod parameters;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod raw_bus;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod runtimes;
#[cfg(target_os = "linux")]
mod scripts;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod tool;
#[cfg(target_os = "linux")]
mod unprivileged;
#[cfg(target_os = "linux")]
mod watched_link;
#[cfg(target_os = "linux")]
mod worker;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match options::Options::parse(std::env::args().skip(1)) {
        Ok(options) => runner::run(&options),
        Err(error) => {
            eprintln!("linux-tests: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("linux-tests: expected Linux");
    ExitCode::from(2)
}
