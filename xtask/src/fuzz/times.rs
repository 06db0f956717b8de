//! The table of what each fuzz target has run, summed over all runs.

use core::fmt;

use crate::{Outcome, shell};

/// Of one target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    seconds: u64,
    executions: u64,
    /// Edges of the program that inputs reached; the greatest of all runs.
    edges: u64,
}

impl Figures {
    /// From what libFuzzer writes.
    pub(crate) fn of(seconds: u64, text: &str) -> Option<Self> {
        let executions = text.split("stat::number_of_executed_units:").nth(1)?;
        let edges = text.rsplit(" cov: ").next()?;
        let first = |text: &str| text.split_whitespace().next()?.parse().ok();
        Some(Self {
            seconds,
            executions: first(executions)?,
            edges: first(edges)?,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seconds,
            executions,
            edges,
        } = self;
        write!(f, "{seconds} s, {executions} executions, {edges} edges")
    }
}

/// The document with the table.
#[derive(Debug)]
pub(crate) struct Times {
    before: String,
    rows: Vec<(String, Figures)>,
    after: String,
}

impl Times {
    pub(crate) fn read() -> Result<Self, String> {
        let path = shell::root().join(DOCUMENT);
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
            let (table, after) = rest.split_once(END)?;
            Some((before, table, after))
        });
        let (before, table, after) =
            parts.ok_or_else(|| format!("{DOCUMENT}: expected the lines {BEGIN} and {END}"))?;
        Ok(Self {
            before: before.to_owned(),
            rows: table.lines().filter_map(row).collect(),
            after: after.to_owned(),
        })
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, target: &str, run: Figures) {
        let index = self.rows.iter().position(|(name, _)| name == target);
        let index = index.unwrap_or_else(|| {
            self.rows.push((target.to_owned(), Figures::default()));
            self.rows.len() - 1
        });
        if let Some((_, sum)) = self.rows.get_mut(index) {
            sum.seconds += run.seconds;
            sum.executions += run.executions;
            sum.edges = sum.edges.max(run.edges);
        }
    }

    pub(crate) fn write(&self) -> Outcome {
        let rows = self.rows.iter().map(|(name, sum)| {
            let (seconds, executions, edges) = (sum.seconds, sum.executions, sum.edges);
            format!("| `{name}` | {seconds} | {executions} | {edges} |\n")
        });
        let rows: String = rows.collect();
        let head = "| target | seconds | executions | edges |\n|---|---|---|---|\n";
        let (before, after) = (&self.before, &self.after);
        let text = format!("{before}{BEGIN}\n{head}{rows}{END}{after}");
        std::fs::write(shell::root().join(DOCUMENT), text)
            .map_err(|error| format!("{DOCUMENT}: {error}"))
    }
}

fn row(line: &str) -> Option<(String, Figures)> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, name, seconds, executions, edges, _] = cells.as_slice() else {
        return None;
    };
    let figures = Figures {
        seconds: seconds.parse().ok()?,
        executions: executions.parse().ok()?,
        edges: edges.parse().ok()?,
    };
    Some((name.trim_matches('`').to_owned(), figures))
}

const DOCUMENT: &str = "docs/testing.md";
const BEGIN: &str = "<!-- begin: cargo xtask fuzz --write -->";
const END: &str = "<!-- end -->";
