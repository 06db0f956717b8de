//! Calls in any order, with any bytes, tokens and clocks.

use core::time::Duration;

use isotp_core::{Address, Frame, FrameKind, FrameView, Instant, Parameter, TxToken};
use isotp_sim::{Happening, Node};

use crate::choose::Choose;
use crate::setup::{Format, TestLink, pattern};

/// One or more links, as one machine.
pub trait Subject: Node {
    /// Does something with the link of this number.
    fn with_link<R>(&mut self, index: usize, act: impl Fn(&mut TestLink) -> R) -> R;
}

impl Subject for TestLink {
    fn with_link<R>(&mut self, _index: usize, act: impl Fn(&mut Self) -> R) -> R {
        act(self)
    }
}

/// One call. Links are numbered; a subject takes the number modulo what it has.
#[derive(Clone, Debug)]
pub enum Op {
    Send {
        link: u8,
        len: u16,
    },
    SendFunctional {
        link: u8,
        len: u8,
    },
    AbortSend(u8),
    AbortReceive(u8),
    Configure {
        link: u8,
        stmin: bool,
        value: u16,
    },
    Frame {
        link: u8,
        functional: bool,
        idea: Idea,
    },
    Transmitted(TokenIdea),
    Failed(TokenIdea),
    Timeout,
    Poll(Take),
    Drain,
    TakePayload(u8),
    Moods {
        link: u8,
        moods: u32,
    },
    Clock(Step),
}

/// What a received frame holds.
#[derive(Clone, Debug)]
pub enum Idea {
    Single(u8),
    First(u32),
    /// With the sequence number that is due.
    Next,
    Consecutive(u8),
    Flow(u8, u8, u8),
    Raw(Vec<u8>),
}

/// Which frame is confirmed, or fails.
#[derive(Clone, Debug)]
pub enum TokenIdea {
    /// The newest but so many.
    Given(u8),
    Any(u64),
}

/// What becomes of a frame that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    Commit,
    Reject,
    Drop,
}

/// How the clock moves: by microseconds, or to a moment.
#[derive(Clone, Debug)]
pub enum Step {
    Forward(u32),
    Backward(u32),
    Hour,
    ToDeadline,
    EndOfTime,
}

/// Any call but the end of time, after which none makes a difference.
pub fn op(choices: &mut impl Choose) -> Op {
    Draw(choices).op()
}

/// Draws the parts of a call.
struct Draw<'a, C>(&'a mut C);

impl<C: Choose> Draw<'_, C> {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.below(bound.into()) as u32
    }

    fn byte(&mut self) -> u8 {
        self.0.byte()
    }

    fn bytes(&mut self, bound: u32) -> Vec<u8> {
        self.0.bytes(bound.into())
    }

    fn op(&mut self) -> Op {
        let link = self.below(8) as u8;
        match self.below(81) {
            0..4 => Op::Send {
                link,
                len: self.below(200) as u16,
            },
            4 => Op::SendFunctional {
                link,
                len: self.below(9) as u8,
            },
            5 => Op::AbortSend(link),
            6 => Op::AbortReceive(link),
            7 => Op::Configure {
                link,
                stmin: self.below(2) == 0,
                value: self.below(0x120) as u16,
            },
            8..28 => Op::Frame {
                link,
                functional: self.below(20) == 0,
                idea: self.idea(),
            },
            28..34 => Op::Transmitted(self.token()),
            34..36 => Op::Failed(self.token()),
            36..42 => Op::Timeout,
            42..62 => Op::Poll(match self.below(11) {
                0 => Take::Reject,
                1..3 => Take::Drop,
                _ => Take::Commit,
            }),
            62..70 => Op::Drain,
            70 => Op::TakePayload(link),
            71 => Op::Moods {
                link,
                moods: self.below(u32::MAX),
            },
            _ => Op::Clock(self.step()),
        }
    }

    fn idea(&mut self) -> Idea {
        match self.below(21) {
            0..2 => Idea::Single(self.below(10) as u8),
            2..6 => Idea::First(match self.below(8) {
                0 => 4000 + self.below(1000),
                1 => self.below(u32::MAX),
                _ => 6 + self.below(200),
            }),
            6 => Idea::Consecutive(self.byte()),
            7 => Idea::Raw(self.bytes(70)),
            8..13 => Idea::Flow(self.below(5) as u8, self.below(4) as u8, self.byte()),
            _ => Idea::Next,
        }
    }

    fn token(&mut self) -> TokenIdea {
        match self.below(8) {
            0 => TokenIdea::Any(self.0.long()),
            1 => TokenIdea::Any(self.below(64).into()),
            _ => TokenIdea::Given(self.below(4) as u8),
        }
    }

    fn step(&mut self) -> Step {
        match self.below(16) {
            0 => Step::Hour,
            1 => Step::Backward(self.below(3_000_000)),
            2..8 => Step::ToDeadline,
            _ => Step::Forward(self.below(300_000)),
        }
    }
}

/// Calls a subject, with a clock and the tokens that it gave.
#[derive(Debug)]
pub struct Caller<'a, M> {
    pub subject: &'a mut M,
    pub now: Instant,
    pub frames: Vec<Frame>,
    pub events: Vec<(u32, Happening)>,
    addresses: Vec<(Address, FrameKind)>,
    tokens: Vec<TxToken>,
    due: Vec<u8>,
    frame: Frame,
    messages: u64,
}

