//! The process in which cases run, so that one that hangs can be killed. It is told names on its input,
//! and says on its output how each ended.

use core::time::Duration;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::case::{self, Case};
use crate::options::Options;
use crate::{place, sys};

/// A process that runs one case after another, all in one network. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    names: ChildStdin,
    lines: Receiver<String>,
}

impl Worker {
    /// Starts a process; with `network`, in a network of its own that has a vcan0.
    ///
    /// On one processor a virtual bus never mixes up frames that were sent one after another: each
    /// processor has a queue of received frames of its own.
    pub(crate) fn start(
        interface: &str,
        network: bool,
        processor: Option<usize>,
    ) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("cannot start a worker: {error}");
        let (reader, writer) = std::io::pipe().map_err(said)?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["--worker", "--interface", interface]);
        if network {
            command.arg("--network");
        }
        if let Some(number) = processor {
            command.args(["--processor", &number.to_string()]);
        }
        command.stdin(Stdio::piped());
        command
            .stdout(writer.try_clone().map_err(said)?)
            .stderr(writer);
        let mut child = command.spawn().map_err(said)?;
        // it holds the writing end of the pipe, which would never close
        drop(command);
        let names = child.stdin.take().ok_or("a worker without input")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            names,
            lines,
        })
    }

    /// Runs a case; its remark, or why it failed. After a failure the worker must not be used.
    pub(crate) fn run(&mut self, case: &Case) -> Result<String, String> {
        writeln!(self.names, "{}", case.name).map_err(|error| format!("a worker: {error}"))?;
        let begin = std::time::Instant::now();
        let most = Duration::from_secs(case.seconds);
        let mut text = String::new();
        loop {
            let left = most.saturating_sub(begin.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let ended = self.child.try_wait().ok().flatten();
                let how = ended.map_or_else(
                    || format!("killed after {} s", case.seconds),
                    |status| format!("the worker ended: {status}"),
                );
                return Err(format!("{text}{how}"));
            };
            match line.as_str() {
                PASSED => return Ok(text),
                FAILED => return Err(text),
                line => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The worker itself.
pub(crate) fn work(options: &Options) -> ExitCode {
    if let Some(number) = options.processor
        && let Err(error) = sys::stay_on_processor(number)
    {
        println!("processor {number}: {error}");
        return ExitCode::FAILURE;
    }
    if options.network
        && let Err(error) = place::enter_new_network()
    {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    for name in std::io::stdin().lines().map_while(Result::ok) {
        // a case may panic
        let outcome =
            thread::scope(|scope| scope.spawn(|| case::run(&name, &options.interface)).join());
        match outcome {
            Ok(Ok(remark)) => println!("{remark}\n{PASSED}"),
            Ok(Err(error)) => println!("{error}\n{FAILED}"),
            Err(_) => println!("panicked\n{FAILED}"),
        }
    }
    ExitCode::SUCCESS
}

const PASSED: &str = "==== passed";
const FAILED: &str = "==== failed";
