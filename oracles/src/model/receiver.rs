//! The reference for receiving: one message at a time, with its flow controls and its timers.

use isotp_core::pdu::{FlowControl, FlowStatus, Pdu, Reading};
use isotp_core::{Config, Confirmation, Instant, Timing};

use super::{allowed, decode};

/// What a receiver tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A segmented message of so many bytes begins.
    First(u32),
    /// A whole message.
    Message(Vec<u8>),
    /// The standard's name of what ended a reception.
    Failed(&'static str),
    /// An observer saw a flow control.
    Flow(FlowControl),
    /// So many messages found no room.
    Dropped(u16),
}

/// What a receiver was told before it began.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The longest message that it takes.
    pub limit: u32,
    /// BS.
    pub block_size: u8,
    /// N_WFTmax.
    pub max_wait: u8,
    /// N_Ar, N_Br and N_Cr.
    pub timing: Timing,
    /// PCI-08 and D-01.
    pub reading: Reading,
    /// FC-11.
    pub listens: bool,
    /// Whether a flow control is on the bus only when somebody says so.
    pub reported: bool,
}

impl Terms {
    /// Those of a configuration and a buffer.
    #[must_use]
    pub fn of(config: &Config, limit: u32) -> Self {
        let receive = &config.receive;
        Self {
            limit,
            block_size: receive.block_size,
            max_wait: receive.max_wait,
            timing: config.timing.clone(),
            reading: Reading {
                padding: receive.padding,
                lenient_length: receive.lenient_length,
            },
            listens: receive.listen_only,
            reported: config.confirmation == Confirmation::Reported,
        }
    }
}

/// How a buffer answers; its owner changes it at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// It is ready for a block while it holds fewer bytes.
    pub ready_below: u32,
    /// It never takes more bytes.
    pub full_at: u32,
}

impl Memory {
    /// Always ready.
    pub const FREE: Self = Self {
        ready_below: u32::MAX,
        full_at: u32::MAX,
    };
}

/// A receiver.
#[derive(Clone, Debug)]
pub struct Receiving {
    terms: Terms,
    /// How its buffer answers.
    pub memory: Memory,
    /// What it told since somebody looked.
    pub said: Vec<Said>,
    running: Option<Running>,
    /// An FC.OVFLW waits for the controller since then.
    refusing: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Running {
    size: usize,
    /// What the buffer holds.
    bytes: Vec<u8>,
    /// The bytes of the first frame, until the buffer is ready.
    head: Vec<u8>,
    rx_dl: usize,
    next: u8,
    in_block: u32,
    waits: u8,
    step: Step,
    since: Instant,
    /// Consecutive frames that came before the confirmation of the flow control (TIM-10).
    early: Vec<(u8, Vec<u8>, usize)>,
}

/// What a reception waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The buffer.
    Owed,
    /// The controller, to take a flow control.
    Offer { wait: bool },
    /// The confirmation of a flow control.
    Sent { wait: bool },
    /// Consecutive frames.
    Frames,
}

impl Receiving {
    /// An idle receiver.
    #[must_use]
    pub const fn new(terms: Terms, memory: Memory) -> Self {
        Self {
            terms,
            memory,
            said: Vec::new(),
            running: None,
            refusing: None,
        }
    }

    /// How it reads frames.
    #[must_use]
    pub const fn reading(&self) -> Reading {
        self.terms.reading
    }

