//! TCP of tokio.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use isotp_driver::{Listener, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A TCP stream of tokio.
#[derive(Debug)]
pub struct TokioStream(TcpStream);

impl TokioStream {
    pub(super) async fn connect(address: &str) -> io::Result<Self> {
        TcpStream::connect(address).await.map(Self)
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
pub struct TokioListener(TcpListener);

impl TokioListener {
    pub(super) async fn bind(address: &str) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }
}

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
