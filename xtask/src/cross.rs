//! `cargo xtask cross`: everything that is not for Linux alone is checked for Windows and macOS.

use std::path::Path;
use std::process::Command;

use crate::workspace::{self, Package};
use crate::{Outcome, only, shell, toolchain};

const TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &["--debian"])?;
    let packages = workspace::packages()?;
    let debian = !arguments.is_empty();
    for target in TARGETS {
        if debian {
            with_debian(target, &packages)?;
        } else if let Err(error) = toolchain::add_target(target) {
            eprintln!("{error}; trying Debian's compiler instead");
            with_debian(target, &packages)?;
        } else {
            shell::run(check(&mut shell::cargo(), target, &packages))?;
        }
    }
    Ok(())
}

/// Where rustup cannot fetch a target: Debian's compiler comes with the source of `std`, which is then
/// built for the target.
fn with_debian(target: &str, packages: &[Package]) -> Outcome {
    if !Path::new("/usr/bin/cargo").exists() || !source_is_here() {
        shell::apt_install(&["rustc-web", "cargo-web", "rust-web-src"])?;
    }
    // std names the libraries of Windows by import libraries that it has made on the way
    if target.contains("windows-gnu") && !shell::has("x86_64-w64-mingw32-dlltool") {
        shell::apt_install(&["binutils-mingw-w64-x86-64"])?;
    }
    let mut cargo = shell::program("/usr/bin/cargo");
    // the compiler and the toolchain of rustup, set by the cargo that runs this program
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo.env("RUSTC", "/usr/bin/rustc");
    cargo.env("RUSTC_BOOTSTRAP", "1");
    check(&mut cargo, target, packages);
    cargo.args([
        "-Zbuild-std=std,panic_abort",
        "--target-dir",
        "target/debian",
    ]);
    shell::run(&mut cargo)
}

fn source_is_here() -> bool {
    let sysroot = shell::capture(Command::new("/usr/bin/rustc").args(["--print", "sysroot"]));
    sysroot.is_ok_and(|(ok, path)| {
        let library = Path::new(path.trim()).join("lib/rustlib/src/rust/library/std");
        ok && library.exists()
    })
}

fn check<'a>(cargo: &'a mut Command, target: &str, packages: &[Package]) -> &'a mut Command {
    cargo.args(["check", "--workspace", "--all-targets", "--target", target]);
    for package in packages.iter().filter(|package| package.linux_only) {
        cargo.args(["--exclude", &package.name]);
    }
    cargo
}
