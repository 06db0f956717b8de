//! `isotp-core` over a raw socket, in the simplest loop that there is: the core alone is tested.

use core::time::Duration;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::sync::Arc;

use isotp_core::{Clock, Config, Event, Frame, GrowingBuffer, Link, Machine, NResult};

use crate::deadline::Deadline;
use crate::differential::{Stack, received};
use crate::endpoint::Endpoint;
use crate::parameters::Parameters;
use crate::raw::RawSocket;
use crate::sys;

/// A link and its socket.
pub(crate) struct CoreLink {
    socket: RawSocket,
    link: Link<GrowingBuffer, Vec<u8>, Arc<Config>>,
    clock: Clock,
    happened: VecDeque<Happened>,
}

/// What the link told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Received(Vec<u8>),
    Lost(NResult),
    Sent(NResult),
}

impl CoreLink {
    pub(crate) fn open(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        Self::with_config(interface, parameters, parameters.config())
    }

    /// With a configuration of its own.
    pub(crate) fn with_config(
        interface: &str,
        parameters: &Parameters,
        config: Config,
    ) -> Result<Self, String> {
        // no filter: which frames are its own is for the core to say
        let socket = RawSocket::open(interface)
            .map_err(|error| format!("raw socket on {interface}: {error}"))?;
        let buffer = GrowingBuffer::new(1 << 20);
        let spare = [[0; 62]; 2];
        let link = Link::with_spare(parameters.address, Arc::new(config), buffer, spare)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            socket,
            link,
            clock: Clock::new(),
            happened: VecDeque::new(),
        })
    }

    /// Begins to send; the frames go out while the link is driven.
    pub(crate) fn begin(&mut self, payload: &[u8]) -> Result<(), String> {
        self.link
            .send(self.clock.now(), payload.to_vec())
            .map_err(|refused| refused.error.to_string())
    }

    /// Drives the link until something happened that `wanted` picks, or until the deadline.
    pub(crate) fn drive(
        &mut self,
        deadline: Deadline,
        what: &str,
        wanted: impl Fn(&Happened) -> bool,
    ) -> Result<Happened, String> {
        loop {
            let blocked = self.turn()?;
            if let Some(at) = self.happened.iter().position(&wanted) {
                return Ok(self.happened.remove(at).expect("the position was found"));
            }
            let mut time = deadline.left(what)?;
            if let Some(timeout) = self.link.poll_timeout() {
                time = time.min(timeout.at - self.clock.now());
            }
            if blocked {
                time = time.min(Duration::from_millis(1));
            }
            sys::poll([(self.socket.as_fd(), libc::POLLIN)], time)
                .map_err(|error| error.to_string())?;
        }
    }

    /// Frames in, timers, frames out. Whether the bus is full.
    fn turn(&mut self) -> Result<bool, String> {
        while let Some(frame) = self.socket.receive().map_err(|error| error.to_string())? {
            self.link.handle_frame(self.clock.now(), frame.view());
            self.note();
        }
        self.link.handle_timeout(self.clock.now());
        self.note();
        let mut frame = Frame::new();
        loop {
            let Some(transmit) = self.link.poll_transmit(self.clock.now(), &mut frame) else {
                return Ok(false);
            };
            match self.socket.send(frame.view()) {
                Ok(()) => drop(transmit.commit(self.clock.now())),
                Err(error) if is_full(&error) => return Ok(true),
                Err(error) => return Err(error.to_string()),
            }
            self.note();
        }
    }

    fn note(&mut self) {
        while let Some(event) = self.link.poll_event() {
            self.happened.extend(match event {
                Event::Received(mut message) => {
                    let single = message.single().map(<[u8]>::to_vec);
                    let bytes = single.or_else(|| message.buffer().map(GrowingBuffer::take));
                    bytes.map(Happened::Received)
                }
                Event::ReceptionFailed(result) => Some(Happened::Lost(result)),
                Event::Confirmed(result) => Some(Happened::Sent(result)),
                _ => None,
            });
        }
    }

    fn confirmed(&mut self, deadline: Deadline) -> Result<(), String> {
        let is_end = |happened: &Happened| matches!(happened, Happened::Sent(_));
        match self.drive(deadline, "the core to send", is_end)? {
            Happened::Sent(result) if !result.is_ok() => Err(result.name().to_owned()),
            _ => Ok(()),
        }
    }
}

impl Endpoint for CoreLink {
    fn send(&mut self, payload: &[u8], deadline: Deadline) -> Result<(), String> {
        self.begin(payload)?;
        self.confirmed(deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Vec<u8>, String> {
        let is_end = |happened: &Happened| !matches!(happened, Happened::Sent(_));
        match self.drive(deadline, "a message at the core", is_end)? {
            Happened::Received(message) => Ok(message),
            Happened::Lost(result) | Happened::Sent(result) => Err(result.name().to_owned()),
        }
    }

    fn exchange(&mut self, payload: &[u8], deadline: Deadline) -> Result<Vec<u8>, String> {
        self.begin(payload)?;
        let message = self.receive(deadline)?;
        self.confirmed(deadline).map(|()| message)
    }
}

impl Stack for CoreLink {
    fn begin(&mut self, payload: &[u8]) -> Result<(), String> {
        Self::begin(self, payload)
    }

    fn watch(&mut self, time: Duration) -> Result<Vec<String>, String> {
        let deadline = Deadline::after(time);
        let mut happened = Vec::new();
        while deadline.left("").is_ok() {
            let Ok(one) = self.drive(deadline, "", |_| true) else {
                break;
            };
            happened.push(match one {
                Happened::Received(message) => received(&message),
                Happened::Sent(NResult::Ok) => "sent".to_owned(),
                Happened::Sent(result) | Happened::Lost(result) => {
                    format!("failed {}", result.name())
                }
            });
        }
        Ok(happened)
    }
}

/// Whether the same frame may be tried again later.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}
