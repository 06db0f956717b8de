//! The sending state machine, without the payload.

use crate::config::{Config, Confirmation, FlowControlUse, StMin, micros};
use crate::error::{Cause, Ignored, NResult};
use crate::machine::SEQUENCE_MASK;
use crate::pdu::{FlowControl, FlowStatus};
use crate::time::{Instant, Timeout, Timer};

/// One transmission, and what outlives it: the number of the next frame, so that a late confirmation
/// is never credited to a later message (`TIM-11`).
#[derive(Debug)]
pub(crate) struct Transfer {
    /// When the timer of the phase was started.
    since: Instant,
    size: u32,
    /// Bytes in committed frames.
    sent: u32,
    /// The number of the next frame to be committed. The frames in flight are those just below it.
    next_frame: u32,
    phase: Phase,
    /// In `Done`: how it ended. Apart from the phase, which is looked at several times a frame.
    result: NResult,
    early: Early,
    block: Block,
    in_flight: u8,
    /// Of the next consecutive frame.
    sequence_number: u8,
    /// FC.WAIT in a row.
    waits: u8,
    /// Bytes in the frame committed last.
    last_bytes: u8,
    segmented: bool,
    /// In `First` and `Ready`: the payload has no bytes yet.
    starved: bool,
}

/// Where a transmission stands. Each phase has one timer, and entering it starts that timer. What a
/// timer lasts is looked up when it is asked for, which is far less often than it is started.
///
/// | phase | input | next | timer |
/// |---|---|---|---|
/// | Idle | request | First | N_As |
/// | First | commit | FirstSent | kept |
/// | First, Ready | no bytes yet | same, starved | N_Cs, then `N_ERROR` |
/// | FirstSent | confirmed, SF | Done `N_OK` | - |
/// | FirstSent | confirmed, FF | AwaitFlow, then the kept FCs | N_Bs |
/// | FirstSent, Sent at a block's end | FC | kept until the confirmation (`TIM-10`) | kept |
/// | AwaitFlow | CTS | Ready | N_As |
/// | AwaitFlow | WAIT | AwaitFlow, Done `N_WFT_OVRN` above the limit | N_Bs |
/// | AwaitFlow | OVFLW, reserved | Done `N_BUFFER_OVFLW`, `N_INVALID_FS` | - |
/// | Ready | commit | Sent; Ready while more may be in flight | kept |
/// | Sent | confirmed, last of the message | Done `N_OK` | - |
/// | Sent | confirmed, last of a block | AwaitFlow | N_Bs |
/// | Sent | confirmed, else | Gap; Ready if STmin is 0 | STmin; N_As |
/// | Gap | time | Ready | N_As |
/// | First, FirstSent, Ready, Sent | N_As | Done `N_TIMEOUT_A` | - |
/// | AwaitFlow | N_Bs | Done `N_TIMEOUT_Bs` | - |
/// | FirstSent, Sent | frame lost, alone in flight | First, Ready | kept |
/// | any but Idle, Done | abort, rejected, a frame of several in flight lost | Done `N_ERROR` | - |
/// | any other | FC | ignored (`FC-03`) | kept |
///
/// The order matters: what is busy comes after what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Idle,
    /// It ended, and the user was not told yet: see `result`.
    Done,
    /// The single or first frame is ready.
    First,
    FirstSent,
    AwaitFlow,
    /// A consecutive frame is ready.
    Ready,
    /// Consecutive frames are in flight, and no other may go.
    Sent,
    Gap,
}

/// What the flow controls allow.
#[derive(Clone, Copy, Debug)]
struct Block {
    st_min: StMin,
    /// BS; 0: no limit.
    size: u8,
    /// Consecutive frames committed since the flow control.
    sent: u8,
    /// A flow control of this message has set `st_min` and `size`.
    set: bool,
}

