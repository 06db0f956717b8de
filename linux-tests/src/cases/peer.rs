//! A peer that says what it is told to, frame by frame.

use core::time::Duration;
use std::os::fd::AsFd;

use isotp_core::{FrameKind, FrameView, Id};

use crate::deadline::Deadline;
use crate::raw::RawSocket;
use crate::sys;

/// Speaks as the ECU, and hears the tester.
pub(super) struct Peer {
    socket: RawSocket,
    id: Id,
}

impl Peer {
    /// On the ids of [`ecu`] and [`tester`].
    pub(super) fn open(interface: &str) -> Result<Self, String> {
        Self::with_ids(interface, ecu(), tester())
    }

    pub(super) fn with_ids(interface: &str, says: Id, hears: Id) -> Result<Self, String> {
        let socket = RawSocket::open(interface).map_err(super::said)?;
        socket.only(&[hears]).map_err(super::said)?;
        Ok(Self { socket, id: says })
    }

    /// Sends a CC frame of these hexadecimal digits.
    pub(super) fn say(&self, digits: &str) -> Result<(), String> {
        let digits: String = digits.split_whitespace().collect();
        let bytes: Result<Vec<u8>, _> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16))
            .collect();
        let data = bytes.map_err(super::said)?;
        let frame = FrameView {
            id: self.id,
            kind: FrameKind::Classic,
            data: &data,
        };
        self.socket.send(frame).map_err(super::said)
    }

    /// The next frame of the tester, as hexadecimal digits.
    pub(super) fn hear(&self) -> Result<String, String> {
        let deadline = Deadline::seconds(3);
        loop {
            if let Some(frame) = self.socket.receive().map_err(super::said)? {
                let digits = frame.data.iter().map(|byte| format!("{byte:02X}"));
                return Ok(digits.collect::<Vec<_>>().join(" "));
            }
            let left = deadline.left("a frame of the tester")?;
            sys::poll([(self.socket.as_fd(), libc::POLLIN)], left).map_err(super::said)?;
        }
    }

    /// Nothing comes for this long.
    pub(super) fn hear_nothing(&self, time: Duration) -> Result<(), String> {
        let [events] =
            sys::poll([(self.socket.as_fd(), libc::POLLIN)], time).map_err(super::said)?;
        super::ensure(events == 0, "expected silence, got a frame")
    }
}

pub(super) fn tester() -> Id {
    Id::standard(0x7E0).expect("11 bits")
}

pub(super) fn ecu() -> Id {
    Id::standard(0x7E8).expect("11 bits")
}
