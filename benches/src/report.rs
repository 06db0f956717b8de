//! The tables, and the limits that they must hold.

use crate::Result;
use crate::bus::Use;
use crate::timing::Spread;
use crate::workload::Workload;

/// Prints tables as they are measured, and remembers broken limits.
pub(crate) struct Report {
    markdown: bool,
    broken: Vec<String>,
}

impl Report {
    pub(crate) const fn new(markdown: bool) -> Self {
        Self {
            markdown,
            broken: Vec::new(),
        }
    }

    /// Time and instructions per frame.
    pub(crate) fn frames(&self, rows: &[(Workload, Spread, f64)]) {
        let head = [
            "workload",
            "ns a frame",
            "min to max",
            "GB/s",
            "instructions a frame",
        ];
        let rows: Vec<_> = rows
            .iter()
            .map(|(workload, spread, instructions)| {
                vec![
                    workload.title(),
                    format!("{:.2}", spread.median),
                    format!("{:.2} to {:.2}", spread.min, spread.max),
                    format!("{:.3}", spread.gigabytes),
                    format!("{instructions:.1}"),
                ]
            })
            .collect();
        self.table(&head, &rows);
    }

    /// How much more a frame costs with many links than with one.
    pub(crate) fn scale(&mut self, rows: &[(Workload, Spread, f64)]) {
        let cost = |wanted: Workload| {
            let row = rows.iter().find(|(workload, ..)| *workload == wanted);
            row.map(|(.., instructions)| *instructions)
        };
        for size in [62, 4095] {
            let one = cost(Workload::Routers { links: 1, size });
            let many = cost(Workload::Routers {
                links: 10_000,
                size,
            });
            if let Some((one, many)) = one.zip(many) {
                let title = format!("instructions at 10 000 links over those at 1, {size} bytes");
                self.limit(&title, many / one, "at most", MAX_SCALE);
            }
        }
        println!();
    }

    /// How much of the bus one transfer uses.
    pub(crate) fn bus(&mut self, rows: &[Use]) {
        for row in rows {
            println!(
                "{}bus use of 1 MiB over {}: {:.0} bytes a second of {:.0} in back-to-back frames",
                self.bullet(),
                row.wire.title(),
                row.rate,
                row.best
            );
            let title = format!("bus use in percent, {}", row.wire.title());
            self.limit(&title, 100.0 * row.rate / row.best, "at least", MIN_BUS_USE);
        }
        println!();
    }

    /// Bytes of each type.
    pub(crate) fn sizes(&self, rows: &[(&str, usize)]) {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, size)| vec![(*name).to_owned(), size.to_string()])
            .collect();
        self.table(&["type", "bytes"], &rows);
    }

    /// The verdict.
    pub(crate) fn finish(self) -> Result<()> {
        if self.broken.is_empty() {
            Ok(())
        } else {
            Err(self.broken.join("; "))
        }
    }

    /// Prints a figure that has a limit.
    fn limit(&mut self, title: &str, value: f64, relation: &str, limit: f64) {
        let holds = match relation {
            "at most" => value <= limit,
            _ => value >= limit,
        };
        let line = format!("{title}: {value:.3} ({relation} {limit})");
        println!("{}{line}", self.bullet());
        if !holds {
            self.broken.push(format!("broken limit: {line}"));
        }
    }

    const fn bullet(&self) -> &'static str {
        if self.markdown { "- " } else { "  " }
    }

    fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max();
            let head = head.get(column).map_or(0, |cell| cell.chars().count());
            widest.unwrap_or(0).max(head)
        };
        let bar = if self.markdown { "|" } else { " " };
        let print = |cells: &[String]| {
            let mut line = bar.to_owned();
            for (column, cell) in cells.iter().enumerate() {
                let pad = " ".repeat(width(column) - cell.chars().count());
                line += &if column == 0 {
                    format!(" {cell}{pad} {bar}")
                } else {
                    format!(" {pad}{cell} {bar}")
                };
            }
            println!("{}", line.trim_end());
        };
        print(
            &head
                .iter()
                .map(|cell| (*cell).to_owned())
                .collect::<Vec<_>>(),
        );
        let rule = |column| match (self.markdown, column) {
            (true, 1..) => "-".repeat(width(column) - 1) + ":",
            _ => "-".repeat(width(column)),
        };
        print(&(0..head.len()).map(rule).collect::<Vec<_>>());
        rows.iter().for_each(|row| print(row));
        println!();
    }
}

/// What 10 000 links may cost, where one costs 1.
const MAX_SCALE: f64 = 1.5;

/// What one transfer must make of a bus, in percent of what the same frames could carry.
const MIN_BUS_USE: f64 = 99.0;