/// Flow controls that came before the confirmation of the frame that provoked them (`TIM-10`): some
/// waits, and at most one that decides. Whatever follows that one is no longer awaited.
#[derive(Clone, Copy, Debug)]
struct Early {
    decision: Option<FlowControl>,
    waits: u16,
}

impl Transfer {
    pub(crate) const fn new() -> Self {
        Self {
            since: Instant::ZERO,
            size: 0,
            sent: 0,
            next_frame: 0,
            phase: Phase::Idle,
            result: NResult::Ok,
            early: Early::NONE,
            block: Block {
                st_min: StMin::ZERO,
                size: 0,
                sent: 0,
                set: false,
            },
            in_flight: 0,
            sequence_number: 1,
            waits: 0,
            last_bytes: 0,
            segmented: false,
            starved: false,
        }
    }

    pub(crate) fn begin(&mut self, now: Instant, size: u32, segmented: bool) {
        *self = Self {
            size,
            segmented,
            next_frame: self.next_frame,
            ..Self::new()
        };
        self.enter(Phase::First, now);
    }

    pub(crate) fn abort(&mut self) {
        self.fail(NResult::Error(Cause::Aborted));
    }

    pub(crate) fn reject(&mut self) {
        self.fail(NResult::Error(Cause::Refused));
    }

