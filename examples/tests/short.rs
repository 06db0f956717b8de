//! Every file of an example fits a page or two. The programs in folders of their own, which are for
//! firmware, are not meant.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines in a file at most.
const LIMIT: usize = 99;

/// It compares two ways over one CAN interface, and there is none on most machines.
const NEEDS_CAN: &str = "kernel_vs_raw";

/// The sources of this package.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_example_is_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(root, &mut found);
    for name in ["uds_client.rs", "uds/ecu.rs", "transfer/main.rs"] {
        assert!(found.contains(&root.join(name)), "{name} was not found");
    }
    for path in found {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LIMIT, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_example_is_run_by_the_checks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let list = manifest.split("[[example]]\nname = \"").skip(1);
    let names: Vec<&str> = list.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(names.len() > 10, "the list of examples was not found");
    let checks = fs::read_to_string(root.join("../.ci/run")).unwrap();
    let words: Vec<&str> = checks
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .collect();
    for name in names {
        // a lane names it, or has it in braces behind `echo_`
        let short = name.strip_prefix("echo_").unwrap_or(name);
        let named = words.contains(&name) || words.contains(&short);
        assert!(named || name == NEEDS_CAN, "no lane runs {name}");
    }
}
