//! A timerfd.

use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Instant;

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use super::register::register;

/// A timer of the system's, made when it is first set.
#[derive(Debug)]
pub(super) enum Fine {
    /// Not needed yet.
    Later(Handle),
    Here(AsyncFd<OwnedFd>),
    /// There is none.
    No,
}

impl Fine {
    pub(super) fn new(runtime: &Handle) -> Self {
        let later = Self::Later(runtime.clone());
        if cfg!(panic = "abort") {
            later.make()
        } else {
            later
        }
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::No)
    }

    /// Sets it to a moment, and gives whether it could be set.
    pub(super) fn set(&mut self, at: Instant) -> bool {
        if matches!(self, Self::Later(_)) {
            *self = core::mem::replace(self, Self::No).make();
        }
        let Self::Here(timer) = self else {
            return false;
        };
        let set = set_timer(timer.as_fd(), at).is_ok();
        if !set {
            *self = Self::No;
        }
        set
    }

    /// Ready once it has fired, or for another reason: the clock decides. Nothing is read from the
    /// timerfd, since each firing is an edge of its own, and setting it forgets the last.
    pub(super) fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self::Here(timer) = self else {
            return Poll::Ready(());
        };
        match ready!(timer.poll_read_ready(cx)) {
            Ok(mut fired) => fired.clear_ready(),
            // the runtime ends
            Err(_) => *self = Self::No,
        }
        Poll::Ready(())
    }

    fn make(self) -> Self {
        let Self::Later(runtime) = self else {
            return self;
        };
        make(&runtime).map_or(Self::No, Self::Here)
    }
}

fn make(runtime: &Handle) -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    register(runtime, timer, Interest::READABLE)
}

fn set_timer(timer: impl AsFd, at: Instant) -> io::Result<()> {
    let time = Timespec::try_from(monotonic(at)).map_err(io::Error::other)?;
    let once = Itimerspec {
        it_interval: Timespec::default(),
        it_value: time,
    };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &once)?;
    Ok(())
}

/// The same moment on the system's monotonic clock, not earlier.
fn monotonic(at: Instant) -> Duration {
    static SAME: OnceLock<(Instant, Duration)> = OnceLock::new();
    let (instant, monotonic) = SAME.get_or_init(|| {
        let pairs = (0..8).map(|_| {
            let (before, now) = (Instant::now(), clock_gettime(ClockId::Monotonic));
            // the clock of the system never shows a negative time
            let now = Duration::try_from(now).unwrap_or_default();
            (before.elapsed(), (before, now))
        });
        // the two are the same clock, read one after the other
        let closest = pairs.min_by_key(|(apart, _)| *apart);
        closest.map_or_else(|| (Instant::now(), Duration::ZERO), |(_, pair)| pair)
    });
    match at.checked_duration_since(*instant) {
        Some(later) => *monotonic + later,
        None => monotonic.saturating_sub(*instant - at),
    }
}
