//! What `docs/what-happens-when.md` quotes of this crate. In a packaged crate the page is not there.

use std::path::Path;

/// The quoted texts in the tables of the section on Linux whose first column has this heading.
fn quoted(heading: &str) -> Option<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/what-happens-when.md");
    let page = std::fs::read_to_string(page).ok()?;
    let section = page.split_once("\n## On Linux\n")?.1;
    let section = section.split("\n## ").next()?;
    let (mut texts, mut inside) = (Vec::new(), false);
    for line in section.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if cells.get(1) == Some(&heading) {
            inside = true;
        } else if cells.len() < 3 {
            inside = false;
        } else if inside {
            let code = cells.iter().find(|cell| cell.starts_with('`'));
            texts.extend(code.map(|code| code.trim_matches('`').to_owned()));
        }
    }
    assert!(!texts.is_empty(), "there is no table of {heading}");
    Some(texts)
}

/// The table quotes these texts and no others.
#[track_caller]
pub(crate) fn assert_quotes(heading: &str, texts: impl IntoIterator<Item = impl Into<String>>) {
    let mut texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    texts.sort();
    if let Some(mut quoted) = quoted(heading) {
        quoted.sort();
        assert_eq!(quoted, texts);
    }
}
