//! Functional messages: single frames beside the physical channel, which they never disturb (`ADR-04`,
//! `ADR-06`, `SVC-02`).

use crate::channels::{Channel, Channels};
use crate::config::{Config, Confirmation};
use crate::error::{Cause, NResult};
use crate::time::{Instant, Timeout, Timer};

/// One functional single frame on its way out.
///
/// | phase | input | next | deadline |
/// |---|---|---|---|
/// | Idle | request | Ready | N_As |
/// | Ready | commit | Sent | kept |
/// | Sent | confirmed | Confirmed `N_OK` | - |
/// | Sent | frame lost | Ready | kept |
/// | Ready, Sent | N_As | TimedOut `N_TIMEOUT_A` | - |
/// | Ready | rejected | Refused `N_ERROR` | - |
///
/// The order matters: what is busy is between what is idle and what is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FunctionalTransfer {
    Idle,
    /// The frame is ready.
    Ready,
    /// The frame is in flight.
    Sent,
    /// It ended like this, and the user was not told yet.
    Confirmed,
    TimedOut,
    Refused,
}

impl FunctionalTransfer {
    pub(crate) const fn begin(&mut self, channels: &mut Channels) {
        *self = Self::Ready;
        channels.start(Channel::Functional);
    }

    pub(crate) const fn reject(&mut self) {
        *self = Self::Refused;
    }

    #[inline]
    pub(crate) const fn commit(&mut self, config: &Config) {
        *self = match config.confirmation {
            Confirmation::OnCommit => Self::Confirmed,
            Confirmation::Reported => Self::Sent,
        };
    }

    pub(crate) fn confirm(&mut self, channels: &Channels, frame: u32) {
        if self.is_in_flight(channels, frame) {
            *self = Self::Confirmed;
        }
    }

    pub(crate) fn handle_failed(&mut self, channels: &Channels, frame: u32) {
        if self.is_in_flight(channels, frame) {
            *self = Self::Ready;
        }
    }

    pub(crate) fn handle_timeout(&mut self, channels: &Channels, config: &Config) {
        let micros = config.timing.micros(Timer::NAs);
        if self.is_busy() && channels.is_due(Channel::Functional, micros) {
            *self = Self::TimedOut;
        }
    }

    pub(crate) fn timeout(self, channels: &Channels, config: &Config) -> Option<Timeout> {
        self.is_busy().then(|| Timeout {
            at: self.deadline(channels, config),
            timer: Timer::NAs,
        })
    }

    /// The deadline; `Instant::MAX` while there is none.
    #[inline]
    pub(crate) fn deadline(self, channels: &Channels, config: &Config) -> Instant {
        if self.is_busy() {
            channels.deadline(Channel::Functional, config.timing.micros(Timer::NAs))
        } else {
            Instant::MAX
        }
    }

    pub(crate) fn take_result(&mut self) -> Option<NResult> {
        let result = match self {
            Self::Confirmed => NResult::Ok,
            Self::TimedOut => NResult::TimeoutA,
            Self::Refused => NResult::Error(Cause::Refused),
            _ => return None,
        };
        *self = Self::Idle;
        Some(result)
    }

    pub(crate) fn is_idle(self) -> bool {
        self == Self::Idle
    }

    pub(crate) fn is_ready(self) -> bool {
        self == Self::Ready
    }

    pub(crate) fn is_busy(self) -> bool {
        matches!(self, Self::Ready | Self::Sent)
    }

    pub(crate) fn is_done(self) -> bool {
        self >= Self::Confirmed
    }

    fn is_in_flight(self, channels: &Channels, frame: u32) -> bool {
        self == Self::Sent && channels.younger(Channel::Functional, frame) == 0
    }
}
