//! `cargo xtask package`: what crates.io would get builds from nothing but itself.

use crate::{Outcome, only, shell, workspace};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    let packages = workspace::published()?;
    let mut command = shell::cargo();
    // all at once: crates that need each other are then taken from each other's packages
    command.args(["package", "--allow-dirty"]);
    for package in &packages {
        command.args(["--package", &package.name]);
    }
    shell::run(&mut command)?;
    let names: Vec<&str> = packages.iter().map(|package| &*package.name).collect();
    println!("packaged and built: {}", names.join(" "));
    Ok(())
}
