//! The receiving state machine, without the buffer.

use crate::config::{Config, Confirmation, RxPadding, StMin, micros};
use crate::error::{Cause, Ignored, NResult};
use crate::machine::SEQUENCE_MASK;
use crate::pdu::{FlowControl, FlowStatus};
use crate::time::{Instant, Timeout, Timer};

/// One reception, what it left behind for the user, and what outlives it: the local BS and STmin, and
/// the number of the next flow control.
#[derive(Debug)]
pub(crate) struct Reception {
    /// When the timer of the phase was started.
    since: Instant,
    /// FF_DL of the message.
    size: u32,
    /// Bytes of it that are in the buffer.
    received: u32,
    /// The number of the next flow control to be committed.
    next_frame: u32,
    phase: Phase,
    /// In `Failed`: how it ended. Apart from the phase, which is looked at several times a frame.
    result: NResult,
    before: Before,
    offer: Offer,
    block: Block,
    /// FC.WAIT in a row.
    waits: u8,
    /// Bytes in the spare memory: a single frame, or the data of a first frame whose buffer is not ready.
    spare: u8,
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
/// from `Complete` or `Single`; `received <= size`.
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

/// How the reception before this one ended, if the user has not been told yet (`UNX-02`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Told,
    Failed(NResult),
    /// Its message is still in the buffer.
    Complete {
        size: u32,
        source: u8,
    },
}

/// What our flow controls say; N_ChangeParameter sets it.
#[derive(Clone, Copy, Debug)]
struct Offer {
    block_size: u8,
    st_min: StMin,
}

/// Where the next consecutive frame stands.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Bytes that each consecutive frame but the last carries.
    frame: u8,
    /// Consecutive frames since the flow control.
    received: u8,
    /// SN of the next one.
    sequence_number: u8,
    /// A wrong SN that came before the confirmation of the flow control.
    wrong: Option<u8>,
}

/// What the user has to be told next.
pub(crate) enum Told {
    Failed(NResult),
    FirstFrame { size: u32, source: u8 },
    Single { len: u8, source: u8 },
    Complete { size: u32, source: u8 },
}

/// What an accepted consecutive frame means.
pub(crate) struct Accepted {
    /// Where its bytes go in the message.
    pub(crate) offset: u32,
    /// How many they are; the rest is padding.
    pub(crate) len: u8,
}

impl Reception {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            since: Instant::ZERO,
            size: 0,
            received: 0,
            next_frame: 0,
            phase: Phase::Idle,
            result: NResult::Ok,
            before: Before::Told,
            offer: Offer {
                block_size: config.receive.block_size,
                st_min: config.receive.st_min,
            },
            block: Block {
                frame: 0,
                received: 0,
                sequence_number: 1,
                wrong: None,
            },
            waits: 0,
            spare: 0,
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

    /// Makes way for a valid single or first frame (`UNX-01`). `false`, and no change, if the user has
    /// not yet been told of what was before.
    pub(crate) fn supersede(&mut self) -> bool {
        if self.before != Before::Told || self.announced || self.phase == Phase::Single {
            return false;
        }
        self.before = match self.phase {
            Phase::Failed => Before::Failed(self.result),
            Phase::Complete => Before::Complete {
                size: self.size,
                source: self.source,
            },
            Phase::SentContinue if self.received == self.size && self.block.wrong.is_none() => {
                Before::Complete {
                    size: self.size,
                    source: self.source,
                }
            }
            _ if self.is_active() => Before::Failed(NResult::UnexpectedPdu),
            _ => Before::Told,
        };
        self.phase = Phase::Idle;
        self.settle_news();
        true
    }

    /// A single frame is in the spare memory.
    pub(crate) fn single(&mut self, len: usize, source: u8) {
        self.phase = Phase::Single;
        self.news = true;
        self.spare = len as u8;
        self.source = source;
    }

    /// A first frame was accepted; its data is in the spare memory. `carried` bytes came with it.
    pub(crate) fn begin(&mut self, now: Instant, first: First) {
        self.size = first.size;
        self.source = first.source;
        self.received = 0;
        self.waits = 0;
        self.spare = first.carried;
        self.announced = true;
        self.news = true;
        self.block = Block {
            frame: first.per_consecutive,
            received: 0,
            sequence_number: 1,
            wrong: None,
        };
        self.not_ready(now);
    }

    /// Listening only, and no room: the message is let go.
    pub(crate) fn forget(&mut self) {
        self.announced = false;
        self.phase = Phase::Idle;
        self.settle_news();
    }

    /// Listening only: a flow control of the other side went by, so the transfer is alive.
    pub(crate) fn keep_alive(&mut self, now: Instant) {
        if self.phase == Phase::Receiving {
            self.since = now;
        }
    }

    /// A first frame that is too long was received (`FC-08`).
    pub(crate) fn refuse(&mut self, now: Instant, config: &Config, source: u8) {
        self.source = source;
        if !config.receive.listen_only {
            self.enter(Phase::Refusing, now);
        }
    }

