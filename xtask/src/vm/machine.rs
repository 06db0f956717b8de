//! The emulated machine: boots, shows what the test program writes, and never hangs.

use core::time::Duration;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use crate::{Outcome, shell};

/// Until the test program begins: the emulation needs 4 to 15 seconds.
const BOOT: Duration = Duration::from_secs(90);
/// Between two lines of the test program, and beyond the deadline of each case that runs: the program itself
/// ends what hangs, and goes on.
const SILENCE: Duration = Duration::from_secs(60);

/// The processor's own clock is read in a tenth of the time that the emulated ones take.
const COMMAND_LINE: &str =
    "console=ttyS0 panic=-1 quiet loglevel=4 tsc=reliable clocksource=tsc mitigations=off";

/// How time passes in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// With that of the host, on two processors.
    Free,
    /// One nanosecond for each instruction of the one processor: what is measured does not depend on how
    /// busy the host is.
    Counted,
}

impl Pace {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Free => &["-smp", "2"],
            Self::Counted => &["-smp", "1", "-icount", "shift=0,sleep=off"],
        }
    }
}

/// Boots, and waits for the end. An error if the program failed, hung, or did not begin.
pub(crate) fn run(cache: &Path, kernel: &Path, initramfs: &Path, pace: Pace) -> Outcome {
    let console = cache.join(format!("console-{}.log", std::process::id()));
    let begin = Instant::now();
    let mut child = start(kernel, initramfs, &console, pace)?;
    let lines = lines_of(&mut child)?;
    let outcome = watch(&lines, begin);
    // it powers off by itself; whatever went wrong, it is gone afterwards
    if outcome.is_err() {
        drop(child.kill());
    }
    drop(child.wait());
    eprintln!("the machine ran for {:.1} s", begin.elapsed().as_secs_f32());
    match &outcome {
        Ok(()) => drop(std::fs::remove_file(&console)),
        Err(_) => show(&console),
    }
    outcome
}

fn start(kernel: &Path, initramfs: &Path, console: &Path, pace: Pace) -> Result<Child, String> {
    let mut qemu = shell::program("qemu-system-x86_64");
    qemu.args(["-accel", "tcg", "-cpu", "qemu64", "-m", "512", "-no-reboot"]);
    qemu.args(pace.arguments());
    qemu.args(["-nodefaults", "-display", "none", "-monitor", "none"]);
    qemu.arg("-serial")
        .arg(format!("file:{}", console.display()));
    qemu.args(["-serial", "stdio", "-object", "can-bus,id=bus"]);
    for _ in 0..2 {
        qemu.args(["-device", "kvaser_pci,canbus=bus"]);
    }
    qemu.arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs);
    qemu.args(["-append", COMMAND_LINE]);
    qemu.stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start qemu-system-x86_64: {error}"))
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>, String> {
    let output = child.stdout.take().ok_or("the machine has no output")?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    Ok(receiver)
}

/// Shows the lines between the two marks, and says how it ended.
fn watch(lines: &Receiver<String>, begin: Instant) -> Outcome {
    let (mut begun, mut running) = (false, Vec::new());
    loop {
        let longest = running.iter().map(|(seconds, _)| *seconds).max();
        let silence = SILENCE + Duration::from_secs(longest.unwrap_or_default());
        let line = match lines.recv_timeout(if begun { silence } else { BOOT }) {
            Ok(line) => line,
            Err(error) => return Err(ended(error, begun, &running)),
        };
        if line == "==== begin" {
            begun = true;
            eprintln!("booted in {:.1} s", begin.elapsed().as_secs_f32());
        } else if let Some(status) = line.strip_prefix("==== end ") {
            return match status {
                "0" => Ok(()),
                status => Err(format!(
                    "the program in the machine ended with status {status}"
                )),
            };
        } else if let Some(case) = line.strip_prefix("==== case ") {
            let (seconds, name) = case.split_once(' ').unwrap_or(("", case));
            running.push((seconds.parse().unwrap_or_default(), name.to_owned()));
        } else if let Some(case) = line.strip_prefix("==== done ") {
            running.retain(|(_, name)| name != case);
        } else {
            println!("{line}");
        }
    }
}

fn ended(error: RecvTimeoutError, begun: bool, running: &[(u64, String)]) -> String {
    let how = match error {
        RecvTimeoutError::Timeout => "hangs, it was killed",
        RecvTimeoutError::Disconnected => "stopped",
    };
    match (begun, running) {
        (false, _) => format!("the machine {how}, before the program began"),
        (true, []) => format!("the machine {how}, outside of every case"),
        (true, cases) => {
            let names: Vec<&str> = cases.iter().map(|(_, name)| name.as_str()).collect();
            format!("the machine {how}, in the case {}", names.join(" or "))
        }
    }
}

/// The end of what the kernel wrote.
fn show(console: &Path) {
    let text = std::fs::read(console).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines
        .get(lines.len().saturating_sub(40)..)
        .unwrap_or_default();
    eprintln!(
        "---- the kernel's last messages, all of them in {}",
        console.display()
    );
    for line in shown {
        eprintln!("{}", line.trim_end());
    }
    eprintln!("----");
}
