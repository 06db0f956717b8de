//! A link in virtual time: what goes in, what came out and when.

use core::fmt;
use std::collections::VecDeque;

use isotp_core::{
    Config, ConfigError, Event, Frame, Instant, Link, Machine, NResult, Parameter, Payload,
    RxBuffer, TxToken,
};

use super::data::Pattern;
use super::frame::{FramePattern, Received};
use super::profile::Profile;
use super::script::Stimulus;

/// How the link is driven; the outcome must be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// Commit counts as confirmation, payloads lie in memory.
    Plain,
    /// Confirmations are reported at once, each frame is first offered to a full controller, and
    /// payloads come piece by piece.
    Hesitant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Transmit,
    Receive,
}

/// What a vector expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Frame(FramePattern),
    FirstFrame(u32),
    Indication { functional: bool, data: Pattern },
    Failed(&'static str),
    Confirmed(&'static str),
    Changed(&'static str),
    Refused,
}

/// What the link did.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    Frame(Box<Frame>),
    FirstFrame(u32),
    Indication {
        functional: bool,
        data: Vec<u8>,
    },
    Failed(&'static str),
    Confirmed(&'static str),
    Changed(&'static str),
    Refused,
    /// An event that no vector can expect.
    Other(String),
}

/// The link under test, and everything around it.
pub(crate) struct World {
    link: Link<Buffer, Bytes, Box<Config>>,
    drive: Drive,
    manual: bool,
    now: u64,
    unconfirmed: VecDeque<TxToken>,
    outputs: VecDeque<(u64, Output)>,
}

impl World {
    /// A link at time 0, or why its configuration was refused.
    pub(crate) fn new(
        profile: &Profile,
        address: isotp_core::Address,
        drive: Drive,
    ) -> Result<Self, ConfigError> {
        let mut config = Box::new(profile.config.clone());
        if drive == Drive::Hesitant {
            config.confirmation = isotp_core::Confirmation::Reported;
        }
        let buffer = Buffer {
            limit: profile.limit,
            held: false,
            bytes: Vec::new(),
        };
        Ok(Self {
            link: Link::with_spare(address, config, buffer, [[0; 62]; 2])?,
            drive,
            manual: profile.is_manual(),
            now: 0,
            unconfirmed: VecDeque::new(),
            outputs: VecDeque::new(),
        })
    }

    /// Polls every deadline up to `at` microseconds at its own time.
    pub(crate) fn advance(&mut self, at: u64) -> Result<(), String> {
        let end = Instant::from_micros(at);
        while let Some(timeout) = self.link.poll_timeout()
            && timeout.at <= end
        {
            self.now = self.now.max(timeout.at.as_micros());
            let now = self.instant();
            self.link.handle_timeout(now);
            self.drain()?;
            if let Some(next) = self.link.poll_timeout()
                && next.at <= now
            {
                return Err(format!("{next:?} is not later than {now:?}"));
            }
        }
        self.now = at;
        Ok(())
    }

    pub(crate) fn apply(&mut self, stimulus: &Stimulus) -> Result<(), String> {
        let now = self.instant();
        match stimulus {
            Stimulus::Request { functional, data } => {
                let payload = Bytes {
                    bytes: data.clone(),
                    contiguous: self.drive == Drive::Plain,
                };
                let accepted = if *functional {
                    self.link.send_functional(now, payload).is_ok()
                } else {
                    self.link.send(now, payload).is_ok()
                };
                if !accepted {
                    self.outputs.push_back((self.now, Output::Refused));
                }
            }
            Stimulus::Receive(frames) => {
                for frame in frames {
                    if let Received::Data { id, kind, data } = frame {
                        let (id, kind) = (*id, *kind);
                        self.link
                            .handle_frame(now, isotp_core::FrameView { id, kind, data });
                    }
                    self.drain()?;
                }
            }
            Stimulus::Confirm => {
                if let Some(token) = self.unconfirmed.pop_front() {
                    self.link.handle_transmitted(now, token);
                }
            }
            Stimulus::Hold(held) => self.link.buffer_mut().held = *held,
            Stimulus::Change { name, value } => {
                let result = name
                    .parse::<Parameter>()
                    .and_then(|parameter| self.link.configure(parameter, *value))
                    .map_or_else(|error| error.name(), |()| NResult::Ok.name());
                self.outputs.push_back((self.now, Output::Changed(result)));
            }
            Stimulus::Abort(Direction::Transmit) => self.link.abort_send(now),
            Stimulus::Abort(Direction::Receive) => self.link.abort_receive(now),
            Stimulus::End => {}
        }
        self.drain()
    }

    /// The oldest output that was not yet expected, with its time in microseconds.
    pub(crate) fn take_output(&mut self) -> Option<(u64, Output)> {
        self.outputs.pop_front()
    }

    pub(crate) fn next_output(&self) -> Option<&(u64, Output)> {
        self.outputs.front()
    }

    /// Takes out everything that the link has to tell and to send.
    fn drain(&mut self) -> Result<(), String> {
        for _ in 0..MOST_FRAMES_AT_ONCE {
            while let Some(event) = self.link.poll_event() {
                let output = Output::from_event(event);
                self.outputs.push_back((self.now, output));
            }
            let now = self.instant();
            let mut frame = Frame::new();
            if self.drive == Drive::Hesitant {
                // the controller is full
                let _ = self.link.poll_transmit(now, &mut frame);
            }
            let Some(transmit) = self.link.poll_transmit(now, &mut frame) else {
                return Ok(());
            };
            let token = transmit.commit(now);
            self.outputs
                .push_back((self.now, Output::Frame(Box::new(frame))));
            if self.manual {
                self.unconfirmed.push_back(token);
            } else if self.drive == Drive::Hesitant {
                self.link.handle_transmitted(now, token);
            }
        }
        Err("the link sends without end".to_owned())
    }

    const fn instant(&self) -> Instant {
        Instant::from_micros(self.now)
    }
}

impl Output {
    fn from_event(event: Event<'_, Buffer>) -> Self {
        match event {
            Event::FirstFrame { size, .. } => Self::FirstFrame(size),
            Event::Received(message) => Self::Indication {
                functional: message.is_functional(),
                data: message.data().to_vec(),
            },
            Event::ReceptionFailed(result) => Self::Failed(result.name()),
            Event::Confirmed(result) | Event::FunctionalConfirmed(result) => {
                Self::Confirmed(result.name())
            }
            other => Self::Other(format!("{other:?}")),
        }
    }
}

impl Expected {
    /// As a frame of `txcf`.
    pub(crate) fn from_received(frame: Received) -> Option<Self> {
        match frame {
            Received::Data { id, kind, data } => Some(Self::Frame(FramePattern {
                id,
                kind,
                data: Pattern::from_bytes(&data),
            })),
            Received::NoData => None,
        }
    }

    pub(crate) fn matches(&self, output: &Output) -> bool {
        match (self, output) {
            (Self::Frame(expected), Output::Frame(came)) => expected.matches(came.view()),
            (Self::FirstFrame(expected), Output::FirstFrame(came)) => expected == came,
            (
                Self::Indication { functional, data },
                Output::Indication {
                    functional: came_functional,
                    data: came,
                },
            ) => functional == came_functional && data.matches(came),
            (Self::Failed(expected), Output::Failed(came))
            | (Self::Confirmed(expected), Output::Confirmed(came))
            | (Self::Changed(expected), Output::Changed(came)) => expected == came,
            (Self::Refused, Output::Refused) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => write!(f, "tx {frame}"),
            Self::FirstFrame(size) => write!(f, "ff {size}"),
            Self::Indication { functional, data } => {
                let word = if *functional { "indf" } else { "ind" };
                write!(f, "{word} {data}")
            }
            Self::Failed(result) => write!(f, "ind! {result}"),
            Self::Confirmed(result) => write!(f, "cfm {result}"),
            Self::Changed(result) => write!(f, "chgcfm {result}"),
            Self::Refused => f.write_str("rej"),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => write!(f, "tx {frame}"),
            Self::FirstFrame(size) => write!(f, "ff {size}"),
            Self::Indication { functional, data } => {
                let word = if *functional { "indf" } else { "ind" };
                write!(f, "{word} {}", Pattern::from_bytes(data))
            }
            Self::Failed(result) => write!(f, "ind! {result}"),
            Self::Confirmed(result) => write!(f, "cfm {result}"),
            Self::Changed(result) => write!(f, "chgcfm {result}"),
            Self::Refused => f.write_str("rej"),
            Self::Other(event) => f.write_str(event),
        }
    }
}

/// The upper layer's memory: it has room or not, as the script says.
#[derive(Debug)]
struct Buffer {
    limit: u32,
    held: bool,
    bytes: Vec<u8>,
}

impl RxBuffer for Buffer {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn ready(&mut self, _size: u32, _received: u32) -> bool {
        !self.held
    }

    fn start(&mut self, _size: u32) {
        self.bytes.clear();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset as usize, self.bytes.len(), "bytes come gapless");
        self.bytes.extend_from_slice(data);
        assert!(self.bytes.len() <= self.limit as usize, "the limit holds");
        true
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A message to be sent.
#[derive(Debug)]
struct Bytes {
    bytes: Vec<u8>,
    contiguous: bool,
}

impl Payload for Bytes {
    fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let mut from = self.bytes.get(offset as usize..)?;
        std::io::Read::read(&mut from, out).ok()
    }

    fn contiguous(&self) -> Option<&[u8]> {
        self.contiguous.then_some(&self.bytes)
    }
}

/// More frames without new input than the longest message of a vector has.
const MOST_FRAMES_AT_ONCE: usize = 1 << 20;
