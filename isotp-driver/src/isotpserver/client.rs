//! `isotpserver:HOST:PORT` in connection strings.

use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use isotp_core::{Address, Cause, NResult};

use super::codec::{Decoder, MAX_MESSAGE, encode};
use super::{READS_A_TURN, poll_discard};
use crate::bus::{BusError, FLUSH_PATIENCE};
use crate::channel::{BoxFuture, Channels, Incoming, MessageChannel, Opened};
use crate::config::Config;
use crate::error::{ConnectError, OpenError};
use crate::guarantees::{Guarantees, Path};
use crate::runtime::{Runtime, Stream, Timer};
use crate::scheme::{Backend, Scheme};

/// Opens `isotpserver:HOST:PORT`, a bridge to one pair of addresses at the other end of a TCP connection.
///
/// The server chose the addresses and all parameters, so those that a connection is made with count for
/// nothing, and there is one connection at a time. `send` resolves when TCP took the message: what became
/// of it on the bus is never told. While the queue of received messages is full, nothing is read, so that
/// what TCP has waits; that the server is gone shows at the next `send` then. A connection that is closed
/// waits until the server has read all and closed its end too, for 10 seconds at most.
///
/// A server that loses a transfer closes the TCP connection, which ends the connection; the network can be
/// connected with again. With `?reconnect` behind the port that happens by itself, with pauses of 100 ms up
/// to 5 s: the connection stays, [`Event::Failed`](crate::Event::Failed) with N_ERROR tells of each loss,
/// what the server sends meanwhile is lost, and what is sent meanwhile fails. A server that vanished without
/// a word is found out as [`Keepalive`](crate::Keepalive) says.
#[derive(Clone, Copy, Debug, Default)]
pub struct IsotpServerScheme;

impl<R: Runtime> Scheme<R> for IsotpServerScheme {
    fn name(&self) -> &'static str {
        "isotpserver"
    }

    fn usage(&self) -> &'static str {
        "isotpserver:HOST:PORT[?reconnect]"
    }

    fn open<'a>(
        &'a self,
        rest: &'a str,
        runtime: &'a R,
    ) -> BoxFuture<'a, Result<Backend, OpenError>> {
        Box::pin(open(rest, runtime))
    }
}

async fn open<R: Runtime>(rest: &str, runtime: &R) -> Result<Backend, OpenError> {
    let connection = format!("isotpserver:{rest}");
    let wrong = |problem: String| OpenError::Parameter {
        connection: connection.clone(),
        problem,
    };
    let (peer, option) = rest.split_once('?').unwrap_or((rest, ""));
    let reconnect = match option {
        "" => false,
        "reconnect" => true,
        other => {
            return Err(wrong(format!(
                "unknown option {other:?}, expected reconnect"
            )));
        }
    };
    let port = peer.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if port.is_none_or(|(_, port)| !is_port(port)) {
        return Err(wrong(
            "expected HOST:PORT with a port from 1 to 65535, such as isotpserver:localhost:20000"
                .into(),
        ));
    }
    let stream = runtime.connect(peer).await.map_err(|error| OpenError::Io {
        doing: format!("connecting to {peer}, where isotpserver should listen"),
        error,
    })?;
    let bridge = Bridge {
        runtime: runtime.clone(),
        peer: peer.into(),
        reconnect,
        first: Mutex::new((Some(stream), Weak::new())),
    };
    Ok(Backend::channels(Path::new(connection), bridge))
}

fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// One TCP connection, or the next one when that is over.
struct Bridge<R: Runtime> {
    runtime: R,
    peer: Arc<str>,
    reconnect: bool,
    /// The stream that `open` tried, and whether a channel lives.
    first: Mutex<(Option<R::Stream>, Weak<()>)>,
}

impl<R: Runtime> Bridge<R> {
    /// The place of the one channel.
    fn claim(&self) -> Option<(Option<R::Stream>, Arc<()>)> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.1.strong_count() > 0 {
            return None;
        }
        let alive = Arc::new(());
        first.1 = Arc::downgrade(&alive);
        Some((first.0.take(), alive))
    }
}

