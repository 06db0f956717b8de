//! `cargo xtask bench`: the measurements of `benches/`, built for release.

use std::process::{Command, Stdio};

use crate::{Outcome, only, shell};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &["--quick", "--markdown", "--write"])?;
    if !shell::has("valgrind") {
        shell::apt_install(&["valgrind"])?;
    }
    let package = ["--quiet", "--release", "--package", "isotp-bench"];
    // it starts another program of the package, which `run` would not build
    shell::run(shell::cargo().arg("build").args(package))?;
    let mut cargo = shell::cargo();
    cargo.arg("run").args(package).arg("--");
    let options = arguments.iter().filter(|option| *option != "--write");
    cargo.args(options);
    if arguments.iter().any(|option| option == "--write") {
        write(&mut cargo)
    } else {
        shell::run(&mut cargo)
    }
}

/// Puts the tables into the document, in place of those that are there.
fn write(cargo: &mut Command) -> Outcome {
    let output = cargo
        .arg("--markdown")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let tables = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("the measurements failed:\n{tables}"));
    }
    let path = shell::root().join(DOCUMENT);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let before = text.split_once(BEGIN).map(|(before, _)| before);
    let after = text.split_once(END).map(|(_, after)| after);
    let (before, after) = before
        .zip(after)
        .ok_or_else(|| format!("{DOCUMENT}: expected the lines {BEGIN} and {END}"))?;
    let machine = machine()?;
    let text = format!(
        "{before}{BEGIN}\n{machine}\n\n{}\n{END}{after}",
        tables.trim()
    );
    std::fs::write(&path, text).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    println!("{tables}\nwritten to {DOCUMENT}");
    Ok(())
}

/// What it was measured on.
fn machine() -> Result<String, String> {
    let (_, compiler) = shell::capture(Command::new("rustc").arg("--version"))?;
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("an unknown processor", |(_, name)| name);
    let compiler: Vec<&str> = compiler.split_whitespace().take(2).collect();
    Ok(format!("Measured on {processor}, {}.", compiler.join(" ")))
}

const DOCUMENT: &str = "docs/performance.md";
const BEGIN: &str = "<!-- begin: cargo xtask bench --write -->";
const END: &str = "<!-- end -->";
