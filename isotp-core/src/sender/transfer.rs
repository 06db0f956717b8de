//! The sending state machine, without the payload.

use crate::channels::{Channel, Channels};
use crate::config::{Config, Confirmation, FlowControlUse, StMin};
use crate::error::{Cause, Ignored, NResult};
use crate::pdu::{FlowControl, FlowStatus};
use crate::time::{Instant, Timeout, Timer};

/// One transmission. Its timer and its frame numbers are in [`Channels`]; the frames in flight are those
/// committed last.
#[derive(Debug)]
pub(crate) struct Transfer {
    size: u32,
    /// Bytes in committed frames.
    sent: u32,
    phase: Phase,
    /// In `Done`: how it ended. Apart from the phase, which is looked at several times a frame.
    result: NResult,
    /// The flow control that decides what comes next, if it came before the confirmation of the frame
    /// that provoked it (`TIM-10`). Whatever follows it is no longer awaited.
    early: Option<FlowControl>,
    block: Block,
    in_flight: u8,
    /// Of the next consecutive frame.
    sequence_number: u8,
    /// FC.WAIT in a row, those that came early included.
    waits: u8,
    /// Bytes in the frame committed last.
    last_bytes: u8,
    /// In `Single`, `First` and `Ready`: the payload has no bytes yet.
    starved: bool,
}

/// Where a transmission stands. Each phase has one timer, and entering it starts that timer. What a
/// timer lasts is looked up when it is asked for, which is far less often than it is started.
///
/// | phase | input | next | timer |
/// |---|---|---|---|
/// | Idle | request that fits a frame | Single | N_As |
/// | Idle | longer request | First | N_As |
/// | Single | commit | SingleSent | kept |
/// | First | commit | FirstSent | kept |
/// | Single, First, Ready | no bytes yet | same, starved | N_Cs, then `N_ERROR` |
/// | SingleSent | confirmed | Done `N_OK` | - |
/// | FirstSent | confirmed | AwaitFlow, then the kept FC | N_Bs |
/// | FirstSent, Sent at a block's end | FC | kept until the confirmation (`TIM-10`) | kept |
/// | AwaitFlow | CTS | Ready | N_As |
/// | AwaitFlow | WAIT | AwaitFlow, Done `N_WFT_OVRN` above the limit | N_Bs |
/// | AwaitFlow | OVFLW, reserved | Done `N_BUFFER_OVFLW`, `N_INVALID_FS` | - |
/// | Ready | commit | Sent; Ready while more may be in flight | kept |
/// | Sent | confirmed, last of the message | Done `N_OK` | - |
/// | Sent | confirmed, last of a block | AwaitFlow, then the kept FC | N_Bs |
/// | Sent | confirmed, else | Gap; Ready if STmin is 0 | STmin; N_As |
/// | Gap | time | Ready | N_As |
/// | Single, First, Ready and Sent of each | N_As | Done `N_TIMEOUT_A` | - |
/// | AwaitFlow | N_Bs | Done `N_TIMEOUT_Bs` | - |
/// | SingleSent, FirstSent, Sent | frame lost, alone in flight | Single, First, Ready | kept |
/// | any but Idle, Done | abort, rejected, a frame of several in flight lost | Done `N_ERROR` | - |
/// | any other | FC | ignored (`FC-03`) | kept |
///
/// The order matters: what is busy comes after what is not, and of that what is segmented last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Idle,
    /// It ended, and the user was not told yet: see `result`.
    Done,
    /// The single frame is ready.
    Single,
    SingleSent,
    /// The first frame is ready.
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
    /// BS; 0: no limit, or no flow control of this message came yet.
    size: u8,
    /// Consecutive frames committed since the flow control.
    sent: u8,
}

/// Which frame is ready.
pub(crate) enum Next {
    Single,
    First,
    Consecutive,
}

impl Transfer {
    pub(crate) const fn new() -> Self {
        Self {
            size: 0,
            sent: 0,
            phase: Phase::Idle,
            result: NResult::Ok,
            early: None,
            block: Block {
                st_min: StMin::ZERO,
                size: 0,
                sent: 0,
            },
            in_flight: 0,
            sequence_number: 1,
            waits: 0,
            last_bytes: 0,
            starved: false,
        }
    }

    pub(crate) fn begin(&mut self, channels: &mut Channels, size: u32, segmented: bool) {
        *self = Self {
            size,
            ..Self::new()
        };
        let phase = if segmented {
            Phase::First
        } else {
            Phase::Single
        };
        self.enter(phase, channels);
    }

