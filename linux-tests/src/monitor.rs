//! Listens to a link from beside it, and keeps every frame.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use isotp_core::{FrameKind, FrameView, Id};

use crate::deadline::{Deadline, LIMIT};
use crate::parameters::{Parameters, id};
use crate::raw::{RawSocket, Received};
use crate::sys;

/// A thread that reads a raw socket, so that no frame is lost however many there are.
#[derive(Debug)]
pub(crate) struct Monitor {
    /// Ends the bus for the monitor: what was sent before is heard before.
    mark: RawSocket,
    stop: UnixStream,
    thread: JoinHandle<Result<Vec<Received>, String>>,
}

impl Monitor {
    /// Hears both directions of the link from now on.
    pub(crate) fn start(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("monitor of {interface}: {error}");
        let socket = RawSocket::open(interface).map_err(said)?;
        let address = parameters.address;
        socket
            .only(&[address.tx().id(), address.rx().id(), mark()])
            .map_err(said)?;
        let (stop, stopped) = UnixStream::pair().map_err(said)?;
        let thread = thread::spawn(move || listen(&socket, &stopped));
        let mark = RawSocket::open(interface).map_err(said)?;
        mark.only(&[]).map_err(said)?;
        Ok(Self { mark, stop, thread })
    }

    /// Everything that was on the bus until now.
    pub(crate) fn frames(mut self) -> Result<Vec<Received>, String> {
        let said = |error: std::io::Error| format!("the end of the monitor: {error}");
        self.stop.write_all(&[0]).map_err(said)?;
        let (id, kind, data) = (mark(), FrameKind::Classic, &[][..]);
        self.mark.send(FrameView { id, kind, data }).map_err(said)?;
        let frames = self.thread.join();
        frames.unwrap_or_else(|_| Err("the monitor panicked".to_owned()))
    }
}

fn listen(socket: &RawSocket, stopped: &UnixStream) -> Result<Vec<Received>, String> {
    let mut frames = Vec::new();
    let (mut deadline, mut what) = (Deadline::seconds(600), "the end of a case");
    let mut until_stopped = libc::POLLIN;
    loop {
        let left = deadline.left(what)?;
        let watched = [
            (socket.as_fd(), libc::POLLIN),
            (stopped.as_fd(), until_stopped),
        ];
        let [_, stop] = sys::poll(watched, left).map_err(|error| error.to_string())?;
        while let Some(frame) = socket.receive().map_err(|error| error.to_string())? {
            if frame.id == mark() {
                return Ok(frames);
            }
            frames.push(frame);
        }
        if stop != 0 {
            // the bus may be late, but not for long
            (deadline, what) = (Deadline::after(LIMIT), "the mark behind the last frame");
            until_stopped = 0;
        }
    }
}

/// An id that no link has.
fn mark() -> Id {
    id(0x1FFF_FFFF)
}
