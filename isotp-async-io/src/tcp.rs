//! TCP.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};

use async_io::Async;
use futures_io::{AsyncRead, AsyncWrite};
use isotp_driver::{Keepalive, Listener, Stream};

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
            Ok(stream) => return Ok(IoStream::new(stream)),
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

impl IoStream {
    fn new(stream: Async<TcpStream>) -> Self {
        Keepalive::default().set_up(&stream);
        Self(stream)
    }
}

impl Stream for IoStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, bytes)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    /// async-io does not know that it is a socket, whose end has to be told.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_flush(cx))?;
        Poll::Ready(self.0.get_ref().shutdown(Shutdown::Write))
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
                    let stream = IoStream::new(Async::new(stream)?);
                    return Poll::Ready(Ok((stream, peer.to_string())));
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use core::future::poll_fn;

    use socket2::SockRef;

    use super::*;

    #[test]
    fn both_ends_send_at_once_and_ask_a_silent_peer() {
        futures_lite::future::block_on(futures_lite::future::or(talk(), late()));
    }

    async fn late() {
        async_io::Timer::after(core::time::Duration::from_secs(20)).await;
        panic!("not within 20 seconds");
    }

    async fn talk() {
        let mut listener = listen("127.0.0.1:0").await.unwrap();
        let address = listener.local_address().unwrap();
        let near = connect(&address).await.unwrap();
        let accepted = poll_fn(|cx| listener.poll_accept(cx));
        let (far, _) = accepted.await.unwrap();
        for stream in [&near, &far] {
            let socket = SockRef::from(stream.0.get_ref());
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

    #[test]
    fn a_stream_that_closes_is_told_its_end_and_still_reads() {
        futures_lite::future::block_on(futures_lite::future::or(close(), late()));
    }

    async fn close() {
        let mut listener = listen("127.0.0.1:0").await.unwrap();
        let mut near = connect(&listener.local_address().unwrap()).await.unwrap();
        let (mut far, _) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
        poll_fn(|cx| near.poll_close(cx)).await.unwrap();
        let mut bytes = [0; 2];
        let read = poll_fn(|cx| far.poll_read(cx, &mut bytes)).await;
        assert_eq!(read.unwrap(), 0, "the end");
        let written = poll_fn(|cx| far.poll_write(cx, &[7])).await;
        assert_eq!(written.unwrap(), 1);
        let read = poll_fn(|cx| near.poll_read(cx, &mut bytes)).await;
        assert_eq!((read.unwrap(), bytes), (1, [7, 0]));
    }
}
