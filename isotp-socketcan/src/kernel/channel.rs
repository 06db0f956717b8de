//! A kernel socket under a connection.

use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use isotp_driver::{
    BoxFuture, BusError, Cause, Incoming, Instant, Interest, MessageChannel, NResult, Readiness,
    Runtime, Timer,
};

use super::claims::Claim;
use super::closing::Parting;
use super::guard::Guard;
use super::socket::{KernelSocket, NotSent};

/// A [`KernelSocket`] that a runtime watches.
///
/// The kernel cannot abort: a message whose sender lost interest is sent to its end, and the next one
/// waits for that. Closing takes the kernel as long as well, and is left to a thread, which is there as
/// long as there are channels; three more help it where many are closed at once.
pub struct KernelChannel<R: Runtime> {
    runtime: R,
    ready: Ready<R::Watch>,
    waiting: Waiting<R>,
    /// The message is written, and its outcome is awaited.
    begun: bool,
    guard: Option<Guard<R>>,
    // last, so that it is dropped last: the descriptor that is closed last is the one that waits
    socket: Parting,
}

/// Each direction waits by itself.
struct Ready<W> {
    receive: Readiness<W>,
    send: Readiness<W>,
}

/// Waiting for the end of a transfer.
struct Waiting<R: Runtime> {
    timer: R::Timer,
    until: Option<Instant>,
    /// How often the socket was said to be writable, and was busy.
    alarms: u8,
    /// The interface's queue has been full since.
    full: Option<Instant>,
}

impl<R: Runtime> KernelChannel<R> {
    /// Puts a socket into the hands of a runtime.
    ///
    /// # Errors
    /// What the runtime's reactor answers; no thread, or no descriptor, for closing it later; a socket that
    /// [waits until a message is sent](super::KernelOptions::wait_until_sent), which would block it; a
    /// kernel of the versions 6.3 to 6.5 that cannot send while somebody waits for the socket.
    pub fn new(runtime: &R, socket: KernelSocket) -> io::Result<Self> {
        Self::with(runtime, socket, None, None)
    }

