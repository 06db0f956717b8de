//! What `cargo metadata` knows about the crates of this workspace.

use serde_json::Value;

use crate::shell;

/// One crate of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: String,
    /// Whether it goes to crates.io.
    pub(crate) published: bool,
    /// `[package.metadata.isotp] linux-only = true`.
    pub(crate) linux_only: bool,
    /// Some features are on unless somebody turns them off.
    pub(crate) has_default: bool,
    /// Without `default`; with the features that each turns on.
    pub(crate) features: Vec<(String, Vec<String>)>,
}

/// Every member of the workspace, by name.
pub(crate) fn packages() -> Result<Vec<Package>, String> {
    let mut command = shell::cargo();
    command.args(["metadata", "--format-version=1", "--no-deps"]);
    command.stderr(std::process::Stdio::inherit());
    let output = command
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cannot read the output of cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array();
    let mut packages: Vec<_> = packages
        .ok_or("cargo metadata names no packages")?
        .iter()
        .map(package)
        .collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// The members that go to crates.io.
pub(crate) fn published() -> Result<Vec<Package>, String> {
    let mut packages = packages()?;
    packages.retain(|package| package.published);
    Ok(packages)
}

fn package(value: &Value) -> Package {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let features = value["features"].as_object().into_iter().flatten();
    Package {
        name: text("name"),
        version: text("version"),
        rust_version: text("rust_version"),
        published: value["publish"].is_null(),
        linux_only: value["metadata"]["isotp"]["linux-only"] == Value::Bool(true),
        has_default: value["features"]["default"]
            .as_array()
            .is_some_and(|features| !features.is_empty()),
        features: features
            .filter(|(name, _)| *name != "default")
            .map(|(name, enables)| (name.clone(), names(enables)))
            .collect(),
    }
}

fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