    /// When its timer expires, if one runs.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let timing = &self.terms.timing;
        if let Some(since) = self.refusing {
            return Some(since + timing.n_ar);
        }
        let running = self.running.as_ref()?;
        Some(match running.step {
            Step::Owed => running.since + timing.n_br,
            Step::Offer { .. } | Step::Sent { .. } => running.since + timing.n_ar,
            Step::Frames => running.since + timing.n_cr,
        })
    }

    /// Time has passed: TIM-08, FC-07, FC-08, RXE-02.
    pub fn time(&mut self, now: Instant) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.ask(now);
        }
        if self.deadline().is_none_or(|at| at > now) {
            return;
        }
        if self.refusing.take().is_some() {
            return;
        }
        let Some(running) = &mut self.running else {
            return;
        };
        match running.step {
            Step::Owed if running.waits < self.terms.max_wait => {
                running.step = Step::Offer { wait: true };
                running.since = now;
            }
            Step::Owed => self.fail("N_WFT_OVRN"),
            Step::Offer { .. } | Step::Sent { .. } => self.fail("N_TIMEOUT_A"),
            Step::Frames => self.fail("N_TIMEOUT_Cr"),
        }
    }

    /// A frame with `x` address bytes.
    pub fn hear(&mut self, now: Instant, frame: &[u8], x: usize) {
        match decode(frame, x, self.terms.reading) {
            Some(Pdu::SingleFrame { data }) => {
                self.cut_short(now);
                // RXE-06
                if data.len() <= self.terms.limit as usize {
                    self.said.push(Said::Message(data.to_vec()));
                }
            }
            Some(Pdu::FirstFrame { size, data }) => self.begin(now, size, data, frame.len()),
            Some(Pdu::ConsecutiveFrame {
                sequence_number,
                data,
            }) => self.go_on(now, sequence_number, data, frame.len()),
            _ => {}
        }
    }

    /// The status of the flow control that wants to go out now.
    pub fn offer(&mut self, now: Instant) -> Option<FlowStatus> {
        self.ask(now);
        if self.refusing.is_some() {
            return Some(FlowStatus::Overflow);
        }
        match self.running.as_ref()?.step {
            Step::Offer { wait: true } => Some(FlowStatus::Wait),
            Step::Offer { wait: false } => Some(FlowStatus::ContinueToSend),
            _ => None,
        }
    }

    /// The controller took it.
    pub fn committed(&mut self, now: Instant) {
        if self.refusing.take().is_some() {
            return;
        }
        if let Some(running) = &mut self.running
            && let Step::Offer { wait } = running.step
        {
            running.step = Step::Sent { wait };
            if wait {
                running.waits += 1;
            } else {
                (running.waits, running.in_block) = (0, 0);
            }
        }
        if !self.terms.reported {
            self.confirmed(now);
        }
    }

    /// It is on the bus: TIM-03, TIM-10.
    pub fn confirmed(&mut self, now: Instant) {
        let Some(running) = &mut self.running else {
            return;
        };
        let Step::Sent { wait } = running.step else {
            return;
        };
        running.since = now;
        running.step = if wait { Step::Owed } else { Step::Frames };
        for (number, data, can_dl) in core::mem::take(&mut running.early) {
            self.go_on(now, number, &data, can_dl);
        }
    }

    /// It will not go out: it is offered again, unless the peer has answered it.
    pub fn failed(&mut self, now: Instant) {
        if self.is_answered(now) {
            return self.confirmed(now);
        }
        if let Some(running) = &mut self.running
            && let Step::Sent { wait } = running.step
        {
            running.waits -= u8::from(wait);
            running.step = Step::Offer { wait };
        }
    }

    /// The controller will never take it (SVC-09).
    pub fn rejected(&mut self) {
        self.refusing = None;
        self.fail("N_ERROR");
    }

    /// The user gives up (SVC-08).
    pub fn abort(&mut self) {
        self.fail("N_ERROR");
    }

    /// Listening only: the other side answered the message.
    pub fn keep_alive(&mut self, now: Instant) {
        if let Some(running) = &mut self.running {
            running.since = now;
        }
    }

    /// A running reception ends.
    pub fn fail(&mut self, name: &'static str) {
        if self.running.take().is_some() {
            self.said.push(Said::Failed(name));
        }
    }

    /// How many bytes of the running message are in the buffer.
    #[must_use]
    pub fn received(&self) -> Option<usize> {
        self.running.as_ref().map(|running| running.bytes.len())
    }

    /// UNX-02; a message that was complete but for a confirmation is one (TIM-10).
    fn cut_short(&mut self, now: Instant) {
        self.refusing = None;
        if self.awaits_confirmation() {
            let ahead = self.ahead(now);
            if ahead.running.is_none() && matches!(ahead.said.last(), Some(Said::Message(_))) {
                *self = ahead;
            }
        }
        self.fail("N_UNEXP_PDU");
    }

    /// As if a flow control that awaits its confirmation had it.
    fn ahead(&self, now: Instant) -> Self {
        let mut ahead = self.clone();
        ahead.confirmed(now);
        ahead
    }

    /// Whether the peer has begun the block of a flow control that is not confirmed.
    fn is_answered(&self, now: Instant) -> bool {
        self.awaits_confirmation() && self.ahead(now).received() != self.received()
    }

    fn awaits_confirmation(&self) -> bool {
        let step = self.running.as_ref().map(|running| running.step);
        step == Some(Step::Sent { wait: false })
    }

    /// SVC-03, FC-01, FC-08.
    fn begin(&mut self, now: Instant, size: u32, data: &[u8], can_dl: usize) {
        self.cut_short(now);
        if size > self.terms.limit {
            self.refusing = (!self.terms.listens).then_some(now);
            return;
        }
        let room = self.memory.ready_below > 0 && data.len() <= self.memory.full_at as usize;
        if self.terms.listens && !room {
            self.said.push(Said::Dropped(1));
            return;
        }
        self.said.push(Said::First(size));
        self.running = Some(Running {
            size: size as usize,
            bytes: Vec::new(),
            head: data.to_vec(),
            rx_dl: can_dl,
            next: 1,
            in_block: 0,
            waits: 0,
            step: Step::Owed,
            since: now,
            early: Vec::new(),
        });
        // a message that waits to be taken is in the buffer
        if !matches!(self.said.as_slice(), [.., Said::Message(_), Said::First(_)]) {
            self.ask(now);
        }
    }

    /// RXE-04: a buffer that was not ready is asked again.
    fn ask(&mut self, now: Instant) {
        let Some(running) = &mut self.running else {
            return;
        };
        let asks = matches!(running.step, Step::Owed | Step::Offer { wait: true });
        if !asks || running.bytes.len() >= self.memory.ready_below as usize {
            return;
        }
        running.bytes.append(&mut running.head);
        running.since = now;
        running.step = if self.terms.listens {
            Step::Frames
        } else {
            Step::Offer { wait: false }
        };
        self.check_room();
    }

    fn check_room(&mut self) {
        if self.received().unwrap_or(0) > self.memory.full_at as usize {
            self.fail("N_ERROR");
        }
    }

    /// PCI-15 to PCI-18, RXE-01, RXE-05, UNX-05.
    fn go_on(&mut self, now: Instant, number: u8, data: &[u8], can_dl: usize) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.step == (Step::Sent { wait: false }) {
            running.early.push((number, data.to_vec(), can_dl));
        }
        if running.step != Step::Frames {
            return;
        }
        let remaining = running.size - running.bytes.len();
        let header = can_dl - data.len();
        let is_last = header + remaining <= running.rx_dl;
        let fits = if is_last {
            header + remaining <= can_dl
                && can_dl <= running.rx_dl
                && allowed(self.terms.reading.padding, can_dl, header + remaining)
        } else {
            can_dl == running.rx_dl
        };
        if !fits {
            return;
        }
        if number != running.next {
            return self.fail("N_WRONG_SN");
        }
        running.bytes.extend(data.iter().take(remaining));
        running.next = (running.next + 1) % 16;
        running.in_block += 1;
        running.since = now;
        let (complete, in_block) = (running.bytes.len() == running.size, running.in_block);
        if complete && running.bytes.len() <= self.memory.full_at as usize {
            let bytes = core::mem::take(&mut running.bytes);
            self.running = None;
            self.said.push(Said::Message(bytes));
        } else if in_block == u32::from(self.terms.block_size) && !self.terms.listens {
            running.step = Step::Owed;
            self.check_room();
            self.ask(now);
        } else {
            self.check_room();
        }
    }
}
