//! `cargo xtask msrv`: the oldest compiler that each published crate promises really builds it.

use crate::{Outcome, only, shell, toolchain, workspace};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    only(arguments, &[])?;
    for package in workspace::published()? {
        let (name, version) = (&package.name, &package.rust_version);
        if version.is_empty() {
            return Err(format!("{name} names no rust-version in its Cargo.toml"));
        }
        toolchain::add_version(version)?;
        let mut check = shell::program("rustup");
        check.args(["run", version, "cargo", "check", "--quiet", "--locked"]);
        // this program's own compiler must not leak in, nor may its build results be disturbed
        check.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
        check.args(["--target-dir", &format!("target/msrv-{version}")]);
        shell::run(check.args(["--package", name, "--all-features"]))?;
    }
    Ok(())
}
