//! Every rule in `docs/conformance.md` is held by a test or vector that names it, or is listed there
//! as a deviation; and what the page says holds a rule does exist and names it.
//!
//! In a packaged crate the page is not there, and there is nothing to check.
#![allow(
    clippy::indexing_slicing,
    reason = "tests check by panicking, and slice at will"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rule families and how many rules each has: a row cannot get lost unseen.
const FAMILIES: [(&str, u32); 13] = [
    ("PCI", 24),
    ("TXF", 9),
    ("ADR", 9),
    ("SVC", 10),
    ("TIM", 11),
    ("FC", 11),
    ("UNX", 6),
    ("RXE", 6),
    ("FD", 4),
    ("XL", 1),
    ("ED", 2),
    ("OBD", 3),
    ("D", 26),
];

/// What a test or vector is called, and the rules that it names.
type Named = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_rule_is_held_or_listed_as_a_deviation() {
    let Some(page) = page() else { return };
    let rows = rows(&page);
    let named = named();
    let complaints = complaints(&rows, &named);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The check itself must fail what it is there for.
#[test]
fn the_check_sees_a_missing_rule_a_missing_test_and_a_wrong_name() {
    let Some(page) = page() else { return };
    let (rows, named) = (rows(&page), named());
    let with = |row: &str| {
        let mut rows = rows.clone();
        let (id, held) = row.split_once('|').unwrap();
        rows.insert(id.to_owned(), held.to_owned());
        complaints(&rows, &named).join("\n")
    };
    assert!(with("PCI-05|`R-9999`").contains("R-9999"));
    assert!(with("PCI-05|`T-001`").contains("`T-001` does not name it"));
    assert!(with("PCI-05|").contains("PCI-05"));
    assert!(with("PCI-05|deviation").contains("no reason"));
    assert!(with("PCI-99|`T-001`").contains("PCI-99"));
    let mut fewer = rows.clone();
    fewer.remove("PCI-05");
    assert!(complaints(&fewer, &named).join("\n").contains("PCI-05"));
    let mut more = named.clone();
    let ids = BTreeSet::from(["PCI-77".to_owned()]);
    more.insert("some_test".to_owned(), ids);
    assert!(complaints(&rows, &more).join("\n").contains("PCI-77"));
}

/// The page, where this is a checkout of the workspace.
fn page() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    if !root.join("xtask").exists() && !root.join("docs").exists() {
        return None;
    }
    let path = root.join("docs/conformance.md");
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

/// Id and last column of each table row that begins with an id.
fn rows(page: &str) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, .., held, ""] = cells[..] else {
            continue;
        };
        if is_id(id) {
            let before = rows.insert(id.to_owned(), held.to_owned());
            assert!(before.is_none(), "{id} has two rows");
        }
    }
    rows
}

/// What is wrong.
fn complaints(rows: &BTreeMap<String, String>, named: &Named) -> Vec<String> {
    let expected: BTreeSet<String> = FAMILIES
        .iter()
        .flat_map(|(family, count)| (1..=*count).map(move |n| format!("{family}-{n:02}")))
        .collect();
    let mut complaints = Vec::new();
    for id in &expected {
        if !rows.contains_key(id) {
            complaints.push(format!("{id} has no row in docs/conformance.md"));
        }
    }
    for (id, held) in rows {
        if !expected.contains(id) {
            complaints.push(format!("{id} is no rule that this check knows"));
        }
        if let Some(reason) = held.strip_prefix("deviation") {
            if reason.trim_start_matches(':').trim().len() < 20 {
                complaints.push(format!("{id}: a deviation, and no reason"));
            }
            continue;
        }
        let holders: Vec<&str> = held.split('`').skip(1).step_by(2).collect();
        if holders.is_empty() {
            complaints.push(format!("{id}: held by nothing, and no deviation"));
        }
        for holder in holders {
            match named.get(holder) {
                None => complaints.push(format!("{id}: there is no `{holder}`")),
                Some(ids) if !ids.contains(id) => {
                    complaints.push(format!("{id}: `{holder}` does not name it"));
                }
                Some(_) => {}
            }
        }
    }
    for (name, ids) in named {
        for id in ids.difference(&expected) {
            complaints.push(format!("`{name}` names {id}, which is no rule"));
        }
    }
    complaints
}

/// All vectors and test functions of this crate, with the rules that they name.
fn named() -> Named {
    let mut named = Named::new();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for path in files(&tests) {
        let text = std::fs::read_to_string(&path).unwrap();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("txt") => add_vectors(&text, &mut named),
            Some("rs") => add_tests(&text, &mut named),
            _ => {}
        }
    }
    named
}

fn add_vectors(text: &str, named: &mut Named) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((number, rest)) = line.split_once(" [") else {
            continue;
        };
        let rules = rest.split(']').next().unwrap_or_default();
        let ids = rules.split_whitespace().filter(|id| is_id(id));
        let ids = ids.map(str::to_owned).collect();
        let before = named.insert(number.to_owned(), ids);
        assert!(before.is_none(), "{number} is there twice");
    }
}

/// Functions that follow `#[test]`, with the ids in backticks of the comment above it.
fn add_tests(text: &str, named: &mut Named) {
    let mut ids = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            let spans = comment.split('`').skip(1).step_by(2);
            ids.extend(spans.filter(|span| is_id(span)).map(str::to_owned));
        } else if line == "#[test]" {
            is_test = true;
        } else if let Some(signature) = line.strip_prefix("fn ").filter(|_| is_test) {
            let name = signature.split('(').next().unwrap_or_default();
            let entry = named.entry(name.to_owned()).or_default();
            entry.append(&mut ids);
            is_test = false;
        } else if !line.starts_with('#') {
            ids.clear();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// `PCI-07`: capitals, a dash, two digits.
fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(family, number)| {
        FAMILIES.iter().any(|(known, _)| *known == family)
            && number.len() == 2
            && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}
