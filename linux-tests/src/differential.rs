//! The same script of frames for the kernel's stack and for ours, the core alone and a connection over
//! `raw:`: what comes back is compared.

use core::time::Duration;

use isotp_core::{FrameKind, FrameView};

use crate::case::{Case, Need};
use crate::core_link::CoreLink;
use crate::deadline::Deadline;
use crate::kernel::KernelSocket;
use crate::parameters::{Parameters, id, payload};
use crate::raw::RawSocket;
use crate::scripts::{self, scripts};
use crate::watched_link::WatchedLink;

/// A stack that is watched step by step.
pub(crate) trait Stack {
    /// Begins to send.
    fn begin(&mut self, payload: &[u8]) -> Result<(), String>;

    /// What happens within `time`, in order.
    fn watch(&mut self, time: Duration) -> Result<Vec<String>, String>;
}

/// One thing that happens to the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A frame comes from the peer: its data field.
    Rx(&'static str),
    /// A frame comes that has another id.
    RxFrom(u32, &'static str),
    /// A frame of the other kind comes.
    RxOtherKind(&'static str),
    /// The user sends a message of so many bytes.
    Send(usize),
    /// So many milliseconds pass.
    Pass(u16),
}

/// A script, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) link: fn() -> Parameters,
    pub(crate) steps: &'static [Step],
    pub(crate) expected: Expected,
}

/// Whether the stacks agree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// They do, and this is what they do.
    Same(&'static [&'static str]),
    /// They do not, and the rule says why ours is right.
    Differs {
        rule: &'static str,
        kernel: &'static [&'static str],
        ours: &'static [&'static str],
    },
}

/// One case for each script.
pub(crate) fn cases() -> Vec<Case> {
    let cases = scripts().map(|script| Case {
        name: format!("differential/{}", script.name),
        needs: &[Need::Isotp],
        seconds: 30,
        run: Box::new(|interface| script.run(interface)),
    });
    cases.collect()
}

impl Script {
    fn run(&self, interface: &str) -> Result<String, String> {
        let parameters = (self.link)();
        let (kernel, ours, remark) = match self.expected {
            Expected::Same(both) => (both, both, String::new()),
            Expected::Differs { rule, kernel, ours } => {
                (kernel, ours, format!("differs as {rule} says"))
            }
        };
        let mut stack = WatchedKernel::open(interface, &parameters)?;
        let from_kernel = self.play(interface, &parameters, &mut stack, kernel)?;
        drop(stack);
        let mut stack = CoreLink::open(interface, &parameters)?;
        let from_core = self.play(interface, &parameters, &mut stack, ours)?;
        drop(stack);
        let link = scripts::on_a_connection(self.name).unwrap_or(ours);
        let mut stack = WatchedLink::open(interface, &parameters)?;
        let from_link = self.play(interface, &parameters, &mut stack, link)?;
        if from_kernel == kernel && from_core == ours && from_link == link {
            return Ok(remark);
        }
        Err(format!(
            "expected of the kernel     {kernel:?}\n           came {from_kernel:?}\n\
             expected of the core       {ours:?}\n           came {from_core:?}\n\
             expected of the connection {link:?}\n           came {from_link:?}"
        ))
    }

    /// Plays the script; what came of each step, with the step's number.
    fn play(
        &self,
        interface: &str,
        parameters: &Parameters,
        stack: &mut dyn Stack,
        expected: &[&str],
    ) -> Result<Vec<String>, String> {
        let said = |error: std::io::Error| format!("tester on {interface}: {error}");
        let tester = RawSocket::open(interface).map_err(said)?;
        let ours = parameters.address.tx().id();
        tester.only(&[ours]).map_err(said)?;
        let mut log = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let mut happened = Vec::new();
            let mut least = QUIET;
            match *step {
                Step::Send(size) => {
                    if stack.begin(&payload(size)).is_err() {
                        happened.push("refused".to_owned());
                    }
                }
                Step::Pass(milliseconds) => least = Duration::from_millis(milliseconds.into()),
                _ => give(&tester, parameters, *step)?,
            }
            let mark = format!("{}: ", number + 1);
            let count = expected
                .iter()
                .filter(|line| line.starts_with(&mark))
                .count();
            let mut told = stack.watch(least)?;
            let slow = Deadline::seconds(3);
            let mut last = false;
            loop {
                while let Some(frame) = tester.receive().map_err(said)? {
                    happened.push(format!("tx {}", hex(&frame.data)));
                }
                if last {
                    break;
                }
                // then a little longer, for what should not come
                last = happened.len() + told.len() >= count || slow.left("").is_err();
                told.extend(stack.watch(QUIET)?);
            }
            happened.extend(told);
            log.extend(happened.iter().map(|what| format!("{mark}{what}")));
        }
        Ok(log)
    }
}

