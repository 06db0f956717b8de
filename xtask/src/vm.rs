//! `cargo xtask vm`: the tests that need a Linux kernel with CAN, in an emulated machine. Debian's
//! kernel, BusyBox, can-utils and iproute2 go into an initramfs with the static test program; QEMU
//! boots it without privileges and without KVM.

mod initramfs;
mod kernel;
mod machine;

use std::path::{Path, PathBuf};

use crate::{Outcome, shell};
use machine::Pace;

/// Kernel, packages and pictures of machines; `cargo clean` removes it.
const CACHE: &str = "target/vm";
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What runs on this machine, and what is copied into the emulated one.
const PROGRAMS: &[(&str, &str)] = &[
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("isotpsend", "can-utils"),
    ("tc", "iproute2"),
];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut options = Options::parse(arguments)?;
    let program = match options.program.take() {
        Some(program) => PathBuf::from(program),
        None => build()?,
    };
    if options.list {
        return shell::run(shell::program(&program.to_string_lossy()).args(&options.arguments));
    }
    install()?;
    let cache = shell::root().join(CACHE);
    std::fs::create_dir_all(&cache).map_err(|error| said(&cache, &error))?;
    let kernel = kernel::prepare(&cache)?;
    let initramfs = cache.join(format!("initramfs-{}", std::process::id()));
    let outcome = initramfs::write(&initramfs, &kernel, &program, &options.arguments)
        .and_then(|()| machine::run(&cache, &kernel.image, &initramfs, options.pace));
    drop(std::fs::remove_file(&initramfs));
    outcome
}

/// What was asked for.
struct Options {
    /// Instead of the project's test program.
    program: Option<String>,
    list: bool,
    pace: Pace,
    /// For the program in the machine.
    arguments: Vec<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            program: None,
            list: false,
            pace: Pace::Free,
            arguments: Vec::new(),
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--program" => match words.next() {
                    Some(path) => options.program = Some(path.clone()),
                    None => return Err("expected the path of a static program".to_owned()),
                },
                "--" => options.arguments.extend(words.by_ref().cloned()),
                "--count" => options.pace = Pace::Counted,
                "--list" | "--all" => {
                    options.list |= word == "--list";
                    options.arguments.push(word.clone());
                }
                option if option.starts_with('-') => {
                    return Err(format!(
                        "expected [FILTER..] [--all] [--list] [--count] [--program PATH] [-- ARGS], got '{option}'"
                    ));
                }
                _ => options.arguments.push(word.clone()),
            }
        }
        if options.program.is_none() && !options.list {
            options.arguments.push("--guest".to_owned());
        }
        Ok(options)
    }
}

/// Builds the test program, so that it needs no library of the machine it runs on.
fn build() -> Result<PathBuf, String> {
    let mut cargo = shell::cargo();
    cargo.args(["build", "--profile", "vm", "--locked", "--target", TARGET]);
    cargo.args(["--package", "linux-tests"]);
    cargo.env(
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
        "-C target-feature=+crt-static",
    );
    shell::run(&mut cargo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let mut program = shell::root().join(target);
    program.extend([TARGET, "vm", "linux-tests"]);
    Ok(program)
}

/// Installs what is missing of [`PROGRAMS`].
fn install() -> Outcome {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    shell::apt_install(&missing).map_err(|error| {
        let list = missing.join(" ");
        format!("{error}; as root: apt-get install --no-install-recommends {list}")
    })
}

/// Where a program is; `/sbin` too, which is not in everybody's path.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
