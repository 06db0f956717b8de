//! Nothing in the tests waits without an end.

use core::fmt::Display;
use core::future::Future;
use core::time::Duration;
use std::time::Instant;

use isotp_driver::{Connection, Message};

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

    /// What comes of a future, if it is over by then. For what runs under tokio.
    ///
    /// # Errors
    /// It failed, or `what` did not happen.
    pub(crate) async fn of<T, E: Display>(
        self,
        what: &str,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, String> {
        match tokio::time::timeout_at(self.at.into(), future).await {
            Ok(ended) => ended.map_err(|error| error.to_string()),
            Err(_) => Err(self.passed(what)),
        }
    }

    /// What is said when it has passed.
    pub(crate) fn passed(self, what: &str) -> String {
        format!("waited {:?} for {what}", self.length)
    }
}

/// Runs a future under tokio in this thread, for so many seconds at most.
pub(crate) fn under_tokio<T>(
    seconds: u64,
    future: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("a runtime: {error}"))?;
    runtime.block_on(Deadline::seconds(seconds).of("the end of the case", future))
}

/// What comes of a future that takes [`LIMIT`] at most. For what runs under tokio.
pub(crate) async fn within<T, E: Display>(
    what: &str,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    Deadline::after(LIMIT).of(what, future).await
}

/// The next message of a connection: it begins within [`LIMIT`], and then the protocol's own timers end it.
/// Under any runtime.
pub(crate) async fn message(connection: &Connection) -> Result<Message, String> {
    let message = connection.recv_timeout(LIMIT).await;
    let id = connection.address().rx().id();
    message.map_err(|error| format!("a message with the id {id}: {error}"))
}

/// For one thing that should happen at once, in an emulated machine whose host is busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
