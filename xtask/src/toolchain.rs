//! Compilers and their targets, by way of rustup.

use crate::shell;

/// Whether `target` is there now, installed if need be.
pub(crate) fn add_target(target: &str) -> Result<(), String> {
    if !shell::has("rustup") {
        return Err(format!(
            "rustup is not here; install the target {target} by hand"
        ));
    }
    shell::run(shell::program("rustup").args(["target", "add", target]))
}

/// Makes sure that the toolchain `version` is there.
pub(crate) fn add_version(version: &str) -> Result<(), String> {
    if !shell::has("rustup") {
        return Err(format!(
            "rustup is not here; install Rust {version} by hand"
        ));
    }
    let mut install = shell::program("rustup");
    install.args(["toolchain", "install", version, "--profile", "minimal"]);
    shell::run(install.arg("--no-self-update"))
}
