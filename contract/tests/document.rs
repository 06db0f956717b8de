//! docs/contract.md names tests that exist and all cases of the suite, and its tables say what is.

use std::fs;
use std::path::{Path, PathBuf};

use isotp_contract::{BRIDGE_CASES, CASES, Way, left_out};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The source of every file below a folder.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    all
}

fn document() -> String {
    fs::read_to_string(root().join("docs/contract.md")).unwrap()
}

/// The cells of the rows of a table, after its head.
fn table<'a>(document: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let lines = document.lines().skip_while(|line| !line.contains(head));
    let rows = lines
        .skip(2)
        .take_while(|line| line.trim_start().contains('|'));
    let rows = rows.map(|line| line.split('|').skip(1).map(str::trim).collect());
    let rows: Vec<Vec<&str>> = rows.collect();
    assert!(!rows.is_empty(), "no table {head}");
    rows
}

fn ways() -> [(&'static str, Way); 4] {
    [
        ("`virtual:`", Way::Virtual),
        ("`raw:`", Way::Raw(String::new())),
        ("`kernel:`", Way::Kernel(String::new())),
        ("`isotpserver:`", Way::Isotpserver),
    ]
}

#[test]
fn each_rule_names_tests_that_exist_and_each_case_has_its_rule() {
    let document = document();
    let tests = sources(&root().join("contract/src"))
        + &sources(&root().join("isotp-tokio/tests"))
        + &sources(&root().join("isotp-blocking/tests"));
    let mut rules = 0;
    let rows = document.split("\n| what | tests |\n").skip(1);
    for row in rows.flat_map(|table| {
        table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'))
    }) {
        let cell = row.split('|').nth(2).unwrap();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test in {row}");
        rules += 1;
        for name in names {
            let test = format!("fn {name}(");
            assert!(tests.contains(&test), "there is no test {name}");
        }
    }
    assert!(rules > 40, "{rules} rules were found");
    for case in CASES.iter().chain(BRIDGE_CASES) {
        let name = format!("`{}`", case.name);
        assert!(
            document.contains(&name),
            "docs/contract.md says nothing of {name}"
        );
    }
}

/// Here, and in the documentation of the type.
#[test]
fn the_tables_of_guarantees_are_what_the_tests_hold() {
    let flags = |way: &Way| {
        let told = way.guarantees();
        [
            told.confirmation,
            told.back_pressure,
            told.abort,
            told.timing,
            told.functional,
            told.first_frame,
            told.address,
        ]
    };
    let says = |cell: &str| match cell.split(':').next() {
        Some("yes") => true,
        Some("no") => false,
        _ => panic!("neither yes nor no: {cell}"),
    };
    let (document, columns) = (document(), [1, 1, 2, 3]);
    for ((_, way), column) in ways().iter().zip(columns) {
        let rows = table(&document, "| guarantee | `virtual:`, `raw:` |");
        let told: Vec<bool> = rows.iter().map(|row| says(row[column])).collect();
        assert_eq!(told, flags(way), "{way:?}");
    }
    let source = fs::read_to_string(root().join("isotp-driver/src/guarantees.rs")).unwrap();
    let rows = table(&source, "/// | way | confirmation | back_pressure |");
    for (row, (_, way)) in rows.iter().zip([&ways()[0], &ways()[2], &ways()[3]]) {
        let told: Vec<bool> = row[1..8].iter().map(|cell| says(cell)).collect();
        assert_eq!(told, flags(way), "{row:?}");
    }
}

#[test]
fn so_many_cases_are_left_out() {
    let document = document();
    let rows = table(&document, "| way | cases | left out |");
    for (row, (name, way)) in rows.iter().zip(ways()) {
        let out: usize = left_out(&way).iter().map(|(_, names)| names.len()).sum();
        let counted = [name.to_owned(), CASES.len().to_string(), out.to_string()];
        assert_eq!(row[..3], counted);
    }
}
