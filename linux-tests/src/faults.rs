//! A peer that does wrong, or nothing: every implementation says so by the name of the standard, and
//! carries the next message.

use std::os::fd::AsFd;
use std::thread;

use isotp_core::{FrameKind, FrameView};

use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::endpoint::{Party, same};
use crate::parameters::{Parameters, payload};
use crate::raw::RawSocket;
use crate::sys;

/// What the peer does once it has heard the first frame that the other side sends.
struct Fault {
    name: &'static str,
    /// Begins the message that is received; empty where one is sent.
    first: &'static [u8],
    /// The frames that follow the first answer.
    then: &'static [&'static [u8]],
    result: &'static str,
}

const FAULTS: [Fault; 8] = [
    Fault {
        name: "no-peer",
        first: &[],
        then: &[],
        result: "N_TIMEOUT_Bs",
    },
    Fault {
        name: "overflow",
        first: &[],
        then: &[&[0x32, 0, 0]],
        result: "N_BUFFER_OVFLW",
    },
    Fault {
        name: "reserved-flow-status",
        first: &[],
        then: &[&[0x35, 0, 0]],
        result: "N_INVALID_FS",
    },
    Fault {
        name: "no-second-flow-control",
        first: &[],
        then: &[&[0x30, 1, 0]],
        result: "N_TIMEOUT_Bs",
    },
    Fault {
        name: "silent-sender",
        first: FIRST,
        then: &[],
        result: "N_TIMEOUT_Cr",
    },
    Fault {
        name: "silent-after-one-frame",
        first: FIRST,
        then: &[&[0x21, 6, 7, 8, 9, 10, 11, 12]],
        result: "N_TIMEOUT_Cr",
    },
    Fault {
        name: "wrong-sequence-number",
        first: FIRST,
        then: &[&[0x22, 6, 7, 8, 9, 10, 11, 12]],
        result: "N_WRONG_SN",
    },
    Fault {
        name: "short-consecutive-frame",
        first: FIRST,
        then: &[&[0x21, 6, 7]],
        result: "N_TIMEOUT_Cr",
    },
];

/// A first frame of 20 bytes.
const FIRST: &[u8] = &[0x10, 20, 0, 1, 2, 3, 4, 5];

/// Each fault at each implementation.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for fault in &FAULTS {
        for party in [Party::Core, Party::Raw, Party::KernelLink] {
            cases.push(Case {
                name: format!("faults/{}/{}", fault.name, party.name()),
                needs: &[Need::Isotp],
                seconds: 20,
                run: Box::new(move |interface| fault.run(interface, party)),
            });
        }
    }
    cases
}

impl Fault {
    fn run(&self, interface: &str, party: Party) -> Result<String, String> {
        let parameters = Parameters::default();
        let mut end = party.sender(interface, &parameters)?;
        let peer = Peer::open(interface, &parameters)?;
        let deadline = Deadline::seconds(5);
        let start = std::time::Instant::now();
        let (told, result) = thread::scope(|scope| {
            let told = scope.spawn(|| peer.misbehave(self, deadline));
            let result = if self.first.is_empty() {
                end.send(&payload(20), deadline)
            } else {
                end.receive(deadline).map(drop)
            };
            (told.join(), result)
        });
        told.map_err(|_| "the peer panicked".to_owned())??;
        if result != Err(self.result.to_owned()) {
            return Err(format!("expected {}, got {result:?}", self.result));
        }
        let took = start.elapsed();
        // it is over: the next messages cross
        peer.say(&[2, 0xAA, 0xBB])?;
        same(&[0xAA, 0xBB], &end.receive(deadline)?)?;
        end.send(&[1, 2, 3], deadline)?;
        let frame = peer.hear(deadline)?;
        same(&[3, 1, 2, 3], &frame)?;
        Ok(format!("{} after {took:.1?}", self.result))
    }
}

/// The other node, frame by frame.
struct Peer {
    socket: RawSocket,
    parameters: Parameters,
}

impl Peer {
    fn open(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("the peer on {interface}: {error}");
        let socket = RawSocket::open(interface).map_err(said)?;
        socket.only(&[parameters.address.tx().id()]).map_err(said)?;
        Ok(Self {
            socket,
            parameters: parameters.clone(),
        })
    }

    fn misbehave(&self, fault: &Fault, deadline: Deadline) -> Result<(), String> {
        if !fault.first.is_empty() {
            self.say(fault.first)?;
        }
        self.hear(deadline)?;
        for frame in fault.then {
            self.say(frame)?;
        }
        if fault.name == "no-second-flow-control" {
            self.hear(deadline)?;
        }
        Ok(())
    }

    fn say(&self, data: &[u8]) -> Result<(), String> {
        let frame = FrameView {
            id: self.parameters.address.rx().id(),
            kind: FrameKind::Classic,
            data,
        };
        self.socket.send(frame).map_err(|error| error.to_string())
    }

    fn hear(&self, deadline: Deadline) -> Result<Vec<u8>, String> {
        loop {
            if let Some(frame) = self.socket.receive().map_err(|error| error.to_string())? {
                return Ok(frame.data);
            }
            let left = deadline.left("a frame at the peer")?;
            sys::poll([(self.socket.as_fd(), libc::POLLIN)], left)
                .map_err(|error| error.to_string())?;
        }
    }
}
