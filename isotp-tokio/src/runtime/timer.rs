//! Timers of tokio.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use isotp_driver::Timer;
use isotp_driver::core::Instant;
use tokio::runtime::Handle;
use tokio::time::Sleep;

use super::origin;

/// A timer of tokio's time wheel.
#[derive(Debug)]
pub struct TokioTimer {
    runtime: Handle,
    /// Made when it is first set: a driver without deadlines needs none.
    sleep: Option<Pin<Box<Sleep>>>,
    set: bool,
}

impl TokioTimer {
    pub(super) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            sleep: None,
            set: false,
        }
    }
}

impl Timer for TokioTimer {
    fn set(&mut self, at: Option<Instant>) {
        self.set = at.is_some();
        let Some(at) = at else { return };
        let at = origin() + Duration::from_micros(at.as_micros().min(FAR));
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at),
            none => {
                let _guard = self.runtime.enter();
                *none = Some(Box::pin(tokio::time::sleep_until(at)));
            }
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.sleep {
            Some(sleep) if self.set => sleep.as_mut().poll(cx),
            _ => Poll::Pending,
        }
    }
}

/// A century, in microseconds: no timer of tokio's is set beyond.
const FAR: u64 = 100 * 365 * 24 * 3600 * 1_000_000;
