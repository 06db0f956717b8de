//! What many connections on one network cost, as the program beside this one tells.

use core::time::Duration;
use std::process::{Command, Stdio};

use crate::Result;
use crate::adapters::said;

/// What many connections cost.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) connections: u32,
    /// Bytes in each message.
    pub(crate) message: u32,
    /// To connect them all, one after the other.
    pub(crate) connecting: Duration,
    /// All pairs at once, each with one message at a time.
    pub(crate) messages_a_second: f64,
    /// Bytes on the heap for each, after messages were exchanged and taken.
    pub(crate) bytes_each: f64,
    /// To close the network, while each pair has a message to be sent.
    pub(crate) closing: Duration,
}

/// Runs it, and reads what it prints.
pub(crate) fn measure() -> Result<Crowd> {
    let program = std::env::current_exe().map_err(said)?;
    let program = program.with_file_name(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(&program).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| {
        let path = program.display();
        format!("{path}: {error}; cargo build --release --package isotp-bench makes it")
    })?;
    let line = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [
        connections,
        message,
        connecting,
        messages_a_second,
        bytes_each,
        closing,
    ] = numbers[..]
    else {
        return Err(format!("{PROGRAM} printed '{}'", line.trim()));
    };
    Ok(Crowd {
        connections: connections as u32,
        message: message as u32,
        connecting: Duration::from_secs_f64(connecting),
        messages_a_second,
        bytes_each,
        closing: Duration::from_secs_f64(closing),
    })
}

const PROGRAM: &str = "isotp-bench-crowd";