    /// The data of the first frame went to the buffer.
    pub(crate) const fn took_first(&mut self, carried: u8) {
        self.received = carried as u32;
        self.spare = 0;
    }

    /// The buffer is ready for the next block.
    pub(crate) fn ready(&mut self, now: Instant, config: &Config) {
        if config.receive.listen_only {
            self.enter(Phase::Receiving, now);
        } else {
            self.enter(Phase::OfferContinue, now);
        }
    }

    /// Checks a consecutive frame: is it awaited, has it the right length, the right number?
    #[inline]
    pub(crate) fn accept(
        &mut self,
        config: &Config,
        sequence_number: u8,
        data_len: usize,
        can_dl: usize,
    ) -> Result<Option<Accepted>, Ignored> {
        let early = match self.phase {
            Phase::Receiving => false,
            Phase::SentContinue if !self.is_block_done(config) => true,
            _ => return Err(Ignored::UnexpectedConsecutiveFrame),
        };
        let full = usize::from(self.block.frame);
        let remaining = self.size - self.received;
        let len = if remaining as usize > full {
            if data_len != full {
                return Err(Ignored::ConsecutiveFrame);
            }
            full
        } else {
            let remaining = remaining as usize;
            if data_len < remaining
                || data_len > full
                || !fits_policy(config.receive.padding, can_dl, data_len - remaining)
            {
                return Err(Ignored::ConsecutiveFrame);
            }
            remaining
        };
        let expected = self.block.sequence_number;
        if sequence_number != expected {
            if early {
                self.block.wrong = Some(sequence_number);
            } else {
                self.fail(NResult::WrongSn {
                    expected,
                    received: sequence_number,
                });
            }
            return Ok(None);
        }
        Ok(Some(Accepted {
            offset: self.received,
            len: len as u8,
        }))
    }

    /// Whether this is the frame that mostly comes: a consecutive frame of 8 bytes without address byte,
    /// neither the last of the message nor of a block, with this PCI.
    #[inline]
    pub(crate) fn awaits_usual(&self, pci: u8) -> bool {
        self.phase == Phase::Receiving
            && pci == 0x20 | self.block.sequence_number
            && self.block.frame == 7
            && self.size - self.received > 7
            && self.block.received.wrapping_add(1) != self.offer.block_size
    }

    /// The bytes of that frame are in the buffer.
    #[inline]
    pub(crate) const fn took_usual(&mut self, now: Instant) {
        self.received += 7;
        self.block.sequence_number = (self.block.sequence_number + 1) & 0xF;
        self.block.received = self.block.received.wrapping_add(1);
        self.since = now;
    }

    /// The bytes of an accepted consecutive frame are in the buffer. `true` if a flow control is owed.
    #[inline]
    pub(crate) fn took(&mut self, now: Instant, config: &Config, len: u8) -> bool {
        self.received += u32::from(len);
        self.block.sequence_number = (self.block.sequence_number + 1) & 0xF;
        self.block.received = self.block.received.wrapping_add(1);
        if self.phase == Phase::Receiving {
            self.settle(now, config)
        } else {
            false
        }
    }

    /// The offered frame was committed.
    #[inline(never)]
    pub(crate) fn commit(&mut self, now: Instant, config: &Config) -> u32 {
        let frame = self.next_frame;
        self.next_frame = (frame + 1) & SEQUENCE_MASK;
        self.phase = match self.phase {
            Phase::OfferContinue => {
                self.waits = 0;
                self.block.received = 0;
                Phase::SentContinue
            }
            Phase::OfferWait => {
                self.waits = self.waits.saturating_add(1);
                Phase::SentWait
            }
            _ => Phase::Idle,
        };
        if config.confirmation == Confirmation::OnCommit {
            self.confirm(now, config, frame);
        }
        frame
    }

    /// A flow control is on the bus. `true` if the next one is owed at once, because a whole block came
    /// before this confirmation.
    pub(crate) fn confirm(&mut self, now: Instant, config: &Config, frame: u32) -> bool {
        if !self.is_newest(frame) {
            return false;
        }
        match self.phase {
            Phase::SentContinue => {
                self.phase = Phase::Receiving;
                self.settle(now, config)
            }
            Phase::SentWait => {
                self.not_ready(now);
                false
            }
            _ => false,
        }
    }

