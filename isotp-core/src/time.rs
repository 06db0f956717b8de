//! Time as the core sees it: microseconds from an origin that the caller chose.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time, in whole microseconds from any origin; the caller's clock decides which.
///
/// 64 bits last for half a million years, so there is no wrap to handle. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// A moment that never comes: no clock may show it.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// `duration` later, a part of a microsecond counted as a whole one.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        let nanos = duration.subsec_nanos();
        let micros = duration.as_secs().saturating_mul(1_000_000);
        Self(
            self.0
                .saturating_add(micros.saturating_add(nanos.div_ceil(1000) as u64)),
        )
    }

    /// `micros` microseconds later.
    pub(crate) const fn after_micros(self, micros: u32) -> Self {
        Self(self.0.saturating_add(micros as u64))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        self.saturating_add(duration)
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// The timers of ISO 15765-2, and the separation time between consecutive frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Timer {
    /// Sender: a data frame waits for its confirmation. Expiry: `N_TIMEOUT_A`.
    NAs,
    /// Receiver: a flow control waits for its confirmation. Expiry: `N_TIMEOUT_A`.
    NAr,
    /// Sender: a flow control is awaited. Expiry: `N_TIMEOUT_Bs`.
    NBs,
    /// Receiver: the buffer is not ready. Expiry: the next FC.WAIT, or `N_WFT_OVRN`.
    NBr,
    /// Sender: the payload has no bytes yet. Expiry: `N_ERROR`.
    NCs,
    /// Receiver: a consecutive frame is awaited. Expiry: `N_TIMEOUT_Cr`.
    NCr,
    /// Sender: the separation time runs. Expiry: the next consecutive frame may go.
    StMin,
}

/// The next moment at which [`Machine::handle_timeout`](crate::Machine::handle_timeout) has work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timeout {
    /// When.
    pub at: Instant,
    /// Which timer, for logs and diagnosis.
    pub timer: Timer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_microsecond_is_rounded_up() {
        let t = Instant::from_micros(5) + Duration::from_nanos(1);
        assert_eq!(t.as_micros(), 6);
        assert_eq!((Instant::ZERO + Duration::from_nanos(1000)).as_micros(), 1);
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Instant::MAX + Duration::MAX, Instant::MAX);
        assert_eq!(Instant::ZERO - Instant::MAX, Duration::ZERO);
        let (two, five) = (Instant::from_millis(2), Instant::from_millis(5));
        assert_eq!(five - two, Duration::from_millis(3));
    }
}
