//! Timers: tokio's time wheel, and a finer clock for the end of the way.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use isotp_driver::Timer;
use isotp_driver::core::Instant;
use tokio::runtime::Handle;
use tokio::time::Sleep;

use super::fine::Fine;
use super::origin;

/// A timer that is set to moments of tokio's clock.
///
/// Tokio counts in milliseconds and fires 1 to 2 ms late. On Linux, the last milliseconds before a
/// deadline are therefore left to a timerfd, which is late by some 50 microseconds:
///
/// - A deadline that is more than 4 ms away is tokio's, but for its last 3 ms.
/// - What is nearer goes to the timerfd, as long as tokio's clock is that of the system, and to tokio as
///   well: should the clock be paused meanwhile, it does not jump beyond the deadline.
/// - Where tokio's clock is another, because `tokio::time::pause` was called, all is left to tokio.
/// - All is left to tokio also where there is no timerfd: on other systems, in a runtime without
///   `enable_io`, or if the system has no descriptor left.
///
/// The timerfd is made when the first near deadline comes, one for each timer. To find that a runtime has
/// no `enable_io`, a panic of tokio's is caught, which its hook will report. A program that is built to
/// abort on panics would end there, so in it the timerfd is made along with the timer.
#[derive(Debug)]
pub struct TokioTimer {
    at: Option<Instant>,
    state: State,
    sleep: Pin<Box<Sleep>>,
    fine: Fine,
}

/// What leads to the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing yet.
    New,
    /// Tokio, all the way.
    Coarse,
    /// Tokio, until the deadline is near.
    Approach,
    /// The timerfd, and tokio should its clock be paused.
    Near,
    /// It came.
    Fired,
}

impl TokioTimer {
    /// # Panics
    /// If the runtime has no timers (`enable_time`), as everything of tokio does.
    pub(super) fn new(runtime: Handle) -> Self {
        let _guard = runtime.enter();
        let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self {
            at: None,
            state: State::New,
            sleep,
            fine: Fine::new(&runtime),
        }
    }

    /// Chooses what leads to the deadline from now on.
    fn start(&mut self, at: Instant) -> State {
        let deadline = origin() + Duration::from_micros(at.as_micros().min(FAR));
        let before = std::time::Instant::now();
        let now = tokio::time::Instant::now();
        if now >= deadline {
            return State::Fired;
        }
        let is_real = before <= now.into_std() && now.into_std() <= std::time::Instant::now();
        let is_fine = is_real && self.fine.is_there();
        if is_fine && deadline - now > NEAR {
            self.sleep.as_mut().reset(deadline - REST);
            return State::Approach;
        }
        self.sleep.as_mut().reset(deadline);
        if is_fine && self.fine.set(deadline.into_std()) {
            State::Near
        } else {
            State::Coarse
        }
    }
}

impl Timer for TokioTimer {
    /// What was set before is not unset in the system: it may wake the task once.
    fn set(&mut self, at: Option<Instant>) {
        if self.at != at {
            self.at = at;
            self.state = State::New;
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        loop {
            self.state = match self.state {
                State::New => self.start(at),
                State::Coarse => {
                    ready!(self.sleep.as_mut().poll(cx));
                    State::Fired
                }
                State::Approach => {
                    ready!(self.sleep.as_mut().poll(cx));
                    State::New
                }
                State::Near => match self.sleep.as_mut().poll(cx) {
                    Poll::Ready(()) => State::Fired,
                    Poll::Pending => {
                        ready!(self.fine.poll_fired(cx));
                        // the clock decides whether it has come
                        State::New
                    }
                },
                State::Fired => return Poll::Ready(()),
            }
        }
    }
}

/// A deadline that is further away is left to tokio at first.
const NEAR: Duration = Duration::from_millis(4);
/// What is left when tokio's timer is to fire: more than it may be late.
const REST: Duration = Duration::from_millis(3);
/// A century, in microseconds: no timer of tokio's is set beyond.
const FAR: u64 = 100 * 365 * 24 * 3600 * 1_000_000;
