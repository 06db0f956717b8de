//! `std::time::Instant` as a source of [`Instant`].

use crate::time::Instant;

/// Counts from a moment of `std`'s clock.
///
/// Machines that are driven together share one (it is `Copy`), so that their times can be compared.
///
/// ```
/// use isotp_core::{Clock, Instant};
/// let origin = std::time::Instant::now();
/// let clock = Clock::since(origin);
/// let later = origin + std::time::Duration::from_millis(5);
/// assert_eq!(clock.at(later), Instant::from_millis(5));
/// assert_eq!(clock.to_std(Instant::from_millis(5)), Some(later));
/// assert!(clock.now() >= Instant::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    origin: std::time::Instant,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self::since(std::time::Instant::now())
    }

    /// A clock that began at `origin`.
    #[must_use]
    pub const fn since(origin: std::time::Instant) -> Self {
        Self { origin }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.at(std::time::Instant::now())
    }

    /// The moment `time`, in whole microseconds that have passed; what lies before the origin is the
    /// origin.
    #[must_use]
    pub fn at(&self, time: std::time::Instant) -> Instant {
        let passed = time.saturating_duration_since(self.origin).as_micros();
        Instant::from_micros(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// The moment `time` on `std`'s clock, for sleeping until a deadline: [`at`](Self::at) of it is not
    /// before `time`. `None` if `std` cannot express it, as with [`Instant::MAX`] on some systems.
    #[must_use]
    pub fn to_std(&self, time: Instant) -> Option<std::time::Instant> {
        self.origin
            .checked_add(time.saturating_duration_since(Instant::ZERO))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_is_never_early_after_a_round_trip() {
        let clock = Clock::since(std::time::Instant::now() + Duration::from_nanos(999));
        for micros in [0, 1, 999_999, 1 << 40] {
            let deadline = Instant::from_micros(micros);
            let wake = clock.to_std(deadline).unwrap();
            assert_eq!(clock.at(wake), deadline);
            let early = wake - Duration::from_nanos(1);
            assert!(micros == 0 || clock.at(early) < deadline);
        }
    }

    #[test]
    fn what_lies_before_the_origin_is_the_origin() {
        let origin = std::time::Instant::now();
        let clock = Clock::since(origin + Duration::from_secs(1));
        assert_eq!(clock.at(origin), Instant::ZERO);
    }

    #[test]
    fn a_moment_that_never_comes_does_not_panic() {
        let clock = Clock::new();
        if let Some(never) = clock.to_std(Instant::MAX) {
            assert_eq!(clock.at(never), Instant::MAX);
        }
    }

    #[test]
    fn a_clock_tells_what_has_passed_since_its_origin() {
        let millisecond = Duration::from_millis(1);
        let origin = std::time::Instant::now().checked_sub(millisecond);
        let clock = Clock::since(origin.expect("the machine has run for a millisecond"));
        assert!(clock.now() >= Instant::from_millis(1));
        assert!(clock.now() < Instant::from_millis(3_600_000));
    }
}
