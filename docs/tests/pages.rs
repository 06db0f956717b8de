//! No page has Rust code that nobody compiles, and each page is found from the front page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The README of the project and of each crate, and the pages of this folder.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    for entry in fs::read_dir(root()).unwrap() {
        found.push(entry.unwrap().path().join("README.md"));
    }
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        found.push(entry.unwrap().path());
    }
    found.retain(|path| {
        path.extension().is_some_and(|extension| extension == "md") && path.exists()
    });
    found
}

/// What the crates include as documentation that is tested.
fn tested() -> Vec<PathBuf> {
    let libraries = fs::read_dir(root()).unwrap().flat_map(|entry| {
        let folder = entry.unwrap().path();
        [folder.join("src/lib.rs"), folder.join("lib.rs")]
    });
    let mut found = Vec::new();
    for library in libraries.filter(|library| library.exists()) {
        let source = fs::read_to_string(&library).unwrap();
        let Some((_, tested)) = source.split_once("#[cfg(doctest)]") else {
            continue;
        };
        for rest in tested.split("include_str!(\"").skip(1) {
            let name = rest.split('"').next().unwrap();
            found.push(library.with_file_name(name).canonicalize().unwrap());
        }
    }
    found
}

#[test]
fn the_rust_code_of_each_page_is_tested() {
    let tested = tested();
    let mut with_code = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let blocks: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("```rust"))
            .collect();
        let all = blocks
            .iter()
            .all(|block| ["```rust", "```rust,no_run"].contains(block));
        assert!(all, "{} has code that is not compiled", page.display());
        let page = page.canonicalize().unwrap();
        let compiled = tested.contains(&page);
        assert!(
            compiled || blocks.is_empty(),
            "nothing tests {}",
            page.display()
        );
        with_code += usize::from(!blocks.is_empty());
    }
    assert!(
        with_code >= 8,
        "only {with_code} pages with code were found"
    );
}

#[test]
fn the_front_page_and_the_documentation_lead_to_each_guide() {
    let front = fs::read_to_string(root().join("README.md")).unwrap();
    for page in ["which-crate", "coming-from-aioisotp", "what-happens-when"] {
        assert!(
            front.contains(&format!("(docs/{page}.md)")),
            "README.md, {page}"
        );
        let text = fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
        for name in ["tokio", "smol", "async-std", "blocking"] {
            // a link to the page, or what git makes of one where there are none
            let copy = root().join(format!("isotp-{name}/pages/{page}.md"));
            let copied = fs::read_to_string(&copy).unwrap();
            let link = format!("../../docs/{page}.md");
            assert!(copied == text || copied == link, "{}", copy.display());
            let guide = root().join(format!("isotp-{name}/src/guide.rs"));
            let guide = fs::read_to_string(guide).unwrap();
            assert!(
                guide.contains(&format!("../pages/{page}.md")),
                "{name}, {page}"
            );
        }
    }
}

/// The Rust blocks of a page.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    let begun = page.split("\n```rust").skip(1);
    begun.filter_map(|block| block.split("\n```").next())
}

/// The crates of this project that some code names.
fn crates(code: &str) -> BTreeSet<&str> {
    let separates = |letter: char| !letter.is_alphanumeric() && letter != '_';
    code.split(separates)
        .filter(|word| word.starts_with("isotp_"))
        .collect()
}

/// Each is compiled with all crates at hand: one that names a single crate needs no other.
#[test]
fn one_crate_is_enough_for_each_block_of_code() {
    let page = fs::read_to_string(root().join("docs/which-crate.md")).unwrap();
    let mut named = BTreeSet::new();
    for block in blocks(&page) {
        let crates = crates(block);
        assert_eq!(crates.len(), 1, "{crates:?} in:\n{block}");
        named.extend(crates);
    }
    let cells = page.lines().filter_map(|line| line.split('|').nth(2));
    let taken = cells.filter_map(|cell| cell.trim().strip_prefix("`isotp-"));
    let mut taken: BTreeSet<_> = taken
        .map(|name| format!("isotp_{}", name.trim_end_matches('`').replace('-', "_")))
        .collect();
    // for those who add to the others, which have it inside
    assert!(taken.remove("isotp_driver"));
    assert!(named.iter().copied().eq(&taken), "{named:?}, {taken:?}");
}

/// The words of the sources, examples among them.
fn words() -> BTreeSet<String> {
    let mut text = String::new();
    let mut folders = vec![root().join("examples")];
    for entry in fs::read_dir(root()).unwrap() {
        folders.push(entry.unwrap().path().join("src"));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let separates = |letter: char| !letter.is_alphanumeric() && letter != '_';
    text.split(separates).map(str::to_owned).collect()
}

/// What is no name of ours, though it is written as code.
const FOREIGN: &[&str] = &["max_pdu_size", "uds_protocol"];

/// The words of a page that are written as code and look like names: those of fields and methods have an
/// underscore, those of types two capitals.
fn names(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
    let (mut names, mut block) = (Vec::new(), false);
    for line in text.lines() {
        block ^= line.starts_with("```");
        let ours = match page {
            _ if block => "",                                              // compiled
            "coming-from-aioisotp" => last_cell(line).unwrap_or_default(), // the rest is Python's
            _ => line,
        };
        for code in ours.split('`').skip(1).step_by(2) {
            let words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            names.extend(words.filter(|word| is_name(word)).map(str::to_owned));
        }
    }
    names
}

fn last_cell(line: &str) -> Option<&str> {
    line.strip_suffix(" |")?.rsplit('|').next()
}

fn is_name(word: &str) -> bool {
    let capitals = word.matches(|letter: char| letter.is_ascii_uppercase());
    let lower = word.contains(|letter: char| letter.is_ascii_lowercase());
    let underscore = word.trim_matches('_').contains('_');
    lower && (underscore || capitals.count() > 1) && !word.starts_with("N_")
}

#[test]
fn the_names_on_the_pages_exist() {
    let words = words();
    for page in ["which-crate", "coming-from-aioisotp", "what-happens-when"] {
        let names = names(page);
        assert!(names.len() > 10, "{page}: only {names:?}");
        for name in names {
            let known = words.contains(&name) || FOREIGN.contains(&&*name);
            assert!(known, "{page}: there is no {name}");
        }
    }
}
