//! `cargo xtask bench`: the measurements of `benches/`, built for release.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Outcome, only, shell};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &["--quick", "--markdown", "--echoes", "--write"])?;
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    if has("--echoes") && has("--write") {
        return Err("--write wants all of the measurements, so not --echoes".to_owned());
    }
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
    if !has("--quick") {
        match python() {
            Ok(python) => {
                cargo.arg("--python").arg(python);
            }
            Err(error) => eprintln!("bench: aioisotp is left out: {error}"),
        }
    }
    if has("--write") {
        write(&mut cargo)
    } else {
        shell::run(&mut cargo)
    }
}

/// A Python that has aioisotp, in an environment that the first call makes.
fn python() -> Result<PathBuf, String> {
    let root = shell::root();
    let folder = root.join(ENVIRONMENT);
    let (python, made_from) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let wanted = std::fs::read(root.join(REQUIREMENTS)).map_err(|error| error.to_string())?;
    let has_it = |python: &Path| {
        shell::capture(Command::new(python).args(["-c", "import aioisotp"])).is_ok_and(|(ok, _)| ok)
    };
    if std::fs::read(&made_from).is_ok_and(|made| made == wanted) && has_it(&python) {
        return Ok(python);
    }
    // that of the distribution is first: it is built with all optimisations
    let system = ["/usr/bin/python3", "python3"]
        .into_iter()
        .find(|python| shell::has(python));
    let venv = || {
        let mut command = shell::program(system.unwrap_or("python3"));
        shell::run(command.args(["-m", "venv", "--clear"]).arg(&folder))
    };
    venv().or_else(|_| shell::apt_install(&["python3-venv"]).and_then(|()| venv()))?;
    let mut pip = shell::program(&python.to_string_lossy());
    pip.args(PIP.split(' ')).arg(REQUIREMENTS);
    shell::run(&mut pip)?;
    if !has_it(&python) {
        return Err(format!("{} cannot import it", python.display()));
    }
    std::fs::write(&made_from, wanted).map_err(|error| error.to_string())?;
    Ok(python)
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

const ENVIRONMENT: &str = "target/aioisotp";
const PIP: &str = "-m pip --quiet --disable-pip-version-check --timeout 20 --retries 1 install --no-deps \
                   --require-hashes --requirement";
const REQUIREMENTS: &str = "benches/requirements.txt";
const DOCUMENT: &str = "docs/performance.md";
const BEGIN: &str = "<!-- begin: cargo xtask bench --write -->";
const END: &str = "<!-- end -->";
