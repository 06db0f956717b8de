//! The kept table of the embedded lane.

use crate::{Outcome, shell};

/// By name.
pub(super) type Figures = Vec<(String, f64)>;

/// Compares the figures with those that are kept, or puts them in their place.
pub(super) fn settle(figures: &Figures, compiler: &str, write: bool) -> Outcome {
    let path = shell::root().join(DOCUMENT);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let (before, rest) = text.split_once(BEGIN).ok_or_else(unmarked)?;
    let (kept, after) = rest.split_once(END).ok_or_else(unmarked)?;
    let rows = rows(figures)?;
    if write {
        let table = render(&rows, compiler);
        let text = format!("{before}{BEGIN}\n{table}\n{END}{after}");
        std::fs::write(&path, text).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        println!("{table}\nwritten to {DOCUMENT}");
        return Ok(());
    }
    let same = kept.contains(&format!("{compiler}."));
    let mut changed = Vec::new();
    for (title, value) in &rows {
        let old = kept_value(kept, title)
            .ok_or_else(|| format!("{DOCUMENT} has no row '{title}'; run with --write"))?;
        let percent = (value - old) / old * 100.0;
        println!("{title:<62} {value:>8} {percent:>+7.1} %");
        if percent.abs() > TOLERANCE {
            changed.push(format!("{title}: kept {old}, got {value}"));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let changed = changed.join("\n");
    if !same {
        println!("{compiler} is not the compiler of the table, so this is no fault:\n{changed}");
        return Ok(());
    }
    Err(format!(
        "more than {TOLERANCE} % away from {DOCUMENT}; make up for it, or run with --write:\n{changed}"
    ))
}

fn rows(figures: &Figures) -> Result<Vec<(&'static str, f64)>, String> {
    let value = |name: &str| figures.iter().find(|(known, _)| known == name);
    let row = |(name, title)| {
        let found = value(name).ok_or_else(|| format!("the program did not print {name}"));
        found.map(|(_, value)| (title, *value))
    };
    ROWS.into_iter().map(row).collect()
}

fn render(rows: &[(&str, f64)], compiler: &str) -> String {
    let mut text = format!("\nMade by {compiler}.\n\n| figure | value |\n| --- | ---: |\n");
    for (title, value) in rows {
        text.push_str(&format!("| {title} | {value} |\n"));
    }
    text
}

fn kept_value(kept: &str, title: &str) -> Option<f64> {
    let row = kept
        .lines()
        .find_map(|line| line.strip_prefix(&format!("| {title} | ")))?;
    row.trim_end_matches([' ', '|']).parse().ok()
}

fn unmarked() -> String {
    format!("{DOCUMENT}: expected the lines {BEGIN} and {END}")
}

const ROWS: [(&str, &str); 15] = [
    ("both-7", "instructions a frame, both ends, 7 bytes"),
    ("sender-7", "instructions a frame, sender, 7 bytes"),
    ("receiver-7", "instructions a frame, receiver, 7 bytes"),
    ("both-62", "instructions a frame, both ends, 62 bytes"),
    ("sender-62", "instructions a frame, sender, 62 bytes"),
    ("receiver-62", "instructions a frame, receiver, 62 bytes"),
    ("both-4095", "instructions a frame, both ends, 4095 bytes"),
    ("sender-4095", "instructions a frame, sender, 4095 bytes"),
    (
        "receiver-4095",
        "instructions a frame, receiver, 4095 bytes",
    ),
    (
        "flash-minimal",
        "bytes of flash, a link that sends and receives, CAN CC",
    ),
    ("flash-full", "bytes of flash, everything of a link, CAN FD"),
    ("link-bytes", "bytes of memory, a link"),
    ("stack-7", "bytes of stack, both ends, 7 bytes"),
    ("stack-62", "bytes of stack, both ends, 62 bytes"),
    ("stack-4095", "bytes of stack, both ends, 4095 bytes"),
];

/// Percent.
const TOLERANCE: f64 = 2.0;
const DOCUMENT: &str = "docs/performance.md";
const BEGIN: &str = "<!-- begin: cargo xtask embedded --write -->";
const END: &str = "<!-- end -->";
