//! The kernel's time stamps on the driver's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use isotp_driver::{Instant, process_time};

/// Turns stamps of the real-time clock into moments of the driver's clock.
///
/// A confirmation that is taken for earlier than it was makes the next frame go too early, so every
/// uncertainty makes a moment later. Whatever the real-time clock does, a moment is never before what
/// was told before, nor before the socket was last seen empty.
#[derive(Debug)]
pub(super) struct StampClock {
    /// The same moment on both clocks: the driver's in microseconds, the real-time one in nanoseconds
    /// since 1970.
    driver: Instant,
    real: i64,
    /// No frame that is still to be told is older.
    floor: Instant,
}

impl StampClock {
    pub(super) const fn new() -> Self {
        Self {
            driver: Instant::ZERO,
            real: 0,
            floor: Instant::ZERO,
        }
    }

    /// Compares the clocks. Done after a batch was received, so that all its stamps are older.
    pub(super) fn compare(&mut self) {
        // in this order: if the thread is interrupted between them, moments become later
        self.real = nanos(SystemTime::now());
        self.driver = process_time();
    }

    /// The socket was empty at `at`, and all that it had before was told.
    pub(super) fn emptied(&mut self, at: Instant) {
        self.floor = self.floor.max(at);
    }

    /// When a frame arrived, by its stamp; without one, when the clocks were compared.
    pub(super) fn moment(&self, stamp: Option<(i64, i64)>) -> Instant {
        let age = stamp.map_or(0, |(seconds, nanos)| {
            let stamp = seconds.saturating_mul(NANOS).saturating_add(nanos);
            self.real.saturating_sub(stamp).max(0)
        });
        // rounded down, for a later moment
        let age = age.unsigned_abs() / 1000;
        let moment = self.driver.as_micros().saturating_sub(age);
        Instant::from_micros(moment).max(self.floor)
    }

    /// A frame of this moment was told: those after it are not older.
    pub(super) fn told(&mut self, at: Instant) {
        self.floor = self.floor.max(at);
    }
}

/// Nanoseconds since 1970; they fit until the year 2262.
fn nanos(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

const NANOS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: i64 = 1_700_000_000;

    fn clock() -> StampClock {
        StampClock {
            driver: Instant::from_micros(5_000_000),
            real: REAL * NANOS,
            floor: Instant::ZERO,
        }
    }

    #[test]
    fn a_stamp_is_as_old_on_one_clock_as_on_the_other() {
        let at = |seconds, nanos| clock().moment(Some((REAL + seconds, nanos))).as_micros();
        assert_eq!(at(0, 0), 5_000_000);
        assert_eq!(at(-1, 0), 4_000_000);
        assert_eq!(at(-1, 999_998_000), 4_999_998);
        // never too early
        assert_eq!(at(-1, 999_998_001), 4_999_999);
        assert_eq!(clock().moment(None).as_micros(), 5_000_000);
    }

    #[test]
    fn a_real_time_clock_that_is_set_moves_nothing_out_of_order() {
        let mut clock = clock();
        clock.emptied(Instant::from_micros(4_900_000));
        let at = |clock: &StampClock, seconds| clock.moment(Some((REAL + seconds, 0))).as_micros();
        assert_eq!(at(&clock, -3600), 4_900_000);
        assert_eq!(at(&clock, 3600), 5_000_000);
        clock.told(Instant::from_micros(4_950_000));
        assert_eq!(at(&clock, -3600), 4_950_000);
        for seconds in [i64::MIN, i64::MAX] {
            let at = clock.moment(Some((seconds, i64::MAX))).as_micros();
            assert!((4_950_000..=5_000_000).contains(&at));
        }
    }

    #[test]
    fn comparing_follows_both_clocks() {
        let mut clock = StampClock::new();
        let before = process_time();
        clock.compare();
        let now = nanos(SystemTime::now());
        let stamp = (now / NANOS, now % NANOS);
        assert!(clock.moment(Some(stamp)) >= before);
        assert!(clock.moment(Some(stamp)) <= process_time());
    }
}
