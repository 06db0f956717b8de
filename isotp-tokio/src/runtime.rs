//! tokio, as the driver sees it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use isotp_driver::core::Instant;
use isotp_driver::{Interest, Listener, Runtime, Stream, Timer, process_origin};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::time::Sleep;

/// A tokio runtime.
#[derive(Clone, Debug)]
pub struct Tokio(Handle);

impl Tokio {
    /// The runtime that this code runs in.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn current() -> Self {
        Self(Handle::current())
    }
}

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        Self(handle)
    }
}

impl Runtime for Tokio {
    type Timer = TokioTimer;
    #[cfg(unix)]
    type Watch = TokioWatch;
    type Stream = TokioStream;
    type Listener = TokioListener;

    fn now(&self) -> Instant {
        Instant::ZERO + tokio::time::Instant::now().duration_since(origin())
    }

    fn timer(&self) -> TokioTimer {
        TokioTimer {
            runtime: self.clone(),
            sleep: None,
            set: false,
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    #[cfg(unix)]
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that may close their descriptor early; OwnedFd does not"
    )]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<TokioWatch> {
        let _guard = self.0.enter();
        let interest = tokio::io::Interest::READABLE
            .add(tokio::io::Interest::WRITABLE)
            .add(tokio::io::Interest::ERROR);
        let watched = tokio::io::unix::AsyncFd::try_with_interest(descriptor, interest)?;
        Ok(TokioWatch(watched))
    }

    async fn connect(&self, address: &str) -> io::Result<TokioStream> {
        TcpStream::connect(address).await.map(TokioStream)
    }

    async fn listen(&self, address: &str) -> io::Result<TokioListener> {
        TcpListener::bind(address).await.map(TokioListener)
    }
}

/// A timer of tokio's time wheel.
#[derive(Debug)]
pub struct TokioTimer {
    runtime: Tokio,
    /// Made when it is first set: a driver without deadlines needs none.
    sleep: Option<Pin<Box<Sleep>>>,
    set: bool,
}

impl Timer for TokioTimer {
    fn set(&mut self, at: Option<Instant>) {
        self.set = at.is_some();
        let Some(at) = at else { return };
        let at = origin() + Duration::from_micros(at.as_micros().min(FAR));
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at),
            none => {
                let _guard = self.runtime.0.enter();
                *none = Some(Box::pin(tokio::time::sleep_until(at)));
            }
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.sleep {
            Some(sleep) if self.set => sleep.as_mut().poll(cx),
            _ => Poll::Pending,
        }
    }
}

/// A descriptor that tokio's reactor watches.
#[cfg(unix)]
#[derive(Debug)]
pub struct TokioWatch(tokio::io::unix::AsyncFd<OwnedFd>);

#[cfg(unix)]
impl isotp_driver::Watch for TokioWatch {
    /// With error readiness: the reader's errors of some sockets are signalled by nothing else, and
    /// tokio's poll functions do not wake for it.
    async fn ready(&self, interest: Interest) -> io::Result<Interest> {
        let guard = self.0.ready(tokio_interest(interest)).await?;
        let ready = guard.ready();
        Ok(Interest {
            readable: ready.is_readable() || ready.is_error(),
            writable: ready.is_writable() || ready.is_error(),
        })
    }

    fn try_io<T>(
        &self,
        interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        self.0.try_io(tokio_interest(interest), |descriptor| {
            call(descriptor.as_fd())
        })
    }

    fn clear(&self, interest: Interest) {
        let stale = |_: &OwnedFd| Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.0.try_io(tokio_interest(interest), stale);
    }
}

#[cfg(unix)]
fn tokio_interest(interest: Interest) -> tokio::io::Interest {
    let error = tokio::io::Interest::ERROR;
    match (interest.readable, interest.writable) {
        (true, true) => error
            .add(tokio::io::Interest::READABLE)
            .add(tokio::io::Interest::WRITABLE),
        (true, false) => error.add(tokio::io::Interest::READABLE),
        (false, true) => error.add(tokio::io::Interest::WRITABLE),
        (false, false) => error,
    }
}

/// A TCP stream of tokio.
#[derive(Debug)]
pub struct TokioStream(TcpStream);

impl Stream for TokioStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut bytes = ReadBuf::new(bytes);
        let read = Pin::new(&mut self.0).poll_read(cx, &mut bytes);
        read.map_ok(|()| bytes.filled().len())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A TCP listener of tokio.
#[derive(Debug)]
pub struct TokioListener(TcpListener);

impl Listener for TokioListener {
    type Stream = TokioStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TokioStream, String)>> {
        let accepted = self.0.poll_accept(cx);
        accepted.map_ok(|(stream, peer)| (TokioStream(stream), peer.to_string()))
    }

    fn local_address(&self) -> io::Result<String> {
        self.0.local_addr().map(|address| address.to_string())
    }
}

fn origin() -> tokio::time::Instant {
    tokio::time::Instant::from_std(process_origin())
}

/// A century, in microseconds: no timer of tokio's is set beyond.
const FAR: u64 = 100 * 365 * 24 * 3600 * 1_000_000;
