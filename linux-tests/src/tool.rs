//! Programs of other projects: can-utils and iproute2, each with a deadline.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::listeners;
use crate::parameters::Parameters;

/// A program that runs beside the test. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts a program with something on its input.
    pub(crate) fn start(name: &str, arguments: &[String], input: &str) -> Result<Self, String> {
        let mut command = Command::new(name);
        command.args(arguments);
        Self::spawn(name, command, input)
    }

    /// The same with a command that has more to it.
    pub(crate) fn spawn(name: &str, mut command: Command, input: &str) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut stdin = child.stdin.take().ok_or("no input")?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        // a program that ends early does not read all of it
        drop(stdin.write_all(input.as_bytes()));
        Ok(Self {
            name: name.to_owned(),
            child,
            lines,
        })
    }

    /// What it writes until its end, and whether it succeeds. Past the deadline it is killed.
    pub(crate) fn end(&mut self, deadline: Deadline) -> Result<(String, bool), String> {
        let what = format!("{} to end", self.name);
        let mut text = String::new();
        loop {
            match self.lines.recv_timeout(deadline.left(&what)?) {
                Ok(line) => text = text + &line + "\n",
                Err(RecvTimeoutError::Timeout) => return Err(deadline.passed(&what)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Ok((text, status.success()))
    }

    /// The next so many lines that it writes.
    pub(crate) fn lines_until(
        &self,
        count: usize,
        deadline: Deadline,
    ) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let what = format!("{count} lines of {}, got {lines:?}", self.name);
            let line = self.lines.recv_timeout(deadline.left(&what)?);
            lines.push(line.map_err(|_| deadline.passed(&what))?);
        }
        Ok(lines)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a short program that must succeed.
pub(crate) fn run(name: &str, arguments: &str) -> Result<String, String> {
    let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    let mut running = Running::start(name, &arguments, "")?;
    match running.end(Deadline::seconds(10))? {
        (text, true) => Ok(text),
        (text, false) => Err(format!("{name} {}: {text}", arguments.join(" "))),
    }
}

/// `isotprecv`: receives one message.
#[derive(Debug)]
pub(crate) struct Isotprecv {
    running: Running,
}

impl Isotprecv {
    /// Starts it; when this returns, it listens.
    pub(crate) fn start(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let mut arguments = link_options(parameters);
        arguments.push("-b".to_owned());
        arguments.push(format!("{:x}", parameters.block_size));
        arguments.push("-m".to_owned());
        arguments.push(format!("{:x}", parameters.st_min.code()));
        arguments.push(interface.to_owned());
        let running = Running::start("isotprecv", &arguments, "")?;
        listeners::come(parameters.address.rx().id(), "isotp", Deadline::seconds(10))?;
        Ok(Self { running })
    }
}

impl Endpoint for Isotprecv {
    fn send(&mut self, _payload: &[u8], _deadline: Deadline) -> Result<(), String> {
        Err("isotprecv does not send".to_owned())
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Vec<u8>, String> {
        let (text, _) = self.running.end(deadline)?;
        text.split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("isotprecv wrote {text:?}: {error}"))
    }

    fn exchange(&mut self, payload: &[u8], deadline: Deadline) -> Result<Vec<u8>, String> {
        self.send(payload, deadline).map(|()| Vec::new())
    }
}

/// `isotpsend`: started for each message.
#[derive(Debug)]
pub(crate) struct Isotpsend {
    arguments: Vec<String>,
}

impl Isotpsend {
    pub(crate) fn new(interface: &str, parameters: &Parameters) -> Self {
        let mut arguments = link_options(parameters);
        // it ends when the message is out, not before; and no time between frames of its own
        arguments.extend(["-b", "-t", "ZERO"].map(str::to_owned));
        arguments.push(interface.to_owned());
        Self { arguments }
    }
}

impl Endpoint for Isotpsend {
    fn send(&mut self, payload: &[u8], deadline: Deadline) -> Result<(), String> {
        let mut input: String = payload.iter().map(|byte| format!("{byte:02X} ")).collect();
        input.push('\n');
        match Running::start("isotpsend", &self.arguments, &input)?.end(deadline)? {
            (_, true) => Ok(()),
            (text, false) => Err(format!("isotpsend failed {text}")),
        }
    }

    fn receive(&mut self, _deadline: Deadline) -> Result<Vec<u8>, String> {
        Err("isotpsend does not receive".to_owned())
    }

    fn exchange(&mut self, payload: &[u8], deadline: Deadline) -> Result<Vec<u8>, String> {
        self.send(payload, deadline).map(|()| Vec::new())
    }
}

/// The options that both tools share. What they call source is what is sent.
fn link_options(parameters: &Parameters) -> Vec<String> {
    let (tx, rx) = (parameters.address.tx(), parameters.address.rx());
    let mut options = vec!["-s".to_owned(), tx.id().to_string()];
    options.extend(["-d".to_owned(), rx.id().to_string()]);
    if let (Some(tx), Some(rx)) = (tx.byte(), rx.byte()) {
        options.extend(["-x".to_owned(), format!("{tx:02x}:{rx:02x}")]);
    }
    if let Some(pad) = parameters.pad {
        options.extend(["-p".to_owned(), format!("{pad:02x}:{pad:02x}")]);
    }
    if let Some(tx_dl) = parameters.fd {
        options.extend(["-L".to_owned(), format!("72:{tx_dl}:0")]);
    }
    options
}

/// Whether a program can be found.
pub(crate) fn is_here(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