    pub(crate) fn handle_flow_control(
        &mut self,
        now: Instant,
        config: &Config,
        flow: FlowControl,
    ) -> Result<(), Ignored> {
        let awaited_later = match self.phase {
            Phase::AwaitFlow => {
                self.take_flow(now, config, flow);
                return Ok(());
            }
            Phase::FirstSent => self.segmented,
            Phase::Sent => self.at_block_end(),
            _ => false,
        };
        if !awaited_later || self.early.decision.is_some() {
            return Err(Ignored::UnexpectedFlowControl);
        }
        match flow.status {
            FlowStatus::Wait => self.early.waits = self.early.waits.saturating_add(1),
            _ => self.early.decision = Some(flow),
        }
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn commit(&mut self, now: Instant, config: &Config, bytes: u8) -> u32 {
        let frame = self.next_frame;
        self.next_frame = (frame + 1) & SEQUENCE_MASK;
        self.sent += u32::from(bytes);
        if self.phase != Phase::Ready {
            self.commit_first(now, config, bytes, frame);
            return frame;
        }
        self.sequence_number = (self.sequence_number + 1) & 0xF;
        self.block.sent = self.block.sent.wrapping_add(1);
        if self.block.sent != self.block.size
            && self.sent < self.size
            && self.block.st_min == StMin::ZERO
            && config.confirmation == Confirmation::OnCommit
        {
            // most frames: the next one is ready at once
            self.since = now;
        } else {
            self.commit_consecutive(now, config, bytes, frame);
        }
        frame
    }

    #[cold]
    fn commit_first(&mut self, now: Instant, config: &Config, bytes: u8, frame: u32) {
        self.phase = Phase::FirstSent;
        self.last_bytes = bytes;
        self.in_flight = 1;
        if config.confirmation == Confirmation::OnCommit {
            self.confirm(now, config, frame);
        }
    }

    #[inline(never)]
    fn commit_consecutive(&mut self, now: Instant, config: &Config, bytes: u8, frame: u32) {
        self.last_bytes = bytes;
        self.in_flight = self.in_flight.saturating_add(1);
        if !self.may_send_more(config) {
            self.phase = Phase::Sent;
        }
        if config.confirmation == Confirmation::OnCommit {
            self.confirm(now, config, frame);
        }
    }

    /// A frame is on the bus, and with it those of this link that were committed before it.
    pub(crate) fn confirm(&mut self, now: Instant, config: &Config, frame: u32) {
        let Some(age) = self.age(frame) else { return };
        self.in_flight = age;
        match self.phase {
            Phase::FirstSent if !self.segmented => self.end(NResult::Ok),
            Phase::FirstSent => self.await_flow(now, config),
            Phase::Sent if self.in_flight == 0 && self.sent >= self.size => self.end(NResult::Ok),
            Phase::Sent if self.in_flight == 0 && self.at_block_end() => {
                self.await_flow(now, config);
            }
            Phase::Sent if self.in_flight == 0 && self.block.st_min != StMin::ZERO => {
                self.enter(Phase::Gap, now);
            }
            Phase::Sent if self.may_send_more(config) => self.make_ready(now),
            // progress: N_As runs for the next of the frames in flight, or N_Cs for what comes next
            _ => self.since = now,
        }
    }

    /// A frame will not go out. If it is the only one in flight it is offered again.
    pub(crate) fn handle_failed(&mut self, frame: u32) {
        if self.age(frame).is_none() {
            return;
        }
        if self.in_flight > 1 {
            return self.fail(NResult::Error(Cause::Refused));
        }
        self.in_flight = 0;
        self.sent -= u32::from(self.last_bytes);
        self.early = Early::NONE;
        self.starved = false;
        if self.phase == Phase::FirstSent {
            self.phase = Phase::First;
        } else {
            self.sequence_number = self.sequence_number.wrapping_sub(1) & 0xF;
            self.block.sent = self.block.sent.wrapping_sub(1);
            self.phase = Phase::Ready;
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config) {
        if now < self.deadline(config) {
            return;
        }
        match self.timer() {
            Timer::StMin => self.make_ready(now),
            Timer::NBs => self.fail(NResult::TimeoutBs),
            Timer::NCs => self.fail(NResult::Error(Cause::NoData)),
            _ => self.fail(NResult::TimeoutA),
        }
    }

    /// The separation time may end without a `handle_timeout`.
    #[inline]
    pub(crate) fn end_gap(&mut self, now: Instant, config: &Config) {
        if self.phase == Phase::Gap && now >= self.deadline(config) {
            self.make_ready(now);
        }
    }

    /// The payload has no bytes for the frame that is ready: N_Cs runs, unless frames in flight keep
    /// N_As running.
    pub(crate) fn starve(&mut self, now: Instant) {
        if !core::mem::replace(&mut self.starved, true) && self.in_flight == 0 {
            self.since = now;
        }
    }

    /// The payload has bytes again: the frame is ready from now.
    #[inline]
    pub(crate) fn feed(&mut self, now: Instant) {
        if core::mem::replace(&mut self.starved, false) && self.in_flight == 0 {
            self.since = now;
        }
    }

    pub(crate) fn timeout(&self, config: &Config) -> Option<Timeout> {
        self.is_busy().then(|| Timeout {
            at: self.deadline(config),
            timer: self.timer(),
        })
    }

    /// When the timer of the phase runs out; `Instant::MAX` where it has none.
    #[inline]
    pub(crate) fn deadline(&self, config: &Config) -> Instant {
        if !self.is_busy() {
            return Instant::MAX;
        }
        self.since.after_micros(match self.timer() {
            Timer::StMin => self.block.st_min.micros(),
            Timer::NBs => micros(config.timing.n_bs),
            Timer::NCs => micros(config.timing.n_cs),
            _ => micros(config.timing.n_as),
        })
    }

    pub(crate) fn take_result(&mut self) -> Option<NResult> {
        if self.phase != Phase::Done {
            return None;
        }
        self.phase = Phase::Idle;
        Some(self.result)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.phase >= Phase::First
    }

    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether the half duplex rules see a transmission: single frames are none (`UNX-04`).
    pub(crate) fn is_busy_segmented(&self) -> bool {
        self.segmented && self.is_busy()
    }

    pub(crate) fn first_is_ready(&self) -> bool {
        self.phase == Phase::First
    }

    pub(crate) fn is_in_gap(&self) -> bool {
        self.phase == Phase::Gap
    }

    pub(crate) fn consecutive_is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether a consecutive frame with 7 bytes may go.
    #[inline]
    pub(crate) fn awaits_usual(&self) -> bool {
        self.phase == Phase::Ready && !self.starved && self.size - self.sent >= 7
    }

    pub(crate) const fn is_segmented(&self) -> bool {
        self.segmented
    }

    pub(crate) const fn size(&self) -> u32 {
        self.size
    }

    pub(crate) const fn sent(&self) -> u32 {
        self.sent
    }

    pub(crate) const fn sequence_number(&self) -> u8 {
        self.sequence_number
    }

    pub(crate) const fn next_frame(&self) -> u32 {
        self.next_frame
    }

    pub(crate) const fn set_next_frame(&mut self, number: u32) {
        self.next_frame = number;
    }

    fn timer(&self) -> Timer {
        match self.phase {
            Phase::AwaitFlow => Timer::NBs,
            Phase::Gap => Timer::StMin,
            Phase::First | Phase::Ready if self.starved && self.in_flight == 0 => Timer::NCs,
            _ => Timer::NAs,
        }
    }

    /// How many frames in flight are younger than `frame`; `None` if it is not in flight.
    const fn age(&self, frame: u32) -> Option<u8> {
        let younger = self.next_frame.wrapping_sub(frame).wrapping_sub(1) & SEQUENCE_MASK;
        if younger < self.in_flight as u32 {
            Some(younger as u8)
        } else {
            None
        }
    }

    const fn at_block_end(&self) -> bool {
        self.block.size != 0 && self.block.sent == self.block.size && self.sent < self.size
    }

    fn may_send_more(&self, config: &Config) -> bool {
        self.sent < self.size
            && !self.at_block_end()
            && (self.in_flight == 0
                || (self.block.st_min == StMin::ZERO && self.in_flight < config.transmit.in_flight))
    }

    fn await_flow(&mut self, now: Instant, config: &Config) {
        self.enter(Phase::AwaitFlow, now);
        let early = core::mem::replace(&mut self.early, Early::NONE);
        self.count_waits(config, early.waits);
        if let (Phase::AwaitFlow, Some(flow)) = (self.phase, early.decision) {
            self.take_flow(now, config, flow);
        }
    }

    fn take_flow(&mut self, now: Instant, config: &Config, flow: FlowControl) {
        match flow.status {
            FlowStatus::ContinueToSend => {
                self.waits = 0;
                self.block.sent = 0;
                if !self.block.set || config.transmit.flow_control == FlowControlUse::Every {
                    self.block.size = flow.block_size;
                    self.block.st_min = flow.st_min;
                    self.block.set = true;
                }
                self.make_ready(now);
            }
            FlowStatus::Wait => {
                self.since = now;
                self.count_waits(config, 1);
            }
            FlowStatus::Overflow => self.fail(NResult::BufferOverflow),
            FlowStatus::Reserved(status) => self.fail(NResult::InvalidFs { status }),
        }
    }

    fn count_waits(&mut self, config: &Config, more: u16) {
        let waits = u16::from(self.waits).saturating_add(more);
        self.waits = waits.min(u16::from(u8::MAX)) as u8;
        match config.transmit.max_wait {
            Some(limit) if waits > u16::from(limit) => self.fail(NResult::WaitOverrun { limit }),
            _ => {}
        }
    }

    #[inline]
    const fn make_ready(&mut self, now: Instant) {
        self.starved = false;
        self.enter(Phase::Ready, now);
    }

    /// Ends the transfer early; nothing happens if there is none.
    fn fail(&mut self, result: NResult) {
        if self.is_busy() {
            self.end(result);
        }
    }

    /// Frames still in flight are forgotten, and their confirmations are stale.
    const fn end(&mut self, result: NResult) {
        self.in_flight = 0;
        self.phase = Phase::Done;
        self.result = result;
    }

    #[inline]
    const fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
    }
}

impl Early {
    const NONE: Self = Self {
        decision: None,
        waits: 0,
    };
}
