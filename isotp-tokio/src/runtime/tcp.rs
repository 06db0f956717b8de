//! TCP of tokio.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::io;

use isotp_driver::{Keepalive, Listener, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

/// A TCP stream of tokio.
#[derive(Debug)]
pub struct TokioStream(TcpStream);

impl TokioStream {
    fn new(stream: TcpStream) -> Self {
        Keepalive::default().set_up(&stream);
        Self(stream)
    }

    pub(super) async fn connect(runtime: &Handle, address: &str) -> io::Result<Self> {
        let connected = within(runtime, TcpStream::connect(address)).await;
        connected.map(Self::new)
    }
}

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
pub struct TokioListener {
    runtime: Handle,
    listener: TcpListener,
}

impl TokioListener {
    pub(super) async fn bind(runtime: &Handle, address: &str) -> io::Result<Self> {
        let bound = within(runtime, TcpListener::bind(address)).await;
        Ok(Self {
            runtime: runtime.clone(),
            listener: bound?,
        })
    }
}

impl Listener for TokioListener {
    type Stream = TokioStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TokioStream, String)>> {
        // what is accepted belongs to the runtime that asks
        let _guard = self.runtime.enter();
        let accepted = self.listener.poll_accept(cx);
        accepted.map_ok(|(stream, peer)| (TokioStream::new(stream), peer.to_string()))
    }

    fn local_address(&self) -> io::Result<String> {
        let address = self.listener.local_addr()?;
        Ok(address.to_string())
    }
}

/// Runs a future that makes sockets: they belong to this runtime, whichever polls it, if any.
async fn within<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    let polled = poll_fn(|cx| {
        let _guard = runtime.enter();
        future.as_mut().poll(cx)
    });
    polled.await
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use core::future::poll_fn;

    use socket2::SockRef;

    use super::*;

    #[tokio::test]
    async fn both_ends_send_at_once_and_ask_a_silent_peer() {
        let runtime = Handle::current();
        let mut listener = TokioListener::bind(&runtime, "127.0.0.1:0").await.unwrap();
        let address = listener.local_address().unwrap();
        let near = TokioStream::connect(&runtime, &address).await.unwrap();
        let accepted = poll_fn(|cx| listener.poll_accept(cx));
        let (far, _) = tokio::time::timeout(core::time::Duration::from_secs(20), accepted)
            .await
            .unwrap()
            .unwrap();
        for stream in [&near, &far] {
            let socket = SockRef::from(&stream.0);
            assert!(socket.tcp_nodelay().unwrap());
            assert!(socket.keepalive().unwrap());
            let times = Keepalive {
                idle: socket.tcp_keepalive_time().unwrap(),
                interval: socket.tcp_keepalive_interval().unwrap(),
                probes: socket.tcp_keepalive_retries().unwrap(),
            };
            assert_eq!(times, Keepalive::default());
        }
    }
}
