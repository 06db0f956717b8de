//! The examples for firmware on the emulated machine: what must arrive, and what memory it takes.

use super::{build, emulate};
use crate::{Outcome, shell};

/// Runs each example and looks for what it must say.
pub(super) fn run() -> Outcome {
    for (program, wanted) in PROGRAMS {
        let text = emulate(&build(program, "")?, "mps2-an386", "cortex-m4", &[])?;
        print!("{text}");
        for line in *wanted {
            if !text.lines().any(|said| said.contains(line)) {
                return Err(format!("{program}: expected a line with '{line}'"));
            }
        }
        for (name, row) in MEMORY {
            if let Some(value) = text.lines().find_map(|line| line.strip_prefix(name)) {
                readme_says(&format!("| {row} | {} |", value.trim()))?;
            }
        }
    }
    Ok(())
}

/// The sum of the page holds only as long as its numbers are those of the machine.
fn readme_says(row: &str) -> Outcome {
    let path = shell::root().join(README);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{README}: {error}"))?;
    if text.lines().any(|line| line == row) {
        Ok(())
    } else {
        Err(format!("{README}: expected the row '{row}' in its table of memory"))
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

const README: &str = "README.md";
