//! The reference for sending: one message, cut into frames, and when each of them may go.

use core::time::Duration;

use isotp_core::pdu::{FlowControl, FlowStatus};
use isotp_core::{Config, Confirmation, FlowControlUse, Half, Instant};

/// One message on its way out.
#[derive(Clone, Debug)]
pub struct Sending {
    config: Config,
    half: Half,
    payload: Vec<u8>,
    frames: usize,
    committed: usize,
    confirmed: usize,
    /// So many frames may go before a flow control must come.
    allowed: usize,
    /// BS and STmin of the flow control that holds.
    terms: Option<(u8, Duration)>,
    /// The flow control that came before the confirmation of the frame that it answers (TIM-10).
    kept: Option<FlowControl>,
    /// FC.WAIT in a row.
    waits: u8,
    /// STmin after a confirmation is not over.
    gap: bool,
    since: Instant,
    outcome: Option<&'static str>,
}

impl Sending {
    /// N_USData.request.
    #[must_use]
    pub fn new(now: Instant, config: Config, half: Half, payload: Vec<u8>) -> Self {
        let (x, tx_dl) = (half.prefix_len(), usize::from(config.transmit.tx_dl));
        let frames = if payload.len() <= single(tx_dl, x) {
            1
        } else {
            let rest = payload.len() - first(payload.len(), tx_dl, x);
            1 + rest.div_ceil(tx_dl - 1 - x)
        };
        Self {
            config,
            half,
            payload,
            frames,
            committed: 0,
            confirmed: 0,
            allowed: 1,
            terms: None,
            kept: None,
            waits: 0,
            gap: false,
            since: now,
            outcome: None,
        }
    }

