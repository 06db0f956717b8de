//! What the driver needs of a runtime.

use core::future::Future;
use core::task::{Context, Poll};
use std::io;
#[cfg(unix)]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Instant as StdInstant;

use isotp_core::Instant;

use crate::channel::BoxFuture;

/// A runtime: a clock, timers, tasks, and readiness of descriptors and sockets.
///
/// It is implemented once for each runtime, by a crate of its own, on a handle that is cheap to clone.
/// Users never name it.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A timer of this runtime.
    type Timer: Timer;
    /// A watched descriptor.
    #[cfg(unix)]
    type Watch: Watch;
    /// A connected TCP stream.
    type Stream: Stream;
    /// A listening TCP socket.
    type Listener: Listener<Stream = Self::Stream>;

    /// Time since the origin of [`process_time`], so that all runtimes of a process agree. A runtime
    /// whose clock can be stopped for tests may run apart from it.
    fn now(&self) -> Instant;

    /// A timer that is not set.
    fn timer(&self) -> Self::Timer;

    /// Runs a task to its end, in the background. If the runtime is gone, the task is dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Watches a non-blocking descriptor.
    ///
    /// # Errors
    /// What the runtime's reactor answers.
    #[cfg(unix)]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<Self::Watch>;

    /// Connects to `host:port`.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Listens on `host:port`.
    fn listen(&self, address: &str) -> impl Future<Output = io::Result<Self::Listener>> + Send;
}

/// A runtime without its type, for handles.
pub(crate) trait AnyRuntime: Send + Sync {
    fn now(&self) -> Instant;
    fn timer(&self) -> Box<dyn Timer>;
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

impl<R: Runtime> AnyRuntime for R {
    fn now(&self) -> Instant {
        Runtime::now(self)
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(Runtime::timer(self))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        Runtime::spawn(self, task);
    }
}

/// Real time since an origin that is the same for the whole process.
#[must_use]
pub fn process_time() -> Instant {
    Instant::ZERO + process_origin().elapsed()
}

/// The origin of [`process_time`].
#[must_use]
pub fn process_origin() -> StdInstant {
    static ORIGIN: OnceLock<StdInstant> = OnceLock::new();
    *ORIGIN.get_or_init(StdInstant::now)
}

/// A timer that can be set again and again.
pub trait Timer: Send + Unpin + 'static {
    /// Sets the moment at which it fires, or unsets it. Nothing happens if it stays the same.
    fn set(&mut self, at: Option<Instant>);

    /// Ready once the moment has come; never ready early, and pending for ever if it is not set. It
    /// stays ready until it is set anew.
    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interest {
    /// Something to receive.
    pub readable: bool,
    /// Room to send.
    pub writable: bool,
}

impl Interest {
    /// To receive.
    pub const READABLE: Self = Self {
        readable: true,
        writable: false,
    };
    /// To send.
    pub const WRITABLE: Self = Self {
        readable: false,
        writable: true,
    };
}

/// A descriptor that a runtime watches.
#[cfg(unix)]
pub trait Watch: Send + Sync + 'static {
    /// Waits for any of `interest`, or an error condition of the descriptor: that counts as both, and
    /// [`try_io`](Self::try_io) then brings the error out.
    ///
    /// # Cancel safety
    /// Dropping the future loses no readiness.
    fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Interest>> + Send;

    /// Tries a system call that does not block. `WouldBlock` clears the readiness that stood for it.
    ///
    /// # Errors
    /// What the call answers.
    fn try_io<T>(
        &self,
        interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T>;

    /// Forgets readiness that is known to be stale.
    fn clear(&self, interest: Interest);
}

/// A TCP stream. It sends without delay (`TCP_NODELAY`), and asks whether the peer is still there
/// ([`Keepalive`](crate::Keepalive)).
pub trait Stream: Send + Unpin + 'static {
    /// Reads some bytes; 0 at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some bytes.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Ends the writing direction.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A listening TCP socket.
pub trait Listener: Send + Unpin + 'static {
    /// What it accepts.
    type Stream: Stream;

    /// The next peer, and its address as text.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, String)>>;

    /// The address that it listens on, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// What the system answers.
    fn local_address(&self) -> io::Result<String>;
}
