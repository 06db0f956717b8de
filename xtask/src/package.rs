//! `cargo xtask package`: what crates.io would get builds from nothing but itself.

use std::path::PathBuf;

use crate::workspace::{self, Package};
use crate::{Outcome, only, shell};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    let packages = workspace::published()?;
    forget(&packages);
    let mut command = shell::cargo();
    // all at once: crates that need each other are then taken from each other's packages
    command.args(["package", "--allow-dirty", "--target-dir", TARGET]);
    for package in &packages {
        command.args(["--package", &package.name]);
    }
    shell::run(&mut command)?;
    let names: Vec<&str> = packages.iter().map(|package| &*package.name).collect();
    println!("packaged and built: {}", names.join(" "));
    Ok(())
}

/// Cargo keeps unpacked and built packages by name and version, and would take those of an earlier run,
/// whose version is mostly the same. They are in the folders of registries that have no host.
fn forget(packages: &[Package]) {
    // absent is as good as removed, here and below
    let _ = std::fs::remove_dir_all(shell::root().join(TARGET));
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let registries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    for registry in registries.into_iter().flatten().flatten() {
        if registry.file_name().to_string_lossy().starts_with('-') {
            for package in packages {
                let folder = format!("{}-{}", package.name, package.version);
                let _ = std::fs::remove_dir_all(registry.path().join(folder));
            }
        }
    }
}

const TARGET: &str = "target/packages";
