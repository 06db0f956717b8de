//! The receiving state machine, without the buffer.

mod consecutive;
mod news;

pub(crate) use news::{Told, What};

use consecutive::Block;
use news::Before;

use crate::channels::{Channel, Channels};
use crate::config::{Config, Confirmation, StMin};
use crate::error::{Cause, NResult};
use crate::pdu::{FlowControl, FlowStatus};
use crate::time::{Instant, Timeout, Timer};

/// One reception, what it left behind for the user, and what outlives it: the local BS and STmin. Its
/// timer and the numbers of its flow controls are in [`Channels`].
#[derive(Debug)]
pub(crate) struct Reception {
    /// Bytes in the whole message.
    size: u32,
    /// Bytes in the buffer: of this message, or of the one before it that is `Before::Complete`.
    filled: u32,
    phase: Phase,
    /// In `Failed`: how it ended. In `SentContinue`: how it will end at the confirmation, if not `Ok`.
    /// Apart from the phase, which is looked at several times a frame.
    result: NResult,
    before: Before,
    /// N_SA of the message before.
    before_source: u8,
    offer: Offer,
    block: Block,
    /// N_SA of the message.
    source: u8,
    /// The first frame was not indicated yet.
    announced: bool,
    /// `tell` has something to say. It follows from the other fields, but is asked for every frame.
    news: bool,
}

/// Where a reception stands. Each phase has at most one timer, and entering it starts that timer.
///
/// Invariants: bytes go to the buffer only after it said that it is ready; a message is delivered only
/// from `Complete` or `Single`; a message in the buffer is never longer than `size`.
///
/// | phase | input | next | timer |
/// |---|---|---|---|
/// | any | valid SF | Single; what was before is `before` | - |
/// | any | valid FF, buffer ready | Offer CTS (listening: Receiving) | N_Ar (N_Cr) |
/// | any | valid FF, buffer not ready | NotReady | N_Br |
/// | any | valid FF, too long | Refusing (listening: Idle) | N_Ar |
/// | NotReady | buffer ready | Offer CTS | N_Ar |
/// | NotReady | N_Br | Offer WAIT; Failed `N_WFT_OVRN` when N_WFTmax are out | N_Ar |
/// | Offer | commit | Sent | kept |
/// | Sent CTS | CF | same: taken, but it acts at the confirmation (`TIM-10`) | kept |
/// | Sent CTS | confirmed | as after the CFs that are here: Receiving, Complete, ... | N_Cr |
/// | Sent WAIT | confirmed | NotReady | N_Br |
/// | Sent | frame lost | Offer; a CTS that was answered counts as confirmed | kept |
/// | Offer, Sent | N_Ar | Failed `N_TIMEOUT_A` | - |
/// | Receiving | CF | Receiving | N_Cr |
/// | Receiving | CF, last of the message | Complete | - |
/// | Receiving | CF, last of a block | Offer CTS or NotReady | N_Ar or N_Br |
/// | Receiving | CF, wrong SN | Failed `N_WRONG_SN` | - |
/// | Receiving | N_Cr | Failed `N_TIMEOUT_Cr` | - |
/// | Refusing | commit, N_Ar | Idle (`FC-08`) | - |
/// | NotReady, Offer, Sent, Receiving | abort | Failed `N_ERROR` | - |
/// | any other | CF | ignored | kept |
///
/// The order matters: news for the user, then phases with a timer, those of a reception in progress last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Idle,
    /// An unread single frame is in the spare memory.
    Single,
    /// An unread message is in the buffer.
    Complete,
    /// An unread failure: see `result`.
    Failed,
    /// FC.OVFLW wants to go out.
    Refusing,
    /// A flow control is owed, and the buffer is not ready.
    NotReady,
    /// FC.CTS wants to go out.
    OfferContinue,
    /// FC.WAIT wants to go out.
    OfferWait,
    /// FC.CTS is in flight.
    SentContinue,
    /// FC.WAIT is in flight.
    SentWait,
    /// Consecutive frames are awaited.
    Receiving,
}

/// What our flow controls say; N_ChangeParameter sets it.
#[derive(Clone, Copy, Debug)]
struct Offer {
    block_size: u8,
    st_min: StMin,
}