    /// A flow control will not go out: it is offered again, unless the peer has answered it.
    pub(crate) fn handle_failed(&mut self, now: Instant, config: &Config, frame: u32) {
        if !self.is_newest(frame) {
            return;
        }
        match self.phase {
            Phase::SentContinue if self.block.received > 0 || self.block.wrong.is_some() => {
                self.confirm(now, config, frame);
            }
            Phase::SentContinue => self.phase = Phase::OfferContinue,
            Phase::SentWait => {
                self.waits = self.waits.saturating_sub(1);
                self.phase = Phase::OfferWait;
            }
            _ => {}
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config) {
        if now < self.deadline(config) {
            return;
        }
        match self.timer() {
            Timer::NBr if self.waits < config.receive.max_wait => {
                self.enter(Phase::OfferWait, now);
            }
            Timer::NBr => self.fail(NResult::WaitOverrun {
                limit: config.receive.max_wait,
            }),
            Timer::NCr => self.fail(NResult::TimeoutCr),
            _ if self.phase == Phase::Refusing => self.phase = Phase::Idle,
            _ => self.fail(NResult::TimeoutA),
        }
    }

    pub(crate) fn timeout(&self, config: &Config) -> Option<Timeout> {
        self.has_timer().then(|| Timeout {
            at: self.deadline(config),
            timer: self.timer(),
        })
    }

    /// When the timer of the phase runs out; `Instant::MAX` where it has none.
    #[inline]
    pub(crate) fn deadline(&self, config: &Config) -> Instant {
        if !self.has_timer() {
            return Instant::MAX;
        }
        self.since.after_micros(micros(match self.timer() {
            Timer::NBr => config.timing.n_br,
            Timer::NCr => config.timing.n_cr,
            _ => config.timing.n_ar,
        }))
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

    /// What the user has to be told next, in the order in which it happened.
    pub(crate) fn tell(&mut self) -> Option<Told> {
        let told = match core::mem::replace(&mut self.before, Before::Told) {
            Before::Failed(result) => Some(Told::Failed(result)),
            Before::Complete { size, source } => Some(Told::Complete { size, source }),
            Before::Told if core::mem::take(&mut self.announced) => Some(Told::FirstFrame {
                size: self.size,
                source: self.source,
            }),
            Before::Told => self.tell_outcome(),
        };
        self.settle_news();
        told
    }

    fn tell_outcome(&mut self) -> Option<Told> {
        let told = match self.phase {
            Phase::Single => Told::Single {
                len: self.spare,
                source: self.source,
            },
            Phase::Complete => Told::Complete {
                size: self.size,
                source: self.source,
            },
            Phase::Failed => Told::Failed(self.result),
            _ => return None,
        };
        self.phase = Phase::Idle;
        Some(told)
    }

    /// Whether [`tell`](Self::tell) has something to say.
    #[inline]
    pub(crate) const fn has_news(&self) -> bool {
        self.news
    }

    fn settle_news(&mut self) {
        self.news = self.before != Before::Told
            || self.announced
            || (Phase::Single..=Phase::Failed).contains(&self.phase);
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
    pub(crate) fn buffer_is_free(&self) -> bool {
        !matches!(self.before, Before::Complete { .. })
    }

    pub(crate) const fn next_frame(&self) -> u32 {
        self.next_frame
    }

    pub(crate) const fn set_next_frame(&mut self, number: u32) {
        self.next_frame = number;
    }

    pub(crate) fn is_receiving(&self) -> bool {
        self.phase == Phase::Receiving
    }

    pub(crate) const fn size(&self) -> u32 {
        self.size
    }

    pub(crate) const fn received(&self) -> u32 {
        self.received
    }

    /// Bytes of the first frame that wait in the spare memory.
    pub(crate) const fn waiting(&self) -> u8 {
        self.spare
    }

    pub(crate) const fn source(&self) -> u8 {
        self.source
    }

    /// The consecutive frames that are here have effect now. `true` if a flow control is owed.
    #[inline]
    fn settle(&mut self, now: Instant, config: &Config) -> bool {
        if let Some(received) = self.block.wrong {
            let expected = self.block.sequence_number;
            self.fail(NResult::WrongSn { expected, received });
        } else if self.received == self.size {
            self.phase = Phase::Complete;
            self.news = true;
        } else if self.is_block_done(config) {
            self.not_ready(now);
            return true;
        } else {
            self.since = now;
        }
        false
    }

    /// Whether no further consecutive frame is awaited before the next flow control.
    #[inline]
    fn is_block_done(&self, config: &Config) -> bool {
        self.received == self.size
            || self.block.wrong.is_some()
            || (self.offer.block_size != 0
                && self.block.received == self.offer.block_size
                && !config.receive.listen_only)
    }

    fn not_ready(&mut self, now: Instant) {
        self.enter(Phase::NotReady, now);
    }

    const fn is_newest(&self, frame: u32) -> bool {
        self.next_frame.wrapping_sub(1) & SEQUENCE_MASK == frame
    }

    #[inline]
    const fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
    }
}

/// An accepted first frame.
pub(crate) struct First {
    pub(crate) size: u32,
    pub(crate) source: u8,
    /// Message bytes in it.
    pub(crate) carried: u8,
    /// Message bytes in each consecutive frame that follows: RX_DL less address and PCI (`PCI-13`).
    pub(crate) per_consecutive: u8,
}

/// `PCI-08`, for the last consecutive frame.
const fn fits_policy(padding: RxPadding, can_dl: usize, surplus: usize) -> bool {
    match padding {
        RxPadding::Any => true,
        RxPadding::Padded => can_dl >= 8,
        RxPadding::Exact => can_dl > 8 || surplus == 0,
    }
}
