//! The page, row by row.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Page(String);

impl Page {
    pub(crate) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("what-happens-when.md");
        Self(fs::read_to_string(path).unwrap())
    }

    /// The rows of all tables whose first column has this heading.
    pub(crate) fn rows(&self, heading: &str) -> Vec<Vec<String>> {
        let (mut rows, mut inside) = (Vec::new(), false);
        for line in self.0.lines() {
            let Some(line) = line.strip_prefix('|') else {
                inside = false;
                continue;
            };
            let cells = line.trim_end_matches('|').split('|');
            let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
            if cells[0] == heading {
                inside = true;
            } else if inside && !cells[0].starts_with("---") {
                rows.push(cells);
            }
        }
        assert!(!rows.is_empty(), "there is no table of {heading}");
        rows
    }
}

/// What is in a cell, without the marks of code.
pub(crate) fn code(cell: &str) -> &str {
    let inner = cell
        .strip_prefix("``")
        .and_then(|cell| cell.strip_suffix("``"));
    let inner = inner.or_else(|| cell.strip_prefix('`')?.strip_suffix('`'));
    inner.unwrap_or_else(|| panic!("expected code, found {cell:?}"))
}

/// The Rust files below a folder.
pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
