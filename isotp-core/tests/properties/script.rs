//! Random calls in any order, with any bytes, tokens and clocks.

use core::time::Duration;

use isotp_core::{Address, Frame, FrameKind, FrameView, Instant, Parameter, TxToken};
use isotp_sim::{Happening, Node};
use proptest::prelude::*;

use crate::setup::{Format, TestLink, pattern};

/// One or more links, as one machine.
pub(crate) trait Subject: Node {
    fn with_link<R>(&mut self, index: usize, act: impl FnOnce(&mut TestLink) -> R) -> R;
}

impl Subject for TestLink {
    fn with_link<R>(&mut self, _index: usize, act: impl FnOnce(&mut TestLink) -> R) -> R {
        act(self)
    }
}

/// One call. Links are numbered; a subject takes the number modulo what it has.
#[derive(Clone, Debug)]
pub(crate) enum Op {
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
pub(crate) enum Idea {
    Single(u8),
    First(u32),
    /// With the sequence number that is due.
    Next,
    Consecutive(u8),
    Flow(u8, u8, u8),
    Raw(Vec<u8>),
}

#[derive(Clone, Debug)]
pub(crate) enum TokenIdea {
    /// The newest but so many.
    Given(u8),
    Any(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Commit,
    Reject,
    Drop,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Forward(u32),
    Backward(u32),
    Hour,
    ToDeadline,
    EndOfTime,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let link = || 0..8u8;
    let frame = (link(), proptest::bool::weighted(0.05), idea());
    prop_oneof![
        4 => (link(), 0..200u16).prop_map(|(link, len)| Op::Send { link, len }),
        1 => (link(), 0..9u8).prop_map(|(link, len)| Op::SendFunctional { link, len }),
        1 => link().prop_map(Op::AbortSend),
        1 => link().prop_map(Op::AbortReceive),
        1 => (link(), any::<bool>(), 0..0x120u16)
            .prop_map(|(link, stmin, value)| Op::Configure { link, stmin, value }),
        20 => frame.prop_map(|(link, functional, idea)| Op::Frame { link, functional, idea }),
        6 => token().prop_map(Op::Transmitted),
        2 => token().prop_map(Op::Failed),
        6 => Just(Op::Timeout),
        20 => take().prop_map(Op::Poll),
        8 => Just(Op::Drain),
        1 => link().prop_map(Op::TakePayload),
        1 => (link(), any::<u32>()).prop_map(|(link, moods)| Op::Moods { link, moods }),
        10 => step().prop_map(Op::Clock),
    ]
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(op(), 1..120)
}

fn idea() -> impl Strategy<Value = Idea> {
    let size = prop_oneof![6 => 6..200u32, 1 => 4000..5000u32, 1 => any::<u32>()];
    let raw = proptest::collection::vec(any::<u8>(), 0..70);
    prop_oneof![
        2 => (0..10u8).prop_map(Idea::Single),
        4 => size.prop_map(Idea::First),
        8 => Just(Idea::Next),
        1 => any::<u8>().prop_map(Idea::Consecutive),
        5 => (0..5u8, 0..4u8, any::<u8>()).prop_map(|(fs, bs, st)| Idea::Flow(fs, bs, st)),
        1 => raw.prop_map(Idea::Raw),
    ]
}

fn token() -> impl Strategy<Value = TokenIdea> {
    prop_oneof![
        6 => (0..4u8).prop_map(TokenIdea::Given),
        1 => any::<u64>().prop_map(TokenIdea::Any),
        1 => (0..64u64).prop_map(TokenIdea::Any),
    ]
}

fn take() -> impl Strategy<Value = Take> {
    prop_oneof![8 => Just(Take::Commit), 1 => Just(Take::Reject), 2 => Just(Take::Drop)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..300_000u32).prop_map(Step::Forward),
        1 => (0..3_000_000u32).prop_map(Step::Backward),
        1 => Just(Step::Hour),
        6 => Just(Step::ToDeadline),
    ]
}

/// Calls a subject, with a clock and the tokens that it gave.
pub(crate) struct Caller<'a, M> {
    pub(crate) subject: &'a mut M,
    pub(crate) now: Instant,
    pub(crate) frames: Vec<Frame>,
    pub(crate) events: Vec<(u32, Happening)>,
    addresses: Vec<(Address, FrameKind)>,
    tokens: Vec<TxToken>,
    due: Vec<u8>,
    frame: Frame,
    messages: u64,
}

impl<'a, M: Subject> Caller<'a, M> {
    pub(crate) fn new(subject: &'a mut M, links: usize) -> Self {
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

    pub(crate) fn call(&mut self, op: &Op) {
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
    pub(crate) fn poll(&mut self, take: Take) -> bool {
        let Some(transmit) = self.subject.poll_transmit(self.now, &mut self.frame) else {
            return false;
        };
        match take {
            Take::Commit => {
                self.tokens.push(transmit.commit(self.now));
                self.frames.push(self.frame.clone());
            }
            Take::Reject => transmit.reject(self.now),
            Take::Drop => drop(transmit),
        }
        true
    }

    pub(crate) fn drain(&mut self) {
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
