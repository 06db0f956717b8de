//! A server that bridges one connection to any number of TCP clients.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;

use super::codec::{MAX_MESSAGE, encode};
use super::guest::Guest;
use crate::bus::FLUSH_PATIENCE;
use crate::connection::Connection;
use crate::inbox::Inbox;
use crate::message::Event;
use crate::runtime::{AnyRuntime, Listener, Runtime, Timer};
use crate::wakers::wake;

/// What a bridge allows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BridgeOptions {
    /// How many clients there may be at once. One more is closed at once.
    pub clients: usize,
    /// How many messages wait for a client that does not read. When there is one more, that client is
    /// closed, and the others lose nothing.
    pub queue: usize,
    /// Close a client whose message fails on the bus, and all clients when a reception fails or a message is
    /// lost, as the server of can-utils does.
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
/// as [`Keepalive`](crate::Keepalive) says; the message that it has on its way is sent, and takes its place
/// among the [clients](BridgeOptions::clients) until that is over. Where no client can be accepted (no
/// descriptors left, say), it is tried again after 100 ms.
///
/// No client takes more than 6000 bytes: the connection refuses longer messages with FC.OVFLW, so that
/// their sender knows. What has begun to come before, or what a backend with whole messages (`kernel:`) has
/// acknowledged already, is lost and counted; and so is what goes into a buffer of
/// [`connect_into`](crate::Network::connect_into).
///
/// When the connection is over, since its network is closed for example, the clients get what it had
/// received, and are closed: within 10 seconds, those that do not read. Dropped, the bridge closes its
/// clients and its connection at once.
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
    /// Whoever waits for the end of a bridge that closes.
    closing: Option<oneshot::Sender<()>>,
    /// The task has ended.
    over: bool,
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
        connection.line().receive_at_most(MAX_MESSAGE as u32);
        let shared = Arc::new(Shared::default());
        runtime.spawn(Serving {
            shared: shared.clone(),
            runtime: Arc::new(runtime.clone()),
            listener,
            state: State::Open,
            pause: Box::new(runtime.timer()),
            paused: false,
            connection,
            options,
            guests: Vec::new(),
            key: None,
            closing: None,
        });
        Ok(Self { address, shared })
    }

    /// Takes no more clients and nothing more from those that there are, sends the message of each that is
    /// under way, and gives them what was received; returns when that is done and the connection is closed.
    /// What stands still for 10 seconds is given up.
    ///
    /// # Cancel safety
    /// Dropped, it closes everything at once.
    pub async fn close(self) {
        let (closing, over) = oneshot::channel();
        let task = self.shared.with(|flag| {
            if !flag.over {
                flag.closing = Some(closing);
            }
            flag.task.take()
        });
        if let Some(task) = task {
            wake(task);
        }
        // nobody says anything: it is over when the task drops the other end
        let _ = over.await;
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
            wake(task);
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

/// | state | input | next |
/// |---|---|---|
/// | Open | [`Bridge::close`] | Closing: what is under way is sent, nothing more is taken |
/// | Open, Closing | the connection is over | Leaving: the clients get what there is for them |
/// | Leaving | all clients have it | Lingering: until they have closed too |
/// | Leaving, Lingering | no client is left, or it takes too long | the task ends |
/// | any | the handle is dropped | the task ends |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    Leaving,
    Lingering,
}

/// The task: it looks at everything each time it is woken.
struct Serving<L: Listener> {
    shared: Arc<Shared>,
    runtime: Arc<dyn AnyRuntime>,
    listener: L,
    state: State,
    /// Before a listener that failed is asked again; at last, before clients are given up.
    pause: Box<dyn Timer>,
    paused: bool,
    connection: Connection,
    options: BridgeOptions,
    guests: Vec<Guest<L::Stream>>,
    /// Its wait for a message.
    key: Option<u64>,
    /// Dropped when it is over, for whoever waits for that.
    closing: Option<oneshot::Sender<()>>,
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
                Poll::Ready(Ok(Event::Message(message))) if fits(&message) => {
                    let mut text = Vec::new();
                    encode(&message, &mut text);
                    let text: Arc<[u8]> = text.into();
                    self.each_guest(|guest| guest.queue(text.clone(), cx));
                }
                Poll::Ready(Ok(event)) => self.lost(&event, cx),
                Poll::Ready(Err(_)) => return false,
                Poll::Pending => return true,
            }
        }
        cx.waker().wake_by_ref();
        true
    }

    fn each_guest(&mut self, act: impl FnMut(&mut Guest<L::Stream>)) {
        self.guests.iter_mut().for_each(act);
    }

    /// What no client gets.
    fn lost(&mut self, event: &Event, cx: &mut Context<'_>) {
        match event {
            // it came before this was a bridge, or its bytes are in a buffer of the user's
            Event::Message(_) => self.connection.line().count(|counters| counters.lost(1)),
            Event::Failed(_) | Event::Lagged(_) => {}
            _ => return,
        }
        if self.options.close_on_error {
            self.each_guest(|guest| {
                guest.write(cx);
                guest.close();
            });
        }
    }

    /// The clients get what there is for them, and are gone. Ready when it is over.
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.state.is_leaving() {
            self.change(State::Leaving, FLUSH_PATIENCE);
        }
        self.guests
            .retain_mut(|guest| guest.poll_leave(cx).is_pending());
        if self.guests.is_empty() {
            return Poll::Ready(());
        }
        if self.state == State::Leaving && self.guests.iter().all(Guest::is_told) {
            self.change(State::Lingering, LINGER);
        }
        self.pause.poll_fired(cx)
    }

    /// Enters a state for so long.
    fn change(&mut self, state: State, patience: Duration) {
        self.state = state;
        self.pause.set(Some(self.runtime.now() + patience));
    }
}

impl State {
    const fn is_leaving(self) -> bool {
        matches!(self, Self::Leaving | Self::Lingering)
    }
}

/// Whether clients can take it.
fn fits(message: &[u8]) -> bool {
    (1..=MAX_MESSAGE).contains(&message.len())
}

impl<L: Listener> Future for Serving<L> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let (stop, closing) = this.shared.with(|flag| {
            flag.task = Some(cx.waker().clone());
            (flag.stop, flag.closing.take())
        });
        if stop {
            return Poll::Ready(());
        }
        if closing.is_some() {
            this.closing = closing;
            if this.state == State::Open {
                this.state = State::Closing;
                this.connection.line().close();
            }
        }
        if this.state.is_leaving() || !this.fan_out(cx) {
            return this.poll_leave(cx);
        }
        if this.state == State::Closing {
            this.each_guest(|guest| {
                guest.write(cx);
                let _ = guest.poll_discard(cx);
            });
            return Poll::Pending;
        }
        this.accept(cx);
        let (connection, close) = (&this.connection, this.options.close_on_error);
        this.guests
            .retain_mut(|guest| guest.poll(connection, close, cx).is_pending());
        Poll::Pending
    }
}

impl<L: Listener> Drop for Serving<L> {
    fn drop(&mut self) {
        let closing = self.shared.with(|flag| {
            flag.over = true;
            flag.closing.take()
        });
        drop(closing);
    }
}

/// After the last client was told that nothing more comes, until those that do not close are closed.
const LINGER: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);
const ACCEPTED_A_TURN: usize = 16;
const MESSAGES_A_TURN: usize = 16;