    /// The standard's name of how it ended, once it has.
    #[must_use]
    pub const fn outcome(&self) -> Option<&'static str> {
        self.outcome
    }

    /// When its timer expires.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.outcome.is_some() {
            return None;
        }
        let timing = &self.config.timing;
        Some(if self.gap {
            self.since + self.st_min()
        } else if self.awaits_flow() {
            self.since + timing.n_bs
        } else {
            self.since + timing.n_as
        })
    }

    /// Time has passed: TIM-02, TIM-04.
    pub fn time(&mut self, now: Instant) {
        if self.deadline().is_none_or(|at| at > now) {
            return;
        }
        if core::mem::take(&mut self.gap) {
            self.since = now;
        } else if self.awaits_flow() {
            self.outcome = Some("N_TIMEOUT_Bs");
        } else {
            self.outcome = Some("N_TIMEOUT_A");
        }
    }

    /// The frame that may go now, if one may: P6, FC-02.
    pub fn offer(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.gap && self.since + self.st_min() <= now {
            self.gap = false;
            self.since = now;
        }
        let in_flight = self.committed - self.confirmed;
        let several = usize::from(self.config.transmit.in_flight);
        let free = in_flight == 0 || (self.st_min().is_zero() && in_flight < several);
        let may = self.outcome.is_none()
            && !self.gap
            && free
            && self.committed < self.allowed.min(self.frames);
        may.then(|| self.frame(self.committed))
    }

    /// The controller took it.
    pub fn committed(&mut self, now: Instant) {
        self.committed += 1;
        if self.config.confirmation == Confirmation::OnCommit {
            self.confirmed(now, self.committed - 1);
        }
    }

    /// The frame `index` of this message is on the bus, and so are those before it.
    pub fn confirmed(&mut self, now: Instant, index: usize) {
        if self.outcome.is_some() || index < self.confirmed || index >= self.committed {
            return;
        }
        self.confirmed = index + 1;
        self.since = now;
        if self.confirmed == self.frames {
            self.outcome = Some("N_OK");
        } else if self.awaits_flow() {
            if let Some(flow) = self.kept.take() {
                self.take(now, flow);
            }
        } else {
            self.gap = self.confirmed == self.committed && !self.st_min().is_zero();
        }
    }

    /// The frame `index` of this message will not go out: SVC-09.
    pub fn failed(&mut self, index: usize) {
        if self.outcome.is_some() || index < self.confirmed || index >= self.committed {
            return;
        }
        if self.committed - self.confirmed > 1 {
            self.outcome = Some("N_ERROR");
        } else {
            self.committed -= 1;
            (self.kept, self.waits) = (None, 0);
        }
    }

    /// The controller will never take a frame (SVC-09), or the user gives up (SVC-08).
    pub fn aborted(&mut self) {
        self.outcome.get_or_insert("N_ERROR");
    }

    /// A flow control: FC-03, FC-10, TIM-07, TIM-10.
    pub fn flow(&mut self, now: Instant, flow: FlowControl) {
        let block_over = self.committed == self.allowed && self.committed < self.frames;
        if self.outcome.is_some() || !block_over {
            return;
        }
        if self.confirmed == self.committed {
            self.take(now, flow);
        } else if self.kept.is_none() {
            let waits = flow.status == FlowStatus::Wait && self.may_wait();
            self.kept = (!waits).then_some(flow);
        }
    }

    /// How many frames the controller took.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.committed
    }

    /// FC-02, FC-04, FC-09.
    fn take(&mut self, now: Instant, flow: FlowControl) {
        self.since = now;
        match flow.status {
            FlowStatus::ContinueToSend => {
                let told = (flow.block_size, flow.st_min.duration());
                let holds = self.config.transmit.flow_control == FlowControlUse::FirstOnly;
                let terms = self.terms.filter(|_| holds).unwrap_or(told);
                (self.terms, self.waits) = (Some(terms), 0);
                self.allowed = match terms.0 {
                    0 => usize::MAX,
                    count => self.committed + usize::from(count),
                };
            }
            FlowStatus::Wait if self.may_wait() => {}
            FlowStatus::Wait => self.outcome = Some("N_WFT_OVRN"),
            FlowStatus::Overflow => self.outcome = Some("N_BUFFER_OVFLW"),
            FlowStatus::Reserved(_) => self.outcome = Some("N_INVALID_FS"),
        }
    }

    /// Counts an FC.WAIT, unless it is one too many.
    fn may_wait(&mut self) -> bool {
        let may = self
            .config
            .transmit
            .max_wait
            .is_none_or(|limit| self.waits < limit);
        self.waits = self.waits.saturating_add(u8::from(may));
        may
    }

    fn awaits_flow(&self) -> bool {
        self.confirmed == self.allowed && self.confirmed < self.frames
    }

    fn st_min(&self) -> Duration {
        self.terms.map_or(Duration::ZERO, |(_, st_min)| st_min)
    }

    /// TXF-02 to TXF-04, PCI-09, PCI-10, PCI-15.
    fn frame(&self, index: usize) -> Vec<u8> {
        let (x, tx_dl) = (
            self.half.prefix_len(),
            usize::from(self.config.transmit.tx_dl),
        );
        let (payload, len) = (&self.payload, self.payload.len());
        let content = if self.frames == 1 {
            let short = [len as u8];
            let escape = [0, len as u8];
            let head = if len <= 7 - x {
                &short[..]
            } else {
                &escape[..]
            };
            [head, payload].concat()
        } else if index == 0 {
            let short = [0x10 | (len >> 8) as u8, len as u8];
            let head = if len <= 4095 {
                short.to_vec()
            } else {
                [&[0x10, 0][..], &(len as u32).to_be_bytes()].concat()
            };
            [&head, &payload[..first(len, tx_dl, x)]].concat()
        } else {
            let each = tx_dl - 1 - x;
            let begin = first(len, tx_dl, x) + (index - 1) * each;
            let number = [0x20 | (index % 16) as u8];
            [&number[..], &payload[begin..len.min(begin + each)]].concat()
        };
        frame_of(&self.config, self.half, &content)
    }
}

/// TXF-05 to TXF-07: the data field of a frame with this content.
#[must_use]
pub fn frame_of(config: &Config, half: Half, content: &[u8]) -> Vec<u8> {
    let mut data: Vec<u8> = half.byte().into_iter().collect();
    data.extend(content);
    let exact = !config.transmit.pad_to_8 && data.len() < 8;
    let lengths = [8, 12, 16, 20, 24, 32, 48, 64];
    let padded = lengths.into_iter().find(|len| *len >= data.len());
    if let Some(len) = padded.filter(|_| !exact) {
        data.resize(len, config.transmit.pad_byte);
    }
    data
}

/// The longest message in one frame.
const fn single(tx_dl: usize, x: usize) -> usize {
    if tx_dl == 8 { 7 - x } else { tx_dl - 2 - x }
}

/// How many bytes of a message are in its first frame.
const fn first(len: usize, tx_dl: usize, x: usize) -> usize {
    tx_dl - x - if len > 4095 { 6 } else { 2 }
}
