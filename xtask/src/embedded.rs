//! `cargo xtask embedded`: isotp-core on an emulated Cortex-M4. Runs the examples for firmware, counts
//! instructions, flash, memory and stack, and compares them with the table in the document.

mod elf;
mod examples;
mod table;

use std::process::Command;

use crate::{Outcome, only, shell, toolchain};
use table::Figures;

const CORTEX_M4F: &str = "thumbv7em-none-eabihf";
/// What QEMU emulates: a machine, and its processor.
type Machine = (&'static str, &'static str);
const MPS2: Machine = ("mps2-an386", "cortex-m4");
/// Beside the programs; the profile of all figures is in their Cargo.toml.
const TARGET_DIR: &str = "target/cortex-m";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &["--write"])?;
    toolchain::add_target(CORTEX_M4F)?;
    if !shell::has("qemu-system-arm") {
        shell::apt_install(&["qemu-system-arm"])?;
    }
    examples::run()?;
    let mut figures = run_transfer()?;
    let frame = flash("")?;
    for (name, features) in [("minimal", "minimal"), ("full", "full")] {
        figures.push((
            format!("flash-{name}"),
            f64::from(flash(features)?.saturating_sub(frame)),
        ));
    }
    let (_, version) = shell::capture(Command::new("rustc").arg("--version"))?;
    let compiler: Vec<&str> = version.split_whitespace().take(2).collect();
    table::settle(&figures, &compiler.join(" "), !arguments.is_empty())
}

/// Two links on the emulated machine; what the program prints.
fn run_transfer() -> Result<Figures, String> {
    let program = build("transfer", "")?;
    // one instruction is one nanosecond
    let text = emulate(&program, MPS2, &["-icount", "shift=0"])?;
    let figures: Figures = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect();
    Ok(figures)
}

/// Runs a program on an emulated machine; what it prints. An error if it does not end well.
fn emulate(program: &str, (machine, cpu): Machine, more: &[&str]) -> Result<String, String> {
    let mut qemu = shell::program("timeout");
    qemu.args(["120", "qemu-system-arm", "-cpu", cpu]);
    qemu.args(["-machine", machine, "-nographic"]);
    qemu.args(["-semihosting-config", "enable=on,target=native"]);
    qemu.args(more).args(["-kernel", program]);
    let (ok, text) = shell::capture(&mut qemu)?;
    if ok {
        Ok(text)
    } else {
        Err(format!("{program} failed on the machine:\n{text}"))
    }
}

/// `.text` and `.rodata` of the program `flash`.
fn flash(features: &str) -> Result<u32, String> {
    let program = build("flash", features)?;
    let path = shell::root().join(&program);
    let bytes = std::fs::read(path).map_err(|error| format!("{program}: {error}"))?;
    elf::sections(&bytes, &[".text", ".rodata"])
        .ok_or_else(|| format!("{program}: expected a program for 32 bits, little endian"))
}

/// Builds a program of the proof and says where it is.
fn build(name: &str, features: &str) -> Result<String, String> {
    let manifest = "proofs/cortex-m/Cargo.toml";
    let mut cargo = build_for(CORTEX_M4F, manifest, TARGET_DIR);
    shell::run(cargo.args(["--bin", name, "--features", features]))?;
    Ok(format!("{TARGET_DIR}/{CORTEX_M4F}/release/{name}"))
}

/// Builds for a machine without an operating system.
fn build_for(target: &str, manifest: &str, folder: &str) -> Command {
    let mut cargo = shell::cargo();
    cargo.args(["build", "--release", "--locked", "--target", target]);
    cargo.args(["--manifest-path", manifest, "--target-dir", folder]);
    let variable = target.to_uppercase().replace('-', "_");
    cargo.env(
        format!("CARGO_TARGET_{variable}_RUSTFLAGS"),
        "-C link-arg=-Tlink.x",
    );
    cargo
}
