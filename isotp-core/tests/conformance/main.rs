//! Runs the conformance vectors: every `*.txt` beside this file, and the file that the environment
//! variable `ISOTP_VECTORS` names. The language is described in `docs/conformance.md`.
//!
//! `cargo test -p isotp-core --test conformance`
#![allow(
    clippy::indexing_slicing,
    reason = "tests check by panicking, and slice at will"
)]

mod runner;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use runner::report::Report;

#[test]
fn every_vector_passes() {
    let mut report = Report::default();
    for path in sources() {
        report.run_file(&path);
    }
    // written past the capture of the test harness: the count is worth a line in any case
    let _ = writeln!(std::io::stdout(), "{report}");
    assert!(report.passed() > 0, "no vector was found");
    assert!(report.all_passed(), "conformance: {}", report.summary());
}

/// The folder's files in order of their names, then the file that the environment names.
fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths.extend(std::env::var_os("ISOTP_VECTORS").map(|name| from_here_or_root(name.into())));
    paths
}

/// Cargo runs tests in the folder of the package; a relative name may be meant from the workspace.
fn from_here_or_root(path: PathBuf) -> PathBuf {
    let from_root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&path);
    if !path.exists() && from_root.exists() {
        from_root
    } else {
        path
    }
}