    pub(crate) fn with(
        runtime: &R,
        socket: KernelSocket,
        claim: Option<Claim>,
        guard: Option<Guard<R>>,
    ) -> io::Result<Self> {
        if socket.facts.waits {
            return Err(io::Error::other(
                "wait_until_sent would block the runtime; leave it out, the outcome is told all the same",
            ));
        }
        // from here on, whatever goes wrong, a thread closes it
        let mut socket = Parting::new(socket, claim)?;
        let open = socket.get()?;
        let ready = Ready::new(runtime, open)?;
        if !open.is_idle()? {
            return Err(io::Error::other(
                "this kernel cannot send on a socket that is waited for (mended in 6.6 and in the stable \
                 versions before); update it, or use raw:",
            ));
        }
        Ok(Self {
            runtime: runtime.clone(),
            ready,
            waiting: Waiting {
                timer: runtime.timer(),
                until: None,
                alarms: 0,
                full: None,
            },
            begun: false,
            guard,
            socket,
        })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<NResult>> {
        loop {
            // before the question, so that what happens after the question wakes
            self.ready.send.clear(Interest::WRITABLE);
            let socket = self.socket.get()?;
            if !self.begun {
                match socket.try_send(message) {
                    Ok(()) => {
                        self.begun = true;
                        self.waiting.begin();
                        continue;
                    }
                    Err(NotSent::Io(error)) => return Poll::Ready(Err(error)),
                    Err(NotSent::Size { .. }) => {
                        return Poll::Ready(Ok(NResult::Error(Cause::Refused)));
                    }
                    Err(NotSent::QueueFull) => {
                        if ready!(self.waiting.poll_room(cx, self.runtime.now())) {
                            continue;
                        }
                        return Poll::Ready(Ok(NResult::TimeoutA));
                    }
                    Err(NotSent::Busy | NotSent::TimedOut) => {}
                }
            } else if let Some(result) = socket.try_outcome()? {
                self.begun = false;
                return Poll::Ready(Ok(result));
            }
            let now = self.runtime.now();
            ready!(self.waiting.poll_end(cx, now, &mut self.ready.send))?;
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Vec<u8>,
    ) -> Poll<io::Result<Incoming>> {
        loop {
            let socket = self.socket.get()?;
            // what sending came across
            let failed = socket.take_failed().map(Incoming::Failed);
            let received = failed.map_or_else(
                || {
                    let take = |_: std::os::fd::BorrowedFd<'_>| socket.try_recv(message);
                    self.ready.receive.try_io(Interest::READABLE, take)
                },
                Ok,
            );
            match received {
                Ok(incoming) => {
                    if let Some(guard) = &mut self.guard {
                        match incoming {
                            Incoming::Message => guard.received(message.len())?,
                            _ => guard.failed()?,
                        }
                    }
                    return Poll::Ready(Ok(incoming));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            if let Some(guard) = &mut self.guard
                && let Poll::Ready(result) = guard.poll(cx)
            {
                return Poll::Ready(result.map(Incoming::Failed));
            }
            ready!(self.ready.receive.poll_ready(cx, Interest::READABLE))?;
        }
    }
}

impl<R: Runtime> Waiting<R> {
    /// Another message is on its way.
    fn begin(&mut self) {
        self.alarms = 0;
        self.full = None;
        self.until = None;
    }

    /// Ready when the transfer may have ended. Kernels before 6.3 call a busy socket writable, or do
    /// not tell when it becomes so: there a timer tells, and only there.
    fn poll_end<W: isotp_driver::Watch>(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        ready: &mut Readiness<W>,
    ) -> Poll<io::Result<()>> {
        let told = self.alarms < FALSE_ALARMS;
        if told && let Poll::Ready(result) = ready.poll_ready(cx, Interest::WRITABLE) {
            self.alarms += 1;
            self.until = None;
            return Poll::Ready(result.map(drop));
        }
        let pause = if told { UNTOLD } else { PAUSE };
        self.poll_timer(cx, now, pause).map(Ok)
    }

    /// Ready with `true` when there may be room in the interface's queue, with `false` when there was
    /// none for N_As.
    fn poll_room(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<bool> {
        let since = *self.full.get_or_insert(now);
        if now >= since + N_AS {
            self.begin();
            return Poll::Ready(false);
        }
        self.poll_timer(cx, now, PAUSE).map(|()| true)
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Instant, pause: Duration) -> Poll<()> {
        let until = *self.until.get_or_insert(now + pause);
        self.timer.set(Some(until));
        ready!(self.timer.poll_fired(cx));
        self.timer.set(None);
        self.until = None;
        Poll::Ready(())
    }
}

impl<R: Runtime> MessageChannel for KernelChannel<R> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<Result<NResult, BusError>> {
        self.poll_send(cx, message).map_err(BusError::from)
    }

    fn cancel_send(&mut self) {
        self.begun = false;
        self.waiting.begin();
        if let Ok(socket) = self.socket.get() {
            socket.abandon();
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Vec<u8>,
    ) -> Poll<Result<Incoming, BusError>> {
        self.poll_receive(cx, message).map_err(BusError::from)
    }

    /// The kernel answers first frames until its socket is gone.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>
    where
        R: 'static,
    {
        let Self {
            ready,
            guard,
            mut socket,
            ..
        } = *self;
        // the descriptor that is closed last is the one that waits
        drop((ready, guard));
        let gone = socket.part();
        Box::pin(async move {
            // whoever has the other end says nothing, and drops it
            let _ = gone.await;
        })
    }

    /// The guard ends each message.
    fn close_patience(&self) -> Option<Duration> {
        None
    }

    fn max_message(&self) -> u32 {
        u32::try_from(self.socket.max_message()).unwrap_or(u32::MAX)
    }
}

impl<R: Runtime> core::fmt::Debug for KernelChannel<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KernelChannel").finish_non_exhaustive()
    }
}

impl<W: isotp_driver::Watch> Ready<W> {
    fn new<R: Runtime<Watch = W>>(runtime: &R, socket: &KernelSocket) -> io::Result<Self> {
        let descriptor = socket.as_fd().try_clone_to_owned()?;
        let watch = Arc::new(runtime.watch(descriptor)?);
        Ok(Self {
            receive: Readiness::new(Arc::clone(&watch)),
            send: Readiness::new(watch),
        })
    }
}

/// So often a busy socket may be called writable during one message.
const FALSE_ALARMS: u8 = 8;
/// Looks again after so long, should the kernel never tell.
const UNTOLD: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);
/// The default of the standard, and what `Config::linux_kernel` has.
const N_AS: Duration = Duration::from_secs(1);