impl Reception {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            size: 0,
            filled: 0,
            phase: Phase::Idle,
            result: NResult::Ok,
            before: Before::Told,
            before_source: 0,
            offer: Offer {
                block_size: config.receive.block_size,
                st_min: config.receive.st_min,
            },
            block: Block {
                frame: 0,
                count: 0,
                sequence_number: 1,
            },
            source: 0,
            announced: false,
            news: false,
        }
    }

    pub(crate) const fn set_block_size(&mut self, block_size: u8) {
        self.offer.block_size = block_size;
    }

    pub(crate) const fn set_st_min(&mut self, st_min: StMin) {
        self.offer.st_min = st_min;
    }

    pub(crate) fn abort(&mut self) {
        self.fail(NResult::Error(Cause::Aborted));
    }

    pub(crate) fn fail(&mut self, result: NResult) {
        if self.is_active() {
            self.phase = Phase::Failed;
            self.news = true;
            self.result = result;
        }
    }

    pub(crate) fn reject(&mut self) {
        if self.phase == Phase::Refusing {
            self.phase = Phase::Idle;
        }
        self.fail(NResult::Error(Cause::Refused));
    }

    /// A single frame is in the spare memory.
    pub(crate) fn single(&mut self, len: usize, source: u8) {
        self.phase = Phase::Single;
        self.news = true;
        self.size = len as u32;
        self.source = source;
    }

    /// A first frame was accepted; its data is in the spare memory.
    pub(crate) fn begin(&mut self, channels: &mut Channels, first: First) {
        self.size = first.size;
        self.source = first.source;
        if self.buffer_is_free() {
            self.filled = 0;
        }
        self.result = NResult::Ok;
        self.announced = true;
        self.news = true;
        self.block = Block {
            frame: first.per_consecutive,
            count: 0,
            sequence_number: 1,
        };
        self.enter(Phase::NotReady, channels);
    }

    /// Listening only, and no room: the message is let go.
    pub(crate) fn forget(&mut self) {
        self.announced = false;
        self.phase = Phase::Idle;
        self.settle_news();
    }

    /// Listening only: a flow control of the other side went by, so the transfer is alive.
    pub(crate) fn keep_alive(&self, channels: &mut Channels) {
        if self.phase == Phase::Receiving {
            channels.start(Channel::FlowControl);
        }
    }

    /// A first frame that is too long was received (`FC-08`).
    pub(crate) fn refuse(&mut self, channels: &mut Channels, config: &Config, source: u8) {
        self.source = source;
        if !config.receive.listen_only {
            self.enter(Phase::Refusing, channels);
        }
    }

    /// The buffer is ready for the next block, and `filled` bytes are in it.
    pub(crate) fn ready(&mut self, channels: &mut Channels, config: &Config, filled: u32) {
        self.filled = filled;
        let phase = if config.receive.listen_only {
            Phase::Receiving
        } else {
            Phase::OfferContinue
        };
        self.enter(phase, channels);
    }

    /// The offered frame was committed.
    #[inline(never)]
    pub(crate) fn commit(&mut self, channels: &mut Channels, config: &Config, frame: u32) {
        self.phase = match self.phase {
            Phase::OfferContinue => {
                self.block.count = 0;
                Phase::SentContinue
            }
            Phase::OfferWait => {
                self.block.count = self.block.count.saturating_add(1);
                Phase::SentWait
            }
            _ => Phase::Idle,
        };
        if config.confirmation == Confirmation::OnCommit {
            self.confirm(channels, config, frame);
        }
    }

    /// A flow control is on the bus. `true` if the next one is owed at once, because a whole block came
    /// before this confirmation.
    pub(crate) fn confirm(&mut self, channels: &mut Channels, config: &Config, frame: u32) -> bool {
        if channels.younger(Channel::FlowControl, frame) != 0 {
            return false;
        }
        match self.phase {
            Phase::SentContinue => {
                self.phase = Phase::Receiving;
                self.settle(channels, config)
            }
            Phase::SentWait => {
                self.enter(Phase::NotReady, channels);
                false
            }
            _ => false,
        }
    }

    /// A flow control will not go out: it is offered again, unless the peer has answered it, which
    /// confirms it.
    pub(crate) fn handle_failed(
        &mut self,
        channels: &mut Channels,
        config: &Config,
        frame: u32,
    ) -> bool {
        if channels.younger(Channel::FlowControl, frame) != 0 {
            return false;
        }
        match self.phase {
            Phase::SentContinue if self.block.count > 0 || self.is_doomed() => {
                return self.confirm(channels, config, frame);
            }
            Phase::SentContinue => {
                self.phase = Phase::OfferContinue;
            }
            Phase::SentWait => {
                self.block.count = self.block.count.saturating_sub(1);
                self.phase = Phase::OfferWait;
            }
            _ => {}
        }
        false
    }

    /// Whether the timer of the phase has run out.
    pub(crate) fn is_due(&self, channels: &Channels, config: &Config) -> bool {
        self.has_timer()
            && channels.is_due(Channel::FlowControl, config.timing.micros(self.timer()))
    }

    /// The timer of the phase has run out.
    pub(crate) fn handle_timeout(&mut self, channels: &mut Channels, config: &Config) {
        let limit = config.receive.max_wait;
        let result = match self.timer() {
            Timer::NBr if self.block.count < limit => {
                return self.enter(Phase::OfferWait, channels);
            }
            Timer::NBr => NResult::WaitOverrun { limit },
            Timer::NCr => NResult::TimeoutCr,
            _ if self.phase == Phase::Refusing => {
                self.phase = Phase::Idle;
                return;
            }
            _ => NResult::TimeoutA,
        };
        self.fail(result);
    }

    pub(crate) fn timeout(&self, channels: &Channels, config: &Config) -> Option<Timeout> {
        self.has_timer().then(|| Timeout {
            at: self.deadline(channels, config),
            timer: self.timer(),
        })
    }

    /// When the timer of the phase runs out; `Instant::MAX` where it has none.
    #[inline]
    pub(crate) fn deadline(&self, channels: &Channels, config: &Config) -> Instant {
        if !self.has_timer() {
            return Instant::MAX;
        }
        channels.deadline(Channel::FlowControl, config.timing.micros(self.timer()))
    }

    fn has_timer(&self) -> bool {
        self.phase >= Phase::Refusing
    }

    const fn timer(&self) -> Timer {
        match self.phase {
            Phase::NotReady => Timer::NBr,
            Phase::Receiving => Timer::NCr,
            _ => Timer::NAr,
        }
    }

    /// The flow control that wants to go out.
    pub(crate) const fn flow_control(&self) -> Option<FlowControl> {
        let status = match self.phase {
            Phase::OfferContinue => FlowStatus::ContinueToSend,
            Phase::OfferWait => FlowStatus::Wait,
            Phase::Refusing => FlowStatus::Overflow,
            _ => return None,
        };
        Some(FlowControl {
            status,
            block_size: self.offer.block_size,
            st_min: self.offer.st_min,
        })
    }

    /// Whether a segmented reception is in progress.
    pub(crate) fn is_active(&self) -> bool {
        self.phase >= Phase::NotReady
    }

    /// Whether the buffer must be asked if it is ready, before a flow control can go out.
    pub(crate) fn awaits_buffer(&self) -> bool {
        matches!(self.phase, Phase::NotReady | Phase::OfferWait) && self.buffer_is_free()
    }

    /// Whether a flow control may go out, now or once the buffer is asked.
    #[inline]
    pub(crate) fn wants_poll(&self) -> bool {
        (Phase::Refusing..=Phase::OfferWait).contains(&self.phase)
    }

    /// Whether no unread message is in the buffer.
    pub(crate) const fn buffer_is_free(&self) -> bool {
        !matches!(self.before, Before::Complete)
    }

    pub(crate) fn is_receiving(&self) -> bool {
        self.phase == Phase::Receiving
    }

    pub(crate) const fn size(&self) -> u32 {
        self.size
    }

    /// Bytes of the message that are in the buffer.
    #[inline]
    pub(crate) const fn received(&self) -> u32 {
        if self.buffer_is_free() {
            self.filled
        } else {
            0
        }
    }

    /// Bytes in the buffer.
    pub(crate) const fn filled(&self) -> u32 {
        self.filled
    }

    /// Bytes of the first frame that wait in the spare memory: fewer than in a consecutive one, which
    /// has a shorter PCI.
    pub(crate) const fn waiting(&self) -> usize {
        let longer = if self.size > 4095 { 5 } else { 1 };
        self.block.frame.saturating_sub(longer) as usize
    }

    pub(crate) const fn source(&self) -> u8 {
        self.source
    }

    /// A wrong SN came before the confirmation of the flow control.
    const fn is_doomed(&self) -> bool {
        !self.result.is_ok()
    }

    #[inline]
    fn enter(&mut self, phase: Phase, channels: &mut Channels) {
        self.phase = phase;
        channels.start(Channel::FlowControl);
    }
}

/// An accepted first frame.
pub(crate) struct First {
    pub(crate) size: u32,
    pub(crate) source: u8,
    /// Message bytes in each consecutive frame that follows: RX_DL less address and PCI (`PCI-13`).
    pub(crate) per_consecutive: u8,
}
