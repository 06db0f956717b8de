//! The reference's account of one link.

use isotp_core::pdu::{FlowStatus, Pdu};
use isotp_core::{Config, Frame, FrameView, Half, Id, Instant, Timeout, TxToken};
use isotp_sim::Happening;
use isotp_testkit::{LIMIT, Setup};

use crate::model::{Memory, Receiving, Said, Sending, Terms, decode, frame_of};
use crate::{Verdict, ensure};

/// What one link must do, by the reference.
pub(super) struct Account {
    config: Config,
    tx: Half,
    rx: Half,
    moods: u32,
    now: Instant,
    receiving: Receiving,
    sending: Option<Sending>,
    tokens: Tokens,
    /// What the link told, and what came of its message.
    told: Vec<Said>,
    outcome: Option<&'static str>,
}

/// Which frames were committed.
#[derive(Default)]
struct Tokens {
    /// Of the message that is being sent, by position.
    data: Vec<TxToken>,
    /// Of the newest flow control.
    flow: Option<TxToken>,
    /// Whether the frame that was offered last is a flow control.
    offers_flow: bool,
}

impl Account {
    pub(super) fn new(setup: &Setup, side: usize) -> Self {
        let (config, address) = (setup.config(side), setup.address(side));
        Self {
            tx: address.tx(),
            rx: address.rx(),
            moods: setup.sides[side].moods,
            now: Instant::ZERO,
            receiving: Receiving::new(Terms::of(&config, LIMIT), Memory::FREE),
            sending: None,
            tokens: Tokens::default(),
            told: Vec::new(),
            outcome: None,
            config,
        }
    }

    pub(super) const fn id(&self) -> Id {
        self.rx.id()
    }

    pub(super) const fn is_moody(&self) -> bool {
        self.moods != 0
    }

    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    /// Whether the buffer is ready from now on, if that has changed: a bit for every 16 ms.
    pub(super) fn mood(&mut self, now: Instant) -> Option<bool> {
        let bit = (now.as_micros() >> 14) as u32 % 32;
        let ready_below = match self.moods.rotate_right(bit) & 1 {
            0 => u32::MAX,
            _ => 0,
        };
        let before = core::mem::replace(&mut self.receiving.memory.ready_below, ready_below);
        (before != ready_below).then_some(ready_below != 0)
    }

    /// Its clock never runs backward.
    pub(super) fn pass(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Whether a message is accepted.
    pub(super) fn send(&mut self, now: Instant, payload: Vec<u8>) -> bool {
        if self.sending.is_some() {
            return false;
        }
        self.pass(now);
        self.tokens.data.clear();
        let config = self.config.clone();
        self.sending = Some(Sending::new(self.now, config, self.tx, payload));
        true
    }

    pub(super) fn time(&mut self, now: Instant) {
        self.pass(now);
        self.receiving.time(self.now);
        if let Some(sending) = &mut self.sending {
            sending.time(self.now);
        }
    }

    /// A frame with the id of this link.
    pub(super) fn hear(&mut self, now: Instant, frame: &FrameView<'_>) {
        self.pass(now);
        let data = frame.data;
        let x = self.rx.prefix_len();
        if data.get(..x) != Some(self.rx.byte().as_slice())
            || frame.kind.is_fd() != self.config.kind.is_fd()
        {
            return;
        }
        match decode(data, x, self.receiving.reading()) {
            Some(Pdu::FlowControl(flow)) => {
                if let Some(sending) = &mut self.sending {
                    sending.flow(self.now, flow);
                }
            }
            _ => self.receiving.hear(self.now, data, x),
        }
    }

    pub(super) fn transmitted(&mut self, now: Instant, token: TxToken) {
        self.pass(now);
        if self.tokens.flow == Some(token) {
            self.receiving.confirmed(self.now);
        }
        let index = self.tokens.data.iter().rposition(|data| *data == token);
        if let (Some(index), Some(sending)) = (index, &mut self.sending) {
            sending.confirmed(self.now, index);
        }
    }

    pub(super) fn failed(&mut self, now: Instant, token: TxToken) {
        self.pass(now);
        if self.tokens.flow == Some(token) {
            self.receiving.failed(self.now);
        }
        let index = self.tokens.data.iter().rposition(|data| *data == token);
        if let (Some(index), Some(sending)) = (index, &mut self.sending) {
            sending.failed(index);
            self.tokens.data.truncate(sending.count());
        }
    }

    /// The frame that may go now, flow control first.
    pub(super) fn offer(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.pass(now);
        let status = self.receiving.offer(self.now);
        self.tokens.offers_flow = status.is_some();
        let Some(status) = status else {
            return self.sending.as_mut()?.offer(self.now);
        };
        let status = match status {
            FlowStatus::ContinueToSend => 0x30,
            FlowStatus::Wait => 0x31,
            _ => 0x32,
        };
        let receive = &self.config.receive;
        let content = [status, receive.block_size, receive.st_min.code()];
        Some(frame_of(&self.config, self.tx, &content))
    }

    /// Whether this is the frame that may go now.
    pub(super) fn same(&mut self, now: Instant, frame: &Frame) -> Verdict {
        let expected = self.offer(now);
        ensure!(
            expected.as_deref() == Some(frame.data()),
            "offers {frame}, expected {expected:02X?}"
        );
        ensure!(
            frame.id() == self.tx.id() && frame.kind() == self.config.kind,
            "{frame} is none of its frames"
        );
        Ok(())
    }

    pub(super) fn committed(&mut self, now: Instant, token: TxToken) {
        self.pass(now);
        if self.tokens.offers_flow {
            self.tokens.flow = Some(token);
            self.receiving.committed(self.now);
        } else if let Some(sending) = &mut self.sending {
            self.tokens.data.push(token);
            sending.committed(self.now);
        }
    }

    pub(super) fn rejected(&mut self) {
        if self.tokens.offers_flow {
            self.receiving.rejected();
        } else if let Some(sending) = &mut self.sending {
            sending.aborted();
        }
    }

    /// The link told something.
    pub(super) fn told(&mut self, event: &Happening) -> Verdict {
        self.told.push(match event {
            Happening::FirstFrame { size } => Said::First(*size),
            Happening::Received { data, .. } => Said::Message(data.clone()),
            Happening::ReceptionFailed(result) => Said::Failed(result.name()),
            Happening::Confirmed(result) => {
                ensure!(self.outcome.is_none(), "P8: a second outcome");
                self.outcome = Some(result.name());
                return Ok(());
            }
            other => return Err(format!("told {other}")),
        });
        Ok(())
    }

    /// Whether the link told what the reference did, and has its deadline.
    pub(super) fn agree(&mut self, deadline: Option<Timeout>) -> Verdict {
        let expected = core::mem::take(&mut self.receiving.said);
        let told = core::mem::take(&mut self.told);
        ensure!(told == expected, "told {told:?}, expected {expected:?}");
        let expected = self.sending.as_ref().and_then(Sending::outcome);
        let outcome = self.outcome.take();
        ensure!(
            outcome == expected,
            "a message ended with {outcome:?}, expected {expected:?}"
        );
        if outcome.is_some() {
            self.sending = None;
        }
        let sending = self.sending.as_ref().and_then(Sending::deadline);
        let expected = sending.into_iter().chain(self.receiving.deadline()).min();
        let expected = expected.map(|at| at.max(self.now));
        ensure!(
            deadline.map(|next| next.at) == expected,
            "{deadline:?}, expected {expected:?}"
        );
        Ok(())
    }
}