impl<R: Runtime> Channels for Bridge<R> {
    fn open<'a>(
        &'a self,
        _address: &'a Address,
        _config: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        Box::pin(async move {
            let path = Path::new(format!("isotpserver:{}", self.peer));
            let Some((first, alive)) = self.claim() else {
                let text = format!(
                    "{path} has one pair of addresses, which a connection uses already; close that one \
                     first"
                );
                return Err(ConnectError::Backend(BusError::new(text)));
            };
            let stream = match first {
                Some(stream) => stream,
                None => self
                    .runtime
                    .connect(&self.peer)
                    .await
                    .map_err(|error| ConnectError::Backend(lost(&self.peer, &error)))?,
            };
            let channel = Client {
                runtime: self.runtime.clone(),
                peer: self.peer.clone(),
                reconnect: self.reconnect,
                link: TcpLink::Up(stream),
                out: Vec::new(),
                written: 0,
                cancelled: false,
                broken: None,
                failed: false,
                decoder: Decoder::new(MAX_MESSAGE),
                bytes: Box::new([0; 4096]),
                unread: (0, 0),
                timer: self.runtime.timer(),
                _alive: alive,
            };
            Ok(Opened::Channel {
                channel: Box::new(channel),
                guarantees: Guarantees::NONE,
                path,
            })
        })
    }
}

struct Client<R: Runtime> {
    runtime: R,
    peer: Arc<str>,
    reconnect: bool,
    link: TcpLink<R::Stream>,
    /// The message that is being written, as it goes over the wire.
    out: Vec<u8>,
    written: usize,
    /// Nobody wants that message any more, but some of it is written.
    cancelled: bool,
    /// Why the server takes nothing any more. What it had sent may still be there.
    broken: Option<io::Error>,
    /// A loss that is to be told.
    failed: bool,
    decoder: Decoder,
    bytes: Box<[u8; 4096]>,
    /// Bytes that were read and not decoded.
    unread: (usize, usize),
    timer: R::Timer,
    _alive: Arc<()>,
}

enum TcpLink<S> {
    Up(S),
    /// It waits before it connects again; the pause that comes after this one.
    Down(Duration),
    Connecting(BoxFuture<'static, io::Result<S>>, Duration),
}

impl<R: Runtime> Client<R> {
    /// Ready while there is a stream; otherwise it is made.
    fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.link {
                TcpLink::Up(_) => return Poll::Ready(()),
                TcpLink::Down(next) => {
                    ready!(self.timer.poll_fired(cx));
                    let (runtime, peer) = (self.runtime.clone(), self.peer.clone());
                    let connecting = async move { runtime.connect(&peer).await };
                    self.link = TcpLink::Connecting(Box::pin(connecting), *next);
                }
                TcpLink::Connecting(connecting, pause) => {
                    let connected = ready!(connecting.as_mut().poll(cx));
                    let pause = *pause;
                    match connected {
                        Ok(stream) => self.link = TcpLink::Up(stream),
                        Err(_) => self.wait(pause),
                    }
                }
            }
        }
    }

    /// Connects again after a pause.
    fn wait(&mut self, pause: Duration) {
        self.timer.set(Some(self.runtime.now() + pause));
        self.link = TcpLink::Down((2 * pause).min(LONGEST_PAUSE));
    }

    /// The connection is over, and all that it brought is taken. An error if it is not made again.
    fn lose(&mut self, error: io::Error) -> Result<(), BusError> {
        // the first reason tells more than the end that followed
        let error = self.broken.take().unwrap_or(error);
        if !self.reconnect {
            return Err(lost(&self.peer, &error));
        }
        self.failed = true;
        self.out.clear();
        self.cancelled = false;
        self.unread = (0, 0);
        self.decoder = Decoder::new(MAX_MESSAGE);
        self.wait(FIRST_PAUSE);
        Ok(())
    }

    /// Writes what is left of `out`. `false` if the server takes nothing any more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.broken.is_none()
            && let Err(error) = ready!(self.poll_write_out(cx))
        {
            self.broken = Some(error);
        }
        self.out.clear();
        self.cancelled = false;
        Poll::Ready(self.broken.is_none())
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let TcpLink::Up(stream) = &mut self.link
            && let Some(left) = self.out.get(self.written..)
            && !left.is_empty()
        {
            match ready!(stream.poll_write(cx, left)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(written) => self.written += written,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what it has begun to write, then the end, and reads until the server has closed as well.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let written = self.poll_write(cx);
        let TcpLink::Up(stream) = &mut self.link else {
            return Poll::Ready(());
        };
        match written {
            Poll::Ready(false) => return Poll::Ready(()),
            Poll::Ready(true) if ready!(stream.poll_close(cx)).is_err() => return Poll::Ready(()),
            _ => {}
        }
        poll_discard(stream, &mut self.bytes[..], cx)
    }
}

