//! The end of a call that blocks.

use core::time::Duration;
use std::io;
use std::time::Instant;

/// When a wait ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End(Option<Instant>);

impl End {
    /// After this time, without one never.
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        // so far that it does not exist is never
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// The time that is left; an error if there is none.
    pub(crate) fn left(self) -> io::Result<Option<Duration>> {
        let left = self
            .0
            .map(|end| end.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends() {
        let left = |timeout| End::after(timeout).left().map_err(|error| error.kind());
        assert_eq!(left(None), Ok(None));
        // too long to count is for ever
        assert_eq!(left(Some(Duration::MAX)), Ok(None));
        assert_eq!(left(Some(Duration::ZERO)), Err(io::ErrorKind::TimedOut));
        let some = left(Some(Duration::from_secs(60))).unwrap().unwrap();
        assert!(some > Duration::from_secs(50) && some <= Duration::from_secs(60));
    }
}