    pub(crate) fn abort(&mut self) {
        self.fail(NResult::Error(Cause::Aborted));
    }

    pub(crate) fn reject(&mut self) {
        self.fail(NResult::Error(Cause::Refused));
    }

    pub(crate) fn handle_flow_control(
        &mut self,
        channels: &mut Channels,
        config: &Config,
        flow: FlowControl,
    ) -> Result<(), Ignored> {
        let awaited_later = match self.phase {
            Phase::AwaitFlow => {
                self.take_flow(channels, config, flow);
                return Ok(());
            }
            Phase::FirstSent => true,
            Phase::Sent => self.at_block_end(),
            _ => false,
        };
        if !awaited_later || self.early.is_some() {
            return Err(Ignored::UnexpectedFlowControl);
        }
        if flow.status != FlowStatus::Wait || !self.count_wait(config) {
            self.early = Some(flow);
        }
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn commit(
        &mut self,
        channels: &mut Channels,
        config: &Config,
        bytes: u8,
        frame: u32,
    ) {
        self.sent += u32::from(bytes);
        if self.phase == Phase::Ready {
            self.sequence_number = (self.sequence_number + 1) & 0xF;
            self.block.sent = self.block.sent.wrapping_add(1);
            if self.block.sent != self.block.size
                && self.sent != self.size
                && self.block.st_min == StMin::ZERO
                && config.confirmation == Confirmation::OnCommit
            {
                // most frames: the next one is ready at once
                channels.start(Channel::Data);
                return;
            }
        }
        self.commit_unusual(channels, config, bytes, frame);
    }

    #[inline(never)]
    fn commit_unusual(&mut self, channels: &mut Channels, config: &Config, bytes: u8, frame: u32) {
        self.last_bytes = bytes;
        self.in_flight = self.in_flight.saturating_add(1);
        self.phase = match self.phase {
            Phase::Single => Phase::SingleSent,
            Phase::First => Phase::FirstSent,
            _ if self.may_send_more(config) => Phase::Ready,
            _ => Phase::Sent,
        };
        if config.confirmation == Confirmation::OnCommit {
            self.confirm(channels, config, frame);
        }
    }

    /// A frame is on the bus, and with it those of this link that were committed before it.
    pub(crate) fn confirm(&mut self, channels: &mut Channels, config: &Config, frame: u32) {
        let younger = channels.younger(Channel::Data, frame);
        if younger >= u32::from(self.in_flight) {
            return;
        }
        self.in_flight = younger as u8;
        // progress: N_As runs for the next of the frames in flight, or N_Cs for what comes next
        channels.start(Channel::Data);
        match self.phase {
            Phase::SingleSent => self.end(NResult::Ok),
            Phase::FirstSent => self.await_flow(channels, config),
            Phase::Sent if younger > 0 && !self.may_send_more(config) => {}
            Phase::Sent if self.sent >= self.size => self.end(NResult::Ok),
            Phase::Sent if self.at_block_end() => self.await_flow(channels, config),
            Phase::Sent if self.block.st_min != StMin::ZERO => self.phase = Phase::Gap,
            Phase::Sent => self.phase = Phase::Ready,
            _ => {}
        }
    }

    /// A frame will not go out. If it is the only one in flight it is offered again.
    pub(crate) fn handle_failed(&mut self, channels: &Channels, frame: u32) {
        if channels.younger(Channel::Data, frame) >= u32::from(self.in_flight) {
            return;
        }
        if self.in_flight > 1 {
            return self.fail(NResult::Error(Cause::Refused));
        }
        self.in_flight = 0;
        self.sent -= u32::from(self.last_bytes);
        self.early = None;
        self.waits = 0;
        self.starved = false;
        self.phase = match self.phase {
            Phase::SingleSent => Phase::Single,
            Phase::FirstSent => Phase::First,
            _ => {
                self.sequence_number = self.sequence_number.wrapping_sub(1) & 0xF;
                self.block.sent = self.block.sent.wrapping_sub(1);
                Phase::Ready
            }
        };
    }

    pub(crate) fn handle_timeout(&mut self, channels: &mut Channels, config: &Config) {
        let timer = self.timer();
        if !self.is_busy() || !channels.is_due(Channel::Data, self.lasts(timer, config)) {
            return;
        }
        let result = match timer {
            Timer::StMin => return self.make_ready(channels),
            Timer::NBs => NResult::TimeoutBs,
            Timer::NCs => NResult::Error(Cause::NoData),
            _ => NResult::TimeoutA,
        };
        self.end(result);
    }

    /// The separation time may end without a `handle_timeout`.
    #[inline]
    pub(crate) fn end_gap(&mut self, channels: &mut Channels) {
        if self.phase == Phase::Gap && channels.is_due(Channel::Data, self.block.st_min.micros()) {
            self.make_ready(channels);
        }
    }

    /// Whether the payload has no bytes for the frame that is ready. Then N_Cs runs, unless frames in
    /// flight keep N_As running; when it has bytes again, the frame is ready from now.
    pub(crate) fn set_starved(&mut self, channels: &mut Channels, starved: bool) {
        if self.starved != starved {
            self.starved = starved;
            if self.in_flight == 0 {
                channels.start(Channel::Data);
            }
        }
    }

    pub(crate) fn timeout(&self, channels: &Channels, config: &Config) -> Option<Timeout> {
        self.is_busy().then(|| Timeout {
            at: self.deadline(channels, config),
            timer: self.timer(),
        })
    }

    /// When the timer of the phase runs out; `Instant::MAX` where it has none.
    #[inline]
    pub(crate) fn deadline(&self, channels: &Channels, config: &Config) -> Instant {
        if !self.is_busy() {
            return Instant::MAX;
        }
        channels.deadline(Channel::Data, self.lasts(self.timer(), config))
    }

    /// How long a timer of this transfer runs, in microseconds.
    fn lasts(&self, timer: Timer, config: &Config) -> u32 {
        match timer {
            Timer::StMin => self.block.st_min.micros(),
            timer => config.timing.micros(timer),
        }
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
        self.phase >= Phase::Single
    }

    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether the half duplex rules see a transmission: single frames are none (`UNX-04`).
    pub(crate) fn is_busy_segmented(&self) -> bool {
        self.phase >= Phase::First
    }

    /// The frame that is ready.
    #[inline]
    pub(crate) const fn next(&self) -> Option<Next> {
        match self.phase {
            Phase::Single => Some(Next::Single),
            Phase::First => Some(Next::First),
            Phase::Ready => Some(Next::Consecutive),
            _ => None,
        }
    }

    pub(crate) fn is_in_gap(&self) -> bool {
        self.phase == Phase::Gap
    }

    /// Whether a consecutive frame with 7 bytes may go.
    #[inline]
    pub(crate) fn awaits_usual(&self) -> bool {
        self.phase == Phase::Ready && !self.starved && self.size - self.sent >= 7
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

    fn timer(&self) -> Timer {
        match self.phase {
            Phase::AwaitFlow => Timer::NBs,
            Phase::Gap => Timer::StMin,
            Phase::Single | Phase::First | Phase::Ready if self.starved && self.in_flight == 0 => {
                Timer::NCs
            }
            _ => Timer::NAs,
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

    fn await_flow(&mut self, channels: &mut Channels, config: &Config) {
        self.enter(Phase::AwaitFlow, channels);
        if let Some(flow) = self.early.take() {
            self.take_flow(channels, config, flow);
        }
    }

    fn take_flow(&mut self, channels: &mut Channels, config: &Config, flow: FlowControl) {
        let result = match flow.status {
            FlowStatus::ContinueToSend => {
                self.waits = 0;
                self.block.sent = 0;
                // where a block has an end, its size was set before
                if self.block.size == 0 || config.transmit.flow_control == FlowControlUse::Every {
                    self.block.size = flow.block_size;
                    self.block.st_min = flow.st_min;
                }
                return self.make_ready(channels);
            }
            FlowStatus::Wait if self.count_wait(config) => {
                return channels.start(Channel::Data);
            }
            FlowStatus::Wait => NResult::WaitOverrun { limit: self.waits },
            FlowStatus::Overflow => NResult::BufferOverflow,
            FlowStatus::Reserved(status) => NResult::InvalidFs { status },
        };
        self.end(result);
    }

    /// Counts an FC.WAIT; `false` if there are too many.
    const fn count_wait(&mut self, config: &Config) -> bool {
        match config.transmit.max_wait {
            Some(limit) if self.waits >= limit => false,
            _ => {
                self.waits = self.waits.saturating_add(1);
                true
            }
        }
    }

    #[inline]
    fn make_ready(&mut self, channels: &mut Channels) {
        self.starved = false;
        self.enter(Phase::Ready, channels);
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
    fn enter(&mut self, phase: Phase, channels: &mut Channels) {
        self.phase = phase;
        channels.start(Channel::Data);
    }
}
