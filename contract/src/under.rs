//! What the suite needs of a runtime.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use futures_io::{AsyncRead, AsyncWrite};
use isotp_driver::isotpserver::{Bridge, BridgeOptions};
use isotp_driver::{
    Backend, BoxFuture, ByteStream, Connection, Instant, Network, OpenError, Runtime,
};

/// A runtime whose crate is tested, through what that crate has for its users.
pub trait Under: 'static {
    /// As the driver sees it.
    type Runtime: Runtime;

    /// The one that this code runs in.
    fn runtime() -> Self::Runtime;

    /// A network of a backend.
    fn start(backend: Backend) -> Network;

    /// A network of a connection string.
    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>>;

    /// A connection as bytes, in the way of this runtime.
    fn bytes(connection: Connection) -> Bytes {
        Box::pin(ByteStream::from(connection))
    }

    /// A network of a backend in a runtime of its own, and what stops that.
    ///
    /// Executors that live as long as their process cannot be stopped: for these, the tasks of the network
    /// are dropped, which is what the end of a runtime does to them.
    fn stoppable(backend: Backend) -> (Network, Stop) {
        let revocable = Revocable {
            runtime: Self::runtime(),
            state: Arc::default(),
        };
        let network = Network::start(&revocable, backend);
        (network, Box::new(move || revocable.revoke()))
    }

    /// Runs a future of a test to its end.
    fn block_on(case: Body);
}

/// A case as it runs, in the thread of its test.
pub type Body = Pin<Box<dyn Future<Output = ()>>>;

/// What reads and writes bytes.
pub type Bytes = Pin<Box<dyn ReadWrite>>;

/// Stops a runtime.
pub type Stop = Box<dyn FnOnce() + Send>;

/// Both traits.
pub trait ReadWrite: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> ReadWrite for T {}

/// [`Under`] without its type, so that each case is compiled once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runner {
    pub(crate) start: fn(Backend) -> Network,
    pub(crate) open: fn(String) -> BoxFuture<'static, Result<Network, OpenError>>,
    pub(crate) bytes: fn(Connection) -> Bytes,
    pub(crate) stoppable: fn(Backend) -> (Network, Stop),
    pub(crate) listen: fn(Connection, BridgeOptions) -> BoxFuture<'static, io::Result<Bridge>>,
}

impl Runner {
    pub(crate) fn of<U: Under>() -> Self {
        Self {
            start: U::start,
            open: U::open,
            bytes: U::bytes,
            stoppable: U::stoppable,
            listen: |connection, options| {
                let runtime = U::runtime();
                Box::pin(async move {
                    Bridge::listen(&runtime, "127.0.0.1:0", connection, options).await
                })
            },
        }
    }
}

/// A runtime whose tasks can be dropped.
#[derive(Clone)]
struct Revocable<R> {
    runtime: R,
    state: Arc<Mutex<Revoked>>,
}

#[derive(Default)]
struct Revoked {
    yes: bool,
    tasks: Vec<Waker>,
}

impl<R> Revocable<R> {
    fn revoke(&self) {
        let mut state = self.state.lock().unwrap();
        state.yes = true;
        let tasks = core::mem::take(&mut state.tasks);
        drop(state);
        tasks.into_iter().for_each(Waker::wake);
    }
}

impl<R: Runtime> Runtime for Revocable<R> {
    type Timer = R::Timer;
    #[cfg(unix)]
    type Watch = R::Watch;
    type Stream = R::Stream;
    type Listener = R::Listener;

    fn now(&self) -> Instant {
        self.runtime.now()
    }

    fn timer(&self) -> R::Timer {
        self.runtime.timer()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(Task {
            work: Some(Box::pin(task)),
            state: self.state.clone(),
        });
    }

    #[cfg(unix)]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<R::Watch> {
        self.runtime.watch(descriptor)
    }

    async fn connect(&self, address: &str) -> io::Result<R::Stream> {
        self.runtime.connect(address).await
    }

    async fn listen(&self, address: &str) -> io::Result<R::Listener> {
        self.runtime.listen(address).await
    }
}

struct Task<F> {
    work: Option<Pin<Box<F>>>,
    state: Arc<Mutex<Revoked>>,
}

impl<F: Future<Output = ()>> Future for Task<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.state.lock().unwrap();
        let revoked = state.yes;
        if !state.tasks.iter().any(|task| task.will_wake(cx.waker())) {
            state.tasks.push(cx.waker().clone());
        }
        drop(state);
        if revoked {
            this.work = None;
        }
        match &mut this.work {
            Some(work) => work.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}
