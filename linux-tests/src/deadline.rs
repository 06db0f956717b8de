//! Nothing in the tests waits without an end.

use core::time::Duration;
use std::time::Instant;

/// A moment by which something must have happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    length: Duration,
}

impl Deadline {
    pub(crate) fn after(length: Duration) -> Self {
        Self {
            at: Instant::now() + length,
            length,
        }
    }

    pub(crate) fn seconds(seconds: u64) -> Self {
        Self::after(Duration::from_secs(seconds))
    }

    /// What is left.
    ///
    /// # Errors
    /// There is nothing left, and `what` did not happen.
    pub(crate) fn left(self, what: &str) -> Result<Duration, String> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.passed(what));
        }
        Ok(left)
    }

    /// What is said when it has passed.
    pub(crate) fn passed(self, what: &str) -> String {
        format!("waited {:?} for {what}", self.length)
    }
}
