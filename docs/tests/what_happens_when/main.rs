//! `what-happens-when.md` has a row for each variant of each error, and quotes the real texts.
//!
//! The texts of the Linux interfaces are held by the tests of `isotp-socketcan`, which can make its errors.

mod isotpserver;
mod page;
mod samples;
mod situations;
mod strings;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use page::{Page, code};
use samples::samples;

/// Each enum of errors as the page calls it, and its crate.
const ENUMS: &[(&str, &str)] = &[
    ("NResult", "isotp-core"),
    ("Cause", "isotp-core"),
    ("AddressError", "isotp-core"),
    ("ConfigError", "isotp-core"),
    ("core::SendError", "isotp-core"),
    ("ChangeError", "isotp-core"),
    ("Ignored", "isotp-core"),
    ("InsertError", "isotp-core"),
    ("ReconfigureError", "isotp-core"),
    ("ConnectionError", "isotp-driver"),
    ("SendError", "isotp-driver"),
    ("TrySendError", "isotp-driver"),
    ("ConnectError", "isotp-driver"),
    ("OpenError", "isotp-driver"),
    ("RecvTimeoutError", "isotp-driver"),
    ("RequestError", "isotp-driver"),
    ("ServerEnd", "isotp-driver"),
    ("Event", "isotp-driver"),
    ("NotSent", "isotp-socketcan"),
    ("RecvError", "isotp-socketcan"),
    ("KernelOpenError", "isotp-socketcan"),
];

/// The sources of a crate.
fn sources_of(name: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    page::sources(&root.join(name).join("src"), &mut files);
    let read = files.into_iter().map(|path| {
        let source = fs::read_to_string(&path).unwrap();
        (path, source)
    });
    read.collect()
}

/// The variants of an enum of a crate.
fn variants(name: &str, sources: &[(PathBuf, String)]) -> Vec<String> {
    let begin = format!("pub enum {} {{\n", name.trim_start_matches("core::"));
    let mut bodies = sources
        .iter()
        .filter_map(|(_, source)| Some(source.split_once(&begin)?.1));
    let body = bodies
        .next()
        .unwrap_or_else(|| panic!("no enum {name} in its crate"));
    assert!(bodies.next().is_none(), "{name} is in its crate twice");
    let body = body.split_once("\n}").expect("it ends").0;
    let found = body.lines().filter_map(|line| {
        let word = line.strip_prefix("    ")?;
        let end = word.find(|letter: char| !letter.is_alphanumeric());
        let word = &word[..end.unwrap_or(word.len())];
        let begins = word.starts_with(|letter: char| letter.is_ascii_uppercase());
        begins.then(|| format!("{name}::{word}"))
    });
    found.collect()
}

#[test]
fn each_variant_has_its_row_and_each_row_its_variant() {
    let page = Page::read();
    let mut expected = BTreeSet::from(["IdError".to_owned(), "WrongIdLength".to_owned()]);
    for (name, owner) in ENUMS {
        let found = variants(name, &sources_of(owner));
        assert!(found.len() > 1, "{name} has no variants");
        expected.extend(found);
    }
    let rows = page.rows("error");
    let named: BTreeSet<String> = rows.iter().map(|row| code(&row[0]).to_owned()).collect();
    assert_eq!(named.len(), rows.len(), "a row is there twice");
    assert_eq!(named, expected);
}

/// A new enum of errors in the published crates must come to the page, too.
#[test]
fn each_enum_of_errors_is_known_here() {
    for owner in [
        "isotp-core",
        "isotp-driver",
        "isotp-socketcan",
        "isotp-tokio",
        "isotp-smol",
        "isotp-blocking",
        "isotp-async-std",
    ] {
        for (path, source) in sources_of(owner) {
            for rest in source.split("\npub enum ").skip(1) {
                let name = rest.split([' ', '<']).next().unwrap();
                let known = ENUMS
                    .iter()
                    .any(|(known, _)| known.trim_start_matches("core::") == name);
                let shown = source.contains(&format!("Error for {name}"));
                assert!(
                    known || !shown,
                    "{name} in {} is not on the page",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn each_text_is_that_of_the_real_error() {
    let page = Page::read();
    let rows = page.rows("error");
    let samples = samples();
    for row in &rows {
        let (name, says) = (code(&row[0]), &row[1]);
        let text = samples.iter().find(|sample| sample.0 == name);
        let text = text.map(|sample| sample.1.as_str());
        if [
            "an event",
            "what the system says",
            "as in the first table of this section",
        ]
        .contains(&says.as_str())
        {
            assert_eq!(text, None, "{name} has a text");
        } else if cfg!(not(target_os = "linux"))
            && ONLY_LINUX.iter().any(|only| name.starts_with(only))
        {
            // not here
        } else if let Some(inner) = says.strip_prefix("as `") {
            // the text is one of those of the error inside, perhaps behind something
            let (inner, behind) = inner.split_once('`').unwrap();
            let lead = behind.strip_prefix(", behind ").map_or("", code);
            let of_inner = |name: &str| name.starts_with(&format!("{inner}::"));
            let mut inside = samples.iter().filter(|sample| of_inner(sample.0));
            let text = text.and_then(|text| text.strip_prefix(lead));
            assert!(
                inside.any(|sample| Some(&*sample.1) == text),
                "{name}: {text:?}"
            );
        } else {
            assert_eq!(Some(code(says)), text, "{name}");
        }
    }
    for (name, _) in samples {
        assert!(
            rows.iter().any(|row| code(&row[0]) == name),
            "no row of {name}"
        );
    }
}

const ONLY_LINUX: [&str; 4] = [
    "NotSent",
    "RecvError::",
    "KernelOpenError",
    "OpenError::UnknownScheme",
];
