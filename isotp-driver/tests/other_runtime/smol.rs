//! A throwaway runtime on smol, and one that keeps its tasks.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ::smol::io::{AsyncRead, AsyncWrite};
use isotp_driver::{Instant, Interest, Listener, Runtime, Stream, Timer, process_origin};
#[derive(Clone)]
pub(crate) struct Smol;

pub(crate) struct SmolTimer {
    timer: async_io::Timer,
    set: bool,
}

pub(crate) struct SmolStream(::smol::net::TcpStream);
pub(crate) struct SmolListener(::smol::net::TcpListener);
#[cfg(unix)]
pub(crate) struct SmolWatch(async_io::Async<OwnedFd>);

impl Runtime for Smol {
    type Timer = SmolTimer;
    #[cfg(unix)]
    type Watch = SmolWatch;
    type Stream = SmolStream;
    type Listener = SmolListener;

    fn now(&self) -> Instant {
        isotp_driver::process_time()
    }

    fn timer(&self) -> SmolTimer {
        SmolTimer {
            timer: async_io::Timer::never(),
            set: false,
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        ::smol::spawn(task).detach();
    }

    #[cfg(unix)]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<SmolWatch> {
        async_io::Async::new(descriptor).map(SmolWatch)
    }

    async fn connect(&self, address: &str) -> io::Result<SmolStream> {
        ::smol::net::TcpStream::connect(address)
            .await
            .map(SmolStream)
    }

    async fn listen(&self, address: &str) -> io::Result<SmolListener> {
        ::smol::net::TcpListener::bind(address)
            .await
            .map(SmolListener)
    }
}

impl Timer for SmolTimer {
    fn set(&mut self, at: Option<Instant>) {
        self.set = at.is_some();
        if let Some(at) = at {
            self.timer
                .set_at(process_origin() + Duration::from_micros(at.as_micros()));
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.set {
            return Poll::Pending;
        }
        Pin::new(&mut self.timer).poll(cx).map(drop)
    }
}

#[cfg(unix)]
impl isotp_driver::Watch for SmolWatch {
    async fn ready(&self, interest: Interest) -> io::Result<Interest> {
        if interest.readable {
            self.0.readable().await?;
        } else {
            self.0.writable().await?;
        }
        Ok(interest)
    }

    fn try_io<T>(
        &self,
        _: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        call(self.0.as_fd())
    }

    fn clear(&self, _: Interest) {}
}

impl Stream for SmolStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, bytes)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

impl Listener for SmolListener {
    type Stream = SmolStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(SmolStream, String)>> {
        let accepted = core::pin::pin!(self.0.accept()).poll(cx);
        accepted.map_ok(|(stream, peer)| (SmolStream(stream), peer.to_string()))
    }

    fn local_address(&self) -> io::Result<String> {
        self.0.local_addr().map(|address| address.to_string())
    }
}

/// Keeps each task that has ended, as an executor of several threads does for a while.
#[derive(Clone)]
pub(crate) struct Hoarder;

impl Runtime for Hoarder {
    type Timer = SmolTimer;
    #[cfg(unix)]
    type Watch = SmolWatch;
    type Stream = SmolStream;
    type Listener = SmolListener;

    fn now(&self) -> Instant {
        Smol.now()
    }

    fn timer(&self) -> SmolTimer {
        Smol.timer()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut task = Box::pin(task);
        Smol.spawn(async move {
            task.as_mut().await;
            core::future::pending::<()>().await;
        });
    }

    #[cfg(unix)]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<SmolWatch> {
        Smol.watch(descriptor)
    }

    async fn connect(&self, address: &str) -> io::Result<SmolStream> {
        Smol.connect(address).await
    }

    async fn listen(&self, address: &str) -> io::Result<SmolListener> {
        Smol.listen(address).await
    }
}
