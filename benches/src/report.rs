//! The tables, and the limits that they must hold.

use crate::Result;
use crate::adapters::Adapter;
use crate::bus::Use;
use crate::crowd::Crowd;
use crate::echoes::{Echoes, Micros};
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

    /// Round trips under each runtime, and under aioisotp.
    pub(crate) fn echoes(&self, sizes: &[Echoes]) {
        let head = [
            "round trip",
            "bytes",
            "median, us",
            "least, us",
            "of aioisotp's median",
        ];
        let mut cells = Vec::new();
        for echoes in sizes {
            let mut row = |title: &str, micros: Micros| {
                let part = echoes.aioisotp.map(|theirs| theirs.median / micros.median);
                cells.push(vec![
                    title.to_owned(),
                    echoes.size.to_string(),
                    format!("{:.2}", micros.median),
                    format!("{:.2}", micros.min),
                    part.map_or_else(
                        || "not measured".to_owned(),
                        |times| format!("1/{times:.0}"),
                    ),
                ]);
            };
            for (adapter, micros) in &echoes.ours {
                row(adapter.title(), *micros);
            }
            if let Some(micros) = echoes.hand_overs {
                row("hand-overs of bare threads", micros);
            }
            if let Some(micros) = echoes.aioisotp {
                row("aioisotp", micros);
            }
        }
        self.table(&head, &cells);
        for echoes in sizes {
            self.aims(echoes);
        }
        println!();
    }

    /// What the round trips of one size took, beside what they are to take.
    fn aims(&self, echoes: &Echoes) {
        for (adapter, ours) in &echoes.ours {
            let (aim, what) = match (adapter, echoes.hand_overs) {
                (Adapter::Blocking, Some(bare)) => {
                    (2.0 * bare.median, "twice the hand-overs of bare threads")
                }
                (_, Some(_)) => (AIOISOTP_12 / 100.0, "a hundredth of 475 us"),
                (_, None) => (AIOISOTP_4095 / 100.0, "a hundredth of 45.6 ms"),
            };
            let title = format!(
                "us for {} bytes under {}, {what}",
                echoes.size,
                adapter.title()
            );
            self.aim(&title, ours.median, aim);
        }
    }

    /// Many connections on one network.
    pub(crate) fn crowd(&mut self, crowd: &Crowd) {
        let Crowd {
            connections,
            message,
            connecting,
            messages_a_second,
            bytes_each,
            closing,
        } = crowd;
        println!(
            "{}{connections} connections on one network, under tokio on one thread: connected in {:.0} ms, {:.0} \
             messages of {message} bytes a second in turn, closed with a message on each pair in {:.0} ms",
            self.bullet(),
            connecting.as_secs_f64() * 1e3,
            messages_a_second,
            closing.as_secs_f64() * 1e3,
        );
        let title = "bytes of memory for each idle connection";
        self.limit(title, *bytes_each, "at most", MAX_IDLE);
        println!();
    }

    /// The verdict.
    pub(crate) fn finish(self) -> Result<()> {
        if self.broken.is_empty() {
            Ok(())
        } else {
            Err(self.broken.join("; "))
        }
    }

    /// Prints a figure that tells of time beside what it is to be. It breaks nothing: how long threads and
    /// tasks wait for a processor is not ours.
    fn aim(&self, title: &str, value: f64, aim: f64) {
        let held = if value <= aim { "held" } else { "missed" };
        println!(
            "{}{title}: {value:.2} (aim: at most {aim:.2}, {held})",
            self.bullet()
        );
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

/// Microseconds that aioisotp needed once for a round trip of 12 and of 4095 bytes on such a machine, when
/// the aims were set.
const AIOISOTP_12: f64 = 475.0;
const AIOISOTP_4095: f64 = 45_600.0;

/// Bytes that a connection may take beside its receive buffer, which is there only while something is
/// received.
const MAX_IDLE: f64 = 1024.0;
