//! Functional messages: single frames beside the physical channel, which they never disturb (`ADR-04`,
//! `ADR-06`, `SVC-02`).

use crate::config::{Config, Confirmation, micros};
use crate::error::{Cause, NResult};
use crate::machine::SEQUENCE_MASK;
use crate::time::{Instant, Timeout, Timer};

/// One functional single frame on its way out.
///
/// | phase | input | next | deadline |
/// |---|---|---|---|
/// | Idle | request | Ready | N_As |
/// | Ready | commit | Sent | kept |
/// | Sent | confirmed | Done `N_OK` | - |
/// | Sent | frame lost | Ready | kept |
/// | Ready, Sent | N_As | Done `N_TIMEOUT_A` | - |
/// | Ready | rejected | Done `N_ERROR` | - |
#[derive(Debug)]
pub(crate) struct FunctionalTransfer {
    deadline: Instant,
    next_frame: u32,
    phase: Phase,
    result: NResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Ready,
    Sent,
    /// It ended, and the user was not told yet: see `result`.
    Done,
}

impl FunctionalTransfer {
    pub(crate) const fn new() -> Self {
        Self {
            deadline: Instant::ZERO,
            next_frame: 0,
            phase: Phase::Idle,
            result: NResult::Ok,
        }
    }

    pub(crate) fn begin(&mut self, now: Instant, config: &Config) {
        self.phase = Phase::Ready;
        self.deadline = now.after_micros(micros(config.timing.n_as));
    }

    pub(crate) fn reject(&mut self) {
        self.end(NResult::Error(Cause::Refused));
    }

    pub(crate) fn commit(&mut self, config: &Config) -> u32 {
        let frame = self.next_frame;
        self.next_frame = (frame + 1) & SEQUENCE_MASK;
        match config.confirmation {
            Confirmation::OnCommit => self.end(NResult::Ok),
            Confirmation::Reported => self.phase = Phase::Sent,
        }
        frame
    }

    pub(crate) fn confirm(&mut self, frame: u32) {
        if self.is_in_flight(frame) {
            self.end(NResult::Ok);
        }
    }

    pub(crate) fn handle_failed(&mut self, frame: u32) {
        if self.is_in_flight(frame) {
            self.phase = Phase::Ready;
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.is_busy() && now >= self.deadline {
            self.end(NResult::TimeoutA);
        }
    }

    pub(crate) fn timeout(&self) -> Option<Timeout> {
        self.is_busy().then_some(Timeout {
            at: self.deadline,
            timer: Timer::NAs,
        })
    }

    /// The deadline; `Instant::MAX` while there is none.
    #[inline]
    pub(crate) const fn deadline(&self) -> Instant {
        if self.is_busy() {
            self.deadline
        } else {
            Instant::MAX
        }
    }

    pub(crate) fn take_result(&mut self) -> Option<NResult> {
        if !self.is_done() {
            return None;
        }
        self.phase = Phase::Idle;
        Some(self.result)
    }

    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    pub(crate) const fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Sent)
    }

    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    pub(crate) const fn next_frame(&self) -> u32 {
        self.next_frame
    }

    pub(crate) const fn set_next_frame(&mut self, number: u32) {
        self.next_frame = number;
    }

    const fn end(&mut self, result: NResult) {
        self.phase = Phase::Done;
        self.result = result;
    }

    fn is_in_flight(&self, frame: u32) -> bool {
        matches!(self.phase, Phase::Sent)
            && frame == self.next_frame.wrapping_sub(1) & SEQUENCE_MASK
    }
}
