//! The examples for firmware on the emulated machine: what must arrive, and what memory it takes.

use super::{MPS2, Machine, build, build_for, emulate};
use crate::{Outcome, shell, toolchain};

/// Runs each example and looks for what it must say.
pub(super) fn run() -> Outcome {
    for (program, wanted) in PROGRAMS {
        let text = emulate(&build(program, "")?, MPS2, &[])?;
        expect(program, &text, wanted)?;
        for (name, row) in MEMORY {
            if let Some(value) = text.lines().find_map(|line| line.strip_prefix(name)) {
                readme_says(&format!("| {row} | {} |", value.trim()))?;
            }
        }
    }
    rtic()
}

/// The example with RTIC, which has a chip of its own.
fn rtic() -> Outcome {
    const FOLDER: &str = "target/rtic";
    toolchain::add_target(CORTEX_M3)?;
    let manifest = "examples/rtic/Cargo.toml";
    shell::run(&mut build_for(CORTEX_M3, manifest, FOLDER))?;
    let program = format!("{FOLDER}/{CORTEX_M3}/release/isotp-rtic");
    // its timers count the instructions, and sleep takes no time
    let text = emulate(&program, STELLARIS, &["-icount", "shift=6,sleep=off"])?;
    expect("rtic", &text, &["rtic: all messages came back"])
}

fn expect(program: &str, text: &str, wanted: &[&str]) -> Outcome {
    print!("{text}");
    let missing = wanted
        .iter()
        .find(|part| !text.lines().any(|said| said.contains(**part)));
    missing.map_or(Ok(()), |part| {
        Err(format!("{program}: expected a line with '{part}'"))
    })
}

/// The sum of the page holds only as long as its numbers are those of the machine.
fn readme_says(row: &str) -> Outcome {
    let path = shell::root().join(README);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{README}: {error}"))?;
    if text.lines().any(|line| line == row) {
        Ok(())
    } else {
        Err(format!(
            "{README}: expected the row '{row}' in its table of memory"
        ))
    }
}

/// The programs, and parts of the lines that they must print.
const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "superloop",
        &[
            "7E8 received \"to all\"",
            "7E8 received \"more than one frame of data\"",
            "7E0 received \"and as many in return\"",
        ],
    ),
    (
        "bootloader",
        &["262144 bytes through ", "stuck: N_WFT_OVRN after "],
    ),
];

/// What a program prints, and the row of the table.
const MEMORY: [(&str, &str); 3] = [
    ("ram-link ", "the link, with its spare memory for CAN CC"),
    ("ram-frame ", "a `Frame`, one for all links"),
    ("flash-config ", "the `Config`, one for all links, in flash"),
];

const CORTEX_M3: &str = "thumbv7m-none-eabi";
const STELLARIS: Machine = ("lm3s6965evb", "cortex-m3");
const README: &str = "README.md";
