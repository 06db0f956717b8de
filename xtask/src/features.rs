//! `cargo xtask features`: features are additive, so every combination must build.

use std::collections::BTreeSet;

use crate::workspace::{self, Package};
use crate::{Outcome, only, shell};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    for package in workspace::published()? {
        let sets = combinations(&package);
        println!("{}: {} combinations of features", package.name, sets.len());
        for set in &sets {
            lint(&package.name, set)?;
        }
        if !package.features.is_empty() {
            if package.has_default {
                // elsewhere `cargo test` has no other features
                test(&package.name, "--no-default-features")?;
            }
            test(&package.name, "--all-features")?;
        }
    }
    Ok(())
}

/// Every set of features, less those that turn on the same code as another: a feature brings those
/// that it enables, so a set without them is no set of its own.
fn combinations(package: &Package) -> Vec<Vec<&str>> {
    let names: Vec<&str> = package.features.iter().map(|(name, _)| &**name).collect();
    let mut seen = BTreeSet::new();
    for bits in 0..1_u32 << names.len().min(16) {
        let mut set: BTreeSet<&str> = names
            .iter()
            .enumerate()
            .filter(|(index, _)| bits >> index & 1 == 1)
            .map(|(_, name)| *name)
            .collect();
        let mut size = 0;
        while size != set.len() {
            size = set.len();
            for (name, enables) in &package.features {
                if set.contains(&**name) {
                    let known = names
                        .iter()
                        .filter(|name| enables.iter().any(|e| e == *name));
                    set.extend(known);
                }
            }
        }
        seen.insert(set);
    }
    seen.into_iter()
        .map(|set| set.into_iter().collect())
        .collect()
}

fn lint(package: &str, features: &[&str]) -> Outcome {
    let mut clippy = shell::cargo();
    clippy.args(["clippy", "--quiet", "--package", package]);
    clippy.args(["--no-default-features", "--features", &features.join(",")]);
    shell::run(clippy.args(["--", "--deny", "warnings"]))
}

fn test(package: &str, features: &str) -> Outcome {
    shell::run(shell::cargo().args(["test", "--quiet", "--package", package, features]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_brings_what_it_enables() {
        let package = Package {
            name: "sample".to_owned(),
            version: String::new(),
            rust_version: String::new(),
            published: true,
            linux_only: false,
            has_default: true,
            features: vec![
                ("alloc".to_owned(), vec![]),
                ("serde".to_owned(), vec!["dep:serde".to_owned()]),
                ("std".to_owned(), vec!["alloc".to_owned()]),
            ],
        };
        let expected: [&[&str]; 6] = [
            &[],
            &["alloc"],
            &["alloc", "serde"],
            &["alloc", "serde", "std"],
            &["alloc", "std"],
            &["serde"],
        ];
        assert_eq!(combinations(&package), expected);
    }
}
