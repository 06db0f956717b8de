//! A server that bridges one connection to any number of TCP clients.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::codec::{MAX_MESSAGE, encode};
use super::guest::Guest;
use crate::connection::Connection;
use crate::inbox::Inbox;
use crate::message::Event;
use crate::runtime::{AnyRuntime, Listener, Runtime, Timer};

/// What a bridge allows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BridgeOptions {
    /// How many clients there may be at once. One more is closed at once.
    pub clients: usize,
    /// How many messages wait for a client that does not read. When there is one more, that client is
    /// closed, and the others lose nothing.
    pub queue: usize,
    /// Close a client whose message fails on the bus, and all clients when a reception fails, as the
    /// server of can-utils does.
    pub close_on_error: bool,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            clients: 64,
            queue: 64,
            close_on_error: false,
        }
    }
}

/// A TCP server for one connection, in the way of can-utils' `isotpserver`.
///
/// All clients share the connection: each gets every message, and there is one flow control for one
/// first frame. A client's messages are sent one after the other; while one is on its way, nothing more
/// is read from that client. What is no message is dropped without a word. A client that vanished is closed
/// as [`Keepalive`](crate::Keepalive) says. Where no client can be accepted (no descriptors left, say), it
/// is tried again after 100 ms. Dropped, the bridge closes its clients and its connection.
#[must_use = "it stops when it is dropped"]
pub struct Bridge {
    address: String,
    shared: Arc<Shared>,
}

/// What the handle and the task share.
#[derive(Default)]
struct Shared(Mutex<Flag>);

#[derive(Default)]
struct Flag {
    stop: bool,
    task: Option<Waker>,
}

impl Bridge {
    /// Listens on `address`, such as `127.0.0.1:20000`; port 0 lets the system choose.
    ///
    /// # Errors
    /// The address cannot be listened on.
    ///
    /// # Cancel safety
    /// Dropped, it listens no longer.
    pub async fn listen<R: Runtime>(
        runtime: &R,
        address: &str,
        connection: Connection,
        options: BridgeOptions,
    ) -> io::Result<Self> {
        let listener = runtime.listen(address).await?;
        let address = listener.local_address()?;
        let shared = Arc::new(Shared::default());
        runtime.spawn(Serving {
            shared: shared.clone(),
            runtime: Arc::new(runtime.clone()),
            listener,
            pause: Box::new(runtime.timer()),
            paused: false,
            connection,
            options,
            guests: Vec::new(),
            key: None,
        });
        Ok(Self { address, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let task = self.shared.with(|flag| {
            flag.stop = true;
            flag.task.take()
        });
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut Flag) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The task: it looks at everything each time it is woken.
struct Serving<L: Listener> {
    shared: Arc<Shared>,
    runtime: Arc<dyn AnyRuntime>,
    listener: L,
    /// Before a listener that failed is asked again.
    pause: Box<dyn Timer>,
    paused: bool,
    connection: Connection,
    options: BridgeOptions,
    guests: Vec<Guest<L::Stream>>,
    /// Its wait for a message.
    key: Option<u64>,
}

impl<L: Listener> Serving<L> {
    /// Takes new clients in. A listener that fails (no descriptors left, say) wakes nobody when it works
    /// again, so that it is asked after a pause.
    fn accept(&mut self, cx: &mut Context<'_>) {
        for _ in 0..ACCEPTED_A_TURN {
            if self.paused && self.pause.poll_fired(cx).is_pending() {
                return;
            }
            self.paused = false;
            match self.listener.poll_accept(cx) {
                Poll::Ready(Ok((stream, _))) => {
                    if self.guests.len() < self.options.clients {
                        self.guests.push(Guest::new(stream, self.options.queue));
                    }
                }
                // a client that went before it was accepted
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Poll::Ready(Err(_)) => {
                    self.pause.set(Some(self.runtime.now() + PAUSE));
                    self.paused = true;
                }
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Brings what was received to all clients. `false` when the connection is over.
    fn fan_out(&mut self, cx: &mut Context<'_>) -> bool {
        for _ in 0..MESSAGES_A_TURN {
            let waiter = Some((&mut self.key, &mut *cx));
            match self.connection.line().poll_take(Inbox::pop, waiter) {
                Poll::Ready(Ok(Event::Message(message))) if message.len() <= MAX_MESSAGE => {
                    let mut text = Vec::new();
                    encode(&message, &mut text);
                    let text: Arc<[u8]> = text.into();
                    self.guests.retain_mut(|guest| guest.queue(text.clone()));
                }
                Poll::Ready(Ok(Event::Failed(_))) if self.options.close_on_error => {
                    self.guests.clear();
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return false,
                Poll::Pending => return true,
            }
        }
        cx.waker().wake_by_ref();
        true
    }
}

impl<L: Listener> Future for Serving<L> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let stop = this.shared.with(|flag| {
            flag.task = Some(cx.waker().clone());
            flag.stop
        });
        if stop || !this.fan_out(cx) {
            return Poll::Ready(());
        }
        this.accept(cx);
        let (line, close) = (this.connection.line(), this.options.close_on_error);
        this.guests
            .retain_mut(|guest| guest.poll(line, close, cx).is_pending());
        Poll::Pending
    }
}

const PAUSE: Duration = Duration::from_millis(100);
const ACCEPTED_A_TURN: usize = 16;
const MESSAGES_A_TURN: usize = 16;
