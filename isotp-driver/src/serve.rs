//! Connections in callback style.

use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::Address;

use crate::config::Config;
use crate::connection::Connection;
use crate::error::{ConnectError, ConnectionError};
use crate::letting_go::let_go;
use crate::line::Line;
use crate::message::Message;
use crate::network::Network;
use crate::wakers::{Wakers, wake};

impl Network {
    /// Connects, and calls `handler` with the connection and each message that comes, in a task of the
    /// runtime, for as long as the [`Server`] is kept.
    ///
    /// One message is handled after the other: while the handler's future runs, further messages wait in
    /// the connection's queue, and flow control holds their senders back. The handler answers with
    /// [`Connection::send`], as often as it likes. A handler that panics ends its own connection and
    /// nothing else.
    ///
    /// ```
    /// # use isotp_driver::{Address, Config, ConnectError, Network, Server};
    /// # async fn example(network: Network, address: Address) -> Result<Server, ConnectError> {
    /// let echo = network.serve(address, Config::default(), |connection, message| async move {
    ///     connection.send(message).await.ok();
    /// });
    /// echo.await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// Dropped, it leaves no connection behind.
    pub async fn serve<H, F>(
        &self,
        address: Address,
        config: Config,
        mut handler: H,
    ) -> Result<Server, ConnectError>
    where
        H: FnMut(Arc<Connection>, Message) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let connection = Arc::new(self.connect(address, config).await?);
        let line = connection.line().clone();
        let shared = Arc::new(Shared::default());
        let serving = Serving {
            shared: shared.clone(),
            line: line.clone(),
            known: None,
            work: Some(Box::pin(async move {
                loop {
                    match connection.recv().await {
                        Ok(message) => handler(connection.clone(), message).await,
                        Err(error) => return error,
                    }
                }
            })),
        };
        self.runtime().spawn(Box::pin(serving));
        Ok(Server {
            address,
            line,
            shared,
        })
    }
}

/// A connection with a handler: see [`Network::serve`].
///
/// While it is kept, it is a handle of its network. Dropped, it leaves the bus at once, and a handler
/// that runs is dropped. Where the handler kept the connection, that connection is over.
#[must_use = "it stops when it is dropped"]
pub struct Server {
    address: Address,
    line: Arc<Line>,
    shared: Arc<Shared>,
}

impl Server {
    /// The address.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Waits until it has ended by itself, and says why.
    ///
    /// # Cancel safety
    /// It can be called again.
    pub async fn ended(&self) -> ServerEnd {
        let mut watch = Watch {
            shared: &self.shared,
            key: None,
        };
        poll_fn(|cx| {
            let mut state = watch.shared.state();
            match &state.end {
                Some(end) => Poll::Ready(end.clone()),
                None => {
                    state.watchers.register(&mut watch.key, cx.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Takes no more messages, sends what is queued, and returns when that is done and the handler has
    /// come to an end.
    ///
    /// # Cancel safety
    /// Dropped, it leaves the bus at once.
    pub async fn close(self) -> ServerEnd {
        self.line.close();
        self.ended().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.line.abandon();
        self.shared.stop.store(true, Ordering::Release);
        let task = self.shared.state().task.take();
        if let Some(task) = task {
            wake(task);
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Why a [`Server`] has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServerEnd {
    /// Its connection is over.
    Connection(ConnectionError),
    /// Its handler panicked.
    Panicked,
}

impl fmt::Display for ServerEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::Panicked => f.write_str("the handler panicked"),
        }
    }
}

/// What the handle and the task share.
#[derive(Debug, Default)]
struct Shared {
    /// The handle is gone. Set before `task` is looked for, which looks here after it is there.
    stop: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    task: Option<Waker>,
    end: Option<ServerEnd>,
    /// Whoever waits for the end.
    watchers: Wakers,
}

impl Shared {
    fn end(&self, end: ServerEnd) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        let watchers = state.watchers.take();
        drop(state);
        watchers.wake();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watch<'a> {
    shared: &'a Shared,
    key: Option<u64>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.shared.state().watchers.remove(self.key);
    }
}

/// The task.
struct Serving<F> {
    shared: Arc<Shared>,
    line: Arc<Line>,
    /// The task by which it is known to the handle.
    known: Option<Waker>,
    /// `None` when it has ended.
    work: Option<Pin<Box<F>>>,
}

impl<F: Future<Output = ConnectionError>> Future for Serving<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(work) = &mut this.work else {
            return Poll::Ready(());
        };
        let task = cx.waker();
        if !this
            .known
            .as_ref()
            .is_some_and(|known| known.will_wake(task))
        {
            this.known = Some(task.clone());
            this.shared.state().task = Some(task.clone());
        }
        let end = if this.shared.stop.load(Ordering::Acquire) {
            ServerEnd::Connection(ConnectionError::Closed)
        } else {
            // nothing is looked at after a panic: the handler and all it has are dropped
            match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(error)) => ServerEnd::Connection(error),
                Err(_) => ServerEnd::Panicked,
            }
        };
        // the connection leaves the bus before anybody hears of the end, should the handler have kept it
        let_go(this.work.take());
        this.line.abandon();
        this.shared.end(end);
        Poll::Ready(())
    }
}

impl<F> Drop for Serving<F> {
    /// If the task did not end by itself, its runtime is gone.
    fn drop(&mut self) {
        let_go(self.work.take());
        self.line.abandon();
        let stopped = ServerEnd::Connection(ConnectionError::Stopped);
        self.shared.end(stopped);
    }
}