/// Puts the frame of a step on the bus.
fn give(tester: &RawSocket, parameters: &Parameters, step: Step) -> Result<(), String> {
    let usual = parameters.address.rx().id();
    let kind = parameters.config().kind;
    let other = if kind.is_fd() {
        FrameKind::Classic
    } else {
        FrameKind::Fd { brs: false }
    };
    let (id, kind, data) = match step {
        Step::Rx(data) => (usual, kind, data),
        Step::RxFrom(from, data) => (id(from), kind, data),
        Step::RxOtherKind(data) => (usual, other, data),
        Step::Send(_) | Step::Pass(_) => return Ok(()),
    };
    let data = &bytes(data)?;
    tester
        .send(FrameView { id, kind, data })
        .map_err(|error| format!("tester: {error}"))
}

/// Bytes in hex, with blanks between; `AA*60` repeats.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        let (byte, times) = word.split_once('*').unwrap_or((word, "1"));
        let byte = u8::from_str_radix(byte, 16).map_err(|error| format!("{word}: {error}"))?;
        let times: usize = times.parse().map_err(|error| format!("{word}: {error}"))?;
        bytes.resize(bytes.len() + times, byte);
    }
    Ok(bytes)
}

/// Short enough for a line.
fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let more = if bytes.len() > 8 {
        format!(" ..{}", bytes.len())
    } else {
        String::new()
    };
    shown.join(" ") + &more
}

/// What a stack tells of a message.
pub(crate) fn received(message: &[u8]) -> String {
    format!("received {}", hex(message))
}

/// A socket of the kernel, and whether it is sending.
struct WatchedKernel {
    socket: KernelSocket,
    sending: bool,
}

impl WatchedKernel {
    fn open(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let socket = KernelSocket::open(interface, parameters)?;
        Ok(Self {
            socket,
            sending: false,
        })
    }
}

impl Stack for WatchedKernel {
    fn begin(&mut self, payload: &[u8]) -> Result<(), String> {
        self.socket
            .try_send(payload)
            .map_err(|error| error.to_string())?;
        self.sending = true;
        Ok(())
    }

    fn watch(&mut self, time: Duration) -> Result<Vec<String>, String> {
        let mut happened = Vec::new();
        let end = std::time::Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Ok(happened);
            }
            let events = self.socket.wait_once(self.sending, left)?;
            if let Err(error) = self.socket.failed() {
                self.sending &= error == "N_TIMEOUT_Cr" || error == "N_WRONG_SN";
                happened.push(format!("failed {error}"));
            } else if self.sending && events & libc::POLLOUT != 0 {
                self.sending = false;
                happened.push("sent".to_owned());
            }
            let message = self
                .socket
                .try_receive()
                .map_err(|error| error.to_string())?;
            happened.extend(message.map(|message| received(&message)));
        }
    }
}

/// After this time without anything a step is over, if all that is expected has come.
const QUIET: Duration = Duration::from_millis(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_stands_in_the_document_with_its_rule() {
        let document = include_str!("../../docs/interop.md");
        let section = document
            .split("\n## ")
            .find(|section| section.starts_with("Differences from the kernel\n"))
            .expect("docs/interop.md has the section `Differences from the kernel`");
        for script in scripts() {
            if let Expected::Differs { rule, .. } = script.expected {
                let row = section.lines().any(|line| {
                    line.starts_with(&format!("| `{}` |", script.name)) && line.contains(rule)
                });
                assert!(
                    row,
                    "docs/interop.md: no row for {} with {rule}",
                    script.name
                );
            }
        }
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let name = line.split('`').nth(1).unwrap_or_default();
            let known = scripts().any(|script| {
                script.name == name && matches!(script.expected, Expected::Differs { .. })
            });
            assert!(known, "docs/interop.md: {name} is no script that differs");
        }
    }

    #[test]
    fn names_of_scripts_differ_and_their_frames_can_be_read() {
        let mut names: Vec<_> = scripts().map(|script| script.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), scripts().count());
        for step in scripts().flat_map(|script| script.steps) {
            if let Step::Rx(data) | Step::RxFrom(_, data) | Step::RxOtherKind(data) = step {
                assert!(bytes(data).is_ok_and(|bytes| bytes.len() <= 64), "{data}");
            }
        }
    }
}
