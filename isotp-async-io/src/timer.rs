//! Timers, as fine as those of the operating system.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use isotp_driver::core::Instant;
use isotp_driver::{Timer, process_origin};

/// A timer of the reactor.
#[derive(Debug)]
pub struct IoTimer {
    timer: async_io::Timer,
    state: State,
}

#[derive(Debug)]
enum State {
    Unset,
    Set(Instant),
    Fired,
}

impl Default for IoTimer {
    fn default() -> Self {
        Self {
            timer: async_io::Timer::never(),
            state: State::Unset,
        }
    }
}

impl Timer for IoTimer {
    fn set(&mut self, at: Option<Instant>) {
        let Some(at) = at else {
            self.state = State::Unset;
            return;
        };
        if matches!(self.state, State::Set(set) if set == at) {
            return;
        }
        self.state = State::Set(at);
        let after = Duration::from_micros(at.as_micros().min(FAR));
        self.timer.set_at(process_origin() + after);
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.state {
            State::Unset => return Poll::Pending,
            State::Fired => return Poll::Ready(()),
            State::Set(_) => {}
        }
        let fired = Pin::new(&mut self.timer).poll(cx).map(drop);
        if fired.is_ready() {
            self.state = State::Fired;
        }
        fired
    }
}

/// A century, in microseconds: no timer is set beyond.
const FAR: u64 = 100 * 365 * 24 * 3600 * 1_000_000;
