//! Runs other programs and shows what is run.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// `cargo`, of the toolchain that runs this program, in the root of the workspace.
pub(crate) fn cargo() -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

/// A program in the root of the workspace. It never waits for a person.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs the command and shows it; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    eprintln!("$ {}", line(command));
    let status = command.status().map_err(|error| missing(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("failed: {} ({status})", line(command)))
    }
}

/// Runs the command in silence: whether it succeeded, and what it wrote to both of its outputs.
pub(crate) fn capture(command: &mut Command) -> Result<(bool, String), String> {
    let output = command.output().map_err(|error| missing(command, &error))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), text))
}

/// Whether the program can be started at all.
pub(crate) fn has(name: &str) -> bool {
    capture(Command::new(name).arg("--version").stdin(Stdio::null())).is_ok_and(|(ok, _)| ok)
}

/// Installs Debian packages, with `sudo` where this is not root.
pub(crate) fn apt_install(packages: &[&str]) -> Result<(), String> {
    if !has("apt-get") {
        let list = packages.join(" ");
        return Err(format!("apt-get is not here; install {list} by hand"));
    }
    let root = capture(Command::new("id").arg("-u")).is_ok_and(|(_, id)| id.trim() == "0");
    let apt = |arguments: &[&str]| {
        let mut command = program(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["--non-interactive", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        run(command.args(arguments))
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(packages);
    // package lists are often absent in a fresh container
    apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    if let Some(name) = words.first_mut()
        && let Some((_, file)) = name.rsplit_once('/')
    {
        *name = file.to_owned();
    }
    words.join(" ")
}

fn missing(command: &Command, error: &std::io::Error) -> String {
    format!(
        "cannot start {}: {error}",
        command.get_program().to_string_lossy()
    )
}
