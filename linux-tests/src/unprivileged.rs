//! These tests on a machine where one has no rights: on its vcan0, and what they skip is said.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::tool::Running;

/// The program runs itself as nobody.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case {
        name: "unprivileged".to_owned(),
        needs: &[Need::Network],
        seconds: 60,
        run: Box::new(as_nobody),
    }]
}

fn as_nobody(interface: &str) -> Result<String, String> {
    let mut command = Command::new("/proc/self/exe");
    // some that run without rights, and some that cannot
    command.args([
        "--interface",
        interface,
        "differential/single",
        "modules",
        "raw/faults/down",
    ]);
    command.uid(NOBODY).gid(NOBODY);
    let mut running = Running::spawn("linux-tests", command, "")?;
    let (text, success) = running.end(Deadline::seconds(50))?;
    let last = text.lines().last().unwrap_or_default().to_owned();
    let skipped = text
        .lines()
        .filter(|line| line.starts_with("skipped "))
        .count();
    let passed = text.lines().filter(|line| line.starts_with("ok ")).count();
    let summary = format!("{passed} passed, 0 failed, {skipped} skipped");
    if success && passed > 0 && skipped > 1 && last.starts_with(&summary) {
        return Ok(last);
    }
    Err(format!("expected {summary}, got\n{text}"))
}

const NOBODY: u32 = 65_534;
