//! Listens to a link from beside it, and keeps every frame.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use crate::deadline::Deadline;
use crate::parameters::Parameters;
use crate::raw::{RawSocket, Received};
use crate::sys;

/// A thread that reads a raw socket, so that no frame is lost however many there are.
#[derive(Debug)]
pub(crate) struct Monitor {
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
            .only(&[address.tx().id(), address.rx().id()])
            .map_err(said)?;
        let (stop, stopped) = UnixStream::pair().map_err(said)?;
        let thread = thread::spawn(move || listen(&socket, &stopped));
        Ok(Self { stop, thread })
    }

    /// Everything that was on the bus until now.
    pub(crate) fn frames(mut self) -> Result<Vec<Received>, String> {
        self.stop
            .write_all(&[0])
            .map_err(|error| error.to_string())?;
        let frames = self.thread.join();
        frames.unwrap_or_else(|_| Err("the monitor panicked".to_owned()))
    }
}

fn listen(socket: &RawSocket, stopped: &UnixStream) -> Result<Vec<Received>, String> {
    let mut frames = Vec::new();
    let deadline = Deadline::seconds(600);
    loop {
        let left = deadline.left("the end of a case")?;
        let watched = [
            (socket.as_fd(), libc::POLLIN),
            (stopped.as_fd(), libc::POLLIN),
        ];
        let [_, stop] = sys::poll(watched, left).map_err(|error| error.to_string())?;
        while let Some(frame) = socket.receive().map_err(|error| error.to_string())? {
            frames.push(frame);
        }
        if stop != 0 {
            return Ok(frames);
        }
    }
}
