//! Every test that the tables of faults and of themes in `docs/testing.md` name does exist.

use std::path::Path;

#[test]
fn every_test_in_the_tables_of_faults_and_themes_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/testing.md")).unwrap();
    let mut code = String::new();
    read(root, &mut code);
    for (head, least) in [("| fault | test |", 20), ("| theme | test |", 30)] {
        let (_, table) = page.split_once(head).unwrap();
        let rows = table.trim_start().lines();
        let rows: Vec<&str> = rows
            .take_while(|line| line.starts_with('|'))
            .skip(1)
            .collect();
        assert!(rows.len() >= least, "only {} rows below {head}", rows.len());
        for row in rows {
            let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "no test: {row}");
            for name in names {
                assert!(
                    code.contains(&format!("fn {name}(")),
                    "there is no {name}: {row}"
                );
            }
        }
    }
}

/// All code of the workspace, without what is built.
fn read(folder: &Path, code: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" {
            read(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