impl<'a, M: Subject> Caller<'a, M> {
    /// For a subject of so many links.
    pub fn new(subject: &'a mut M, links: usize) -> Self {
        let addresses = (0..links)
            .map(|index| subject.with_link(index, |link| (*link.address(), link.config().kind)))
            .collect();
        Self {
            subject,
            now: Instant::from_millis(5_000),
            frames: Vec::new(),
            events: Vec::new(),
            addresses,
            tokens: Vec::new(),
            due: vec![1; links],
            frame: Frame::new(),
            messages: 0,
        }
    }

    /// Makes one call.
    pub fn call(&mut self, op: &Op) {
        let now = self.now;
        match op {
            Op::Frame {
                link,
                functional,
                idea,
            } => self.receive(*link, *functional, idea),
            Op::Transmitted(idea) => {
                let token = self.token(idea);
                self.subject.handle_transmitted(now, token);
            }
            Op::Failed(idea) => {
                let token = self.token(idea);
                self.subject.handle_failed(now, token);
            }
            Op::Timeout => self.subject.handle_timeout(now),
            Op::Poll(take) => {
                self.poll(*take);
            }
            Op::Drain => self.drain(),
            Op::Clock(step) => self.step(step),
            command => self.command(command),
        }
    }

    /// Polls once; says whether there was a frame.
    pub fn poll(&mut self, take: Take) -> bool {
        let Some(transmit) = self.subject.poll_transmit(self.now, &mut self.frame) else {
            return false;
        };
        match take {
            Take::Commit => {
                let token = transmit.commit(self.now);
                self.subject.note_committed(self.now, token);
                self.tokens.push(token);
                self.frames.push(self.frame.clone());
            }
            Take::Reject => {
                transmit.reject(self.now);
                self.subject.note_rejected(self.now);
            }
            Take::Drop => drop(transmit),
        }
        true
    }

    /// Takes all events.
    pub fn drain(&mut self) {
        while let Some(happening) = self.subject.poll_happening() {
            self.events.push(happening);
        }
    }

    fn command(&mut self, op: &Op) {
        let now = self.now;
        self.messages += 1;
        let message = self.messages;
        let of = |link: &u8| usize::from(*link) % self.due.len();
        match op {
            Op::Send { link, len } => self.subject.with_link(of(link), |link| {
                let _ = link.send(now, pattern(message, usize::from(*len)));
            }),
            Op::SendFunctional { link, len } => self.subject.with_link(of(link), |link| {
                let _ = link.send_functional(now, pattern(message, usize::from(*len)));
            }),
            Op::AbortSend(link) => self
                .subject
                .with_link(of(link), |link| link.abort_send(now)),
            Op::AbortReceive(link) => {
                self.subject
                    .with_link(of(link), |link| link.abort_receive(now));
            }
            Op::Configure { link, stmin, value } => self.subject.with_link(of(link), |link| {
                let parameter = if *stmin {
                    Parameter::StMin
                } else {
                    Parameter::BlockSize
                };
                let _ = link.configure(parameter, u32::from(*value));
            }),
            Op::TakePayload(link) => self.subject.with_link(of(link), |link| {
                let _ = (link.take_payload(), link.take_functional_payload());
            }),
            Op::Moods { link, moods } => self.subject.with_link(of(link), |link| {
                link.buffer_mut().set_moods(*moods);
            }),
            _ => {}
        }
    }

    fn receive(&mut self, link: u8, functional: bool, idea: &Idea) {
        let index = usize::from(link) % self.due.len();
        let (address, kind) = self.addresses[index];
        let half = match address.functional_rx() {
            Some(half) if functional => half,
            _ => address.rx(),
        };
        let data = match idea {
            Idea::Raw(raw) => raw.clone(),
            idea => self.bytes(index, Format::prefix(&address), idea),
        };
        self.subject.handle_frame(
            self.now,
            FrameView {
                id: half.id(),
                kind,
                data: &data,
            },
        );
    }

    fn bytes(&mut self, index: usize, prefix: Option<u8>, idea: &Idea) -> Vec<u8> {
        let mut data: Vec<u8> = prefix.into_iter().collect();
        match *idea {
            Idea::Single(len) => {
                data.push(len);
                data.extend(pattern(self.messages, usize::from(len)));
            }
            Idea::First(size) => {
                self.due[index] = 1;
                if size <= 0xFFF {
                    data.extend([0x10 | (size >> 8) as u8, size as u8]);
                } else {
                    data.extend([0x10, 0]);
                    data.extend(size.to_be_bytes());
                }
            }
            Idea::Next => {
                data.push(0x20 | self.due[index] & 0xF);
                self.due[index] = self.due[index].wrapping_add(1);
            }
            Idea::Consecutive(sn) => data.push(0x20 | sn & 0xF),
            Idea::Flow(status, bs, st) => data.extend([0x30 | status, bs, st]),
            Idea::Raw(_) => {}
        }
        if !matches!(idea, Idea::Single(_)) {
            data.resize(8, 0x55);
        }
        data
    }

    fn token(&self, idea: &TokenIdea) -> TxToken {
        match idea {
            TokenIdea::Any(bits) => TxToken::from_bits(*bits),
            TokenIdea::Given(age) => {
                let index = self.tokens.len().checked_sub(1 + usize::from(*age));
                let token = index.and_then(|index| self.tokens.get(index));
                token.copied().unwrap_or(TxToken::from_bits(0))
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let micros = self.now.as_micros();
        self.now = match step {
            Step::Forward(by) => Instant::from_micros(micros.saturating_add((*by).into())),
            Step::Backward(by) => Instant::from_micros(micros.saturating_sub(u64::from(*by))),
            Step::Hour => self.now + Duration::from_secs(3600),
            Step::ToDeadline => self.subject.poll_timeout().map_or(self.now, |next| next.at),
            Step::EndOfTime => Instant::MAX,
        };
    }
}