impl<R: Runtime> MessageChannel for Client<R> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<Result<NResult, BusError>> {
        if !matches!(self.link, TcpLink::Up(_)) {
            return Poll::Ready(Ok(FAILED));
        }
        // the rest of a message that nobody wants any more, or the next one would be part of it
        if self.cancelled && !ready!(self.poll_write(cx)) {
            return Poll::Ready(Ok(FAILED));
        }
        if self.out.is_empty() {
            encode(message, &mut self.out);
            self.written = 0;
        }
        let taken = ready!(self.poll_write(cx));
        Poll::Ready(Ok(if taken { NResult::Ok } else { FAILED }))
    }

    fn cancel_send(&mut self) {
        if self.written == 0 {
            self.out.clear();
        } else {
            self.cancelled = !self.out.is_empty();
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Vec<u8>,
    ) -> Poll<Result<Incoming, BusError>> {
        // what was given up in the middle does not wait for the next message
        if self.cancelled {
            let _ = self.poll_write(cx);
        }
        for _ in 0..READS_A_TURN {
            if core::mem::take(&mut self.failed) {
                return Poll::Ready(Ok(Incoming::Failed(FAILED)));
            }
            let unread = self.bytes.get(self.unread.0..self.unread.1);
            let (used, complete) = self.decoder.decode(unread.unwrap_or_default());
            self.unread.0 += used;
            if let Some(bytes) = complete {
                message.extend_from_slice(bytes);
                return Poll::Ready(Ok(Incoming::Message));
            }
            ready!(self.poll_connected(cx));
            let TcpLink::Up(stream) = &mut self.link else {
                return Poll::Pending;
            };
            let read = match ready!(stream.poll_read(cx, &mut self.bytes[..])) {
                Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                read => read,
            };
            match read {
                Ok(read) => self.unread = (0, read),
                Err(error) => self.lose(error)?,
            }
        }
        // a server that sends no end of garbage does not keep other tasks from their turn
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        self.timer.set(Some(self.runtime.now() + FLUSH_PATIENCE));
        Box::pin(poll_fn(move |cx| {
            if self.timer.poll_fired(cx).is_ready() {
                return Poll::Ready(());
            }
            self.poll_close(cx)
        }))
    }

    /// A connection that is lost is found out, and made again, though nobody reads.
    fn waits(&self) -> bool {
        matches!(self.link, TcpLink::Up(_)) && self.broken.is_none()
    }

    fn max_message(&self) -> u32 {
        MAX_MESSAGE as u32
    }
}

fn lost(peer: &str, error: &io::Error) -> BusError {
    BusError::new(format!(
        "no TCP connection with {peer}: {error}; isotpserver closes it when a transfer fails on its bus. \
         Connect again, or open the network with ?reconnect"
    ))
}

/// Of a message that was on its way when the TCP connection was lost, in either direction.
const FAILED: NResult = NResult::Error(Cause::Refused);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
