//! TCP.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::{TcpListener, TcpStream};

use async_io::Async;
use futures_io::{AsyncRead, AsyncWrite};
use isotp_driver::{Listener, Stream};

/// Connects to `host:port`.
///
/// # Errors
/// What the system answers.
///
/// # Cancel safety
/// Dropped, it leaves no connection.
pub async fn connect(address: &str) -> io::Result<IoStream> {
    let mut outcome = Err(unresolved(address));
    for address in async_net::resolve(address).await? {
        match Async::<TcpStream>::connect(address).await {
            Ok(stream) => return Ok(IoStream(stream)),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// Listens on `host:port`.
///
/// # Errors
/// What the system answers.
///
/// # Cancel safety
/// Dropped, it does not listen.
pub async fn listen(address: &str) -> io::Result<IoListener> {
    let mut outcome = Err(unresolved(address));
    for address in async_net::resolve(address).await? {
        match Async::<TcpListener>::bind(address) {
            Ok(listener) => return Ok(IoListener(listener)),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// A TCP stream.
#[derive(Debug)]
pub struct IoStream(Async<TcpStream>);

/// A TCP listener.
#[derive(Debug)]
pub struct IoListener(Async<TcpListener>);

impl Stream for IoStream {
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

impl Listener for IoListener {
    type Stream = IoStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(IoStream, String)>> {
        loop {
            match self.0.get_ref().accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.poll_readable(cx))?;
                }
                accepted => {
                    let (stream, peer) = accepted?;
                    return Poll::Ready(Ok((IoStream(Async::new(stream)?), peer.to_string())));
                }
            }
        }
    }

    fn local_address(&self) -> io::Result<String> {
        self.0
            .get_ref()
            .local_addr()
            .map(|address| address.to_string())
    }
}

fn unresolved(address: &str) -> io::Error {
    let text = format!("{address} has no address, expected host:port");
    io::Error::new(io::ErrorKind::NotFound, text)
}
