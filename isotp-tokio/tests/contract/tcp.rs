//! What the driver may expect of streams and listeners.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::io::ErrorKind;

use isotp_tokio::driver::{Listener, Runtime, Stream};
use isotp_tokio::{Tokio, TokioListener, TokioStream};

use crate::support::{outside, poll_once, runtime, settle};

async fn accept(listener: &mut TokioListener) -> (TokioStream, String) {
    let accepted = poll_fn(|cx| listener.poll_accept(cx));
    let accepted = tokio::time::timeout(Duration::from_secs(10), accepted);
    accepted.await.expect("a peer within ten seconds").unwrap()
}

/// A listener, a stream to it, and what it accepted.
async fn connected() -> (TokioListener, TokioStream, TokioStream) {
    let runtime = Tokio::current();
    let mut listener = runtime.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().unwrap();
    let near = runtime.connect(&address).await.unwrap();
    let (far, peer) = accept(&mut listener).await;
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    assert_ne!(peer, address);
    (listener, near, far)
}

async fn read(stream: &mut TokioStream, room: usize) -> Vec<u8> {
    let mut bytes = vec![0; room];
    let read = poll_fn(|cx| stream.poll_read(cx, &mut bytes));
    let read = tokio::time::timeout(Duration::from_secs(10), read);
    let length = read.await.expect("bytes within ten seconds").unwrap();
    bytes.truncate(length);
    bytes
}

async fn write(stream: &mut TokioStream, bytes: &[u8]) -> usize {
    poll_fn(|cx| stream.poll_write(cx, bytes)).await.unwrap()
}

#[tokio::test]
async fn a_listener_tells_the_port_that_the_system_chose() {
    let listener = Tokio::current().listen("localhost:0").await.unwrap();
    let address = listener.local_address().unwrap();
    let (_, port) = address.rsplit_once(':').unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
}

#[tokio::test]
async fn bytes_cross_in_both_directions() {
    let (_listener, mut near, mut far) = connected().await;
    assert_eq!(write(&mut near, b"< send 7E0 >").await, 12);
    assert_eq!(read(&mut far, 100).await, b"< send 7E0 >");
    assert_eq!(write(&mut far, b"ok").await, 2);
    assert_eq!(read(&mut near, 1).await, b"o");
    assert_eq!(read(&mut near, 100).await, b"k");
}

#[tokio::test]
async fn a_read_waits_for_bytes() {
    let (_listener, mut near, mut far) = connected().await;
    let waiting = tokio::spawn(async move { read(&mut far, 10).await });
    settle().await;
    assert!(!waiting.is_finished());
    write(&mut near, &[1, 2, 3]).await;
    assert_eq!(waiting.await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn closing_ends_one_direction() {
    let (_listener, mut near, mut far) = connected().await;
    write(&mut near, b"last").await;
    poll_fn(|cx| near.poll_close(cx)).await.unwrap();
    assert_eq!(read(&mut far, 100).await, b"last");
    assert_eq!(read(&mut far, 100).await, b"");
    write(&mut far, b"still here").await;
    assert_eq!(read(&mut near, 100).await, b"still here");
    let broken = poll_fn(|cx| near.poll_write(cx, b"more")).await;
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_write_waits_for_a_reader_and_loses_nothing() {
    let (_listener, mut near, mut far) = connected().await;
    let mut written = 0_usize;
    let chunk: Vec<u8> = (0..=255).cycle().take(65536).collect();
    while let Poll::Ready(count) =
        poll_once(poll_fn(|cx| near.poll_write(cx, &chunk[written % 256..])))
    {
        written += count.unwrap();
        settle().await;
    }
    let waiting = tokio::spawn(async move {
        let more = write(&mut near, &chunk[written % 256..]).await;
        (near, written + more)
    });
    let mut read_all = Vec::new();
    while read_all.len() < written {
        read_all.extend(read(&mut far, 100_000).await);
    }
    let (near, written) = waiting.await.unwrap();
    drop(near);
    loop {
        match read(&mut far, 100_000).await {
            end if end.is_empty() => break,
            more => read_all.extend(more),
        }
    }
    assert_eq!(read_all.len(), written);
    assert!(
        read_all
            .iter()
            .enumerate()
            .all(|(n, byte)| *byte == n as u8)
    );
}

#[tokio::test]
async fn many_peers_are_accepted_one_by_one() {
    let runtime = Tokio::current();
    let mut listener = runtime.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().unwrap();
    assert!(poll_once(poll_fn(|cx| listener.poll_accept(cx))).is_pending());
    for n in 0..5 {
        let mut near = runtime.connect(&address).await.unwrap();
        let (mut far, _) = accept(&mut listener).await;
        write(&mut near, &[n]).await;
        assert_eq!(read(&mut far, 10).await, [n]);
    }
}

#[tokio::test]
async fn nobody_listens_and_nonsense_are_errors() {
    let runtime = Tokio::current();
    let listener = runtime.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().unwrap();
    let taken = runtime.listen(&address).await;
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(listener);
    let refused = runtime.connect(&address).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    for nonsense in ["", "localhost", "127.0.0.1:99999"] {
        assert!(runtime.connect(nonsense).await.is_err(), "{nonsense}");
        assert!(runtime.listen(nonsense).await.is_err(), "{nonsense}");
    }
}

#[tokio::test]
async fn a_dropped_connect_leaves_the_listener_working() {
    let runtime = Tokio::current();
    let mut listener = runtime.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().unwrap();
    {
        let connecting = pin!(runtime.connect(&address));
        let _ = poll_once(connecting);
    }
    let _near = runtime.connect(&address).await.unwrap();
    accept(&mut listener).await;
}

#[test]
fn sockets_belong_to_their_runtime_wherever_they_are_made() {
    let (own, other) = (runtime(), runtime());
    let tcp = Tokio::from(own.handle().clone());
    let mut listeners = [
        outside(tcp.listen("localhost:0")).unwrap(),
        other.block_on(tcp.listen("localhost:0")).unwrap(),
    ];
    let mut streams = Vec::new();
    for listener in &mut listeners {
        let address = listener.local_address().unwrap();
        let near = outside(tcp.connect(&address)).unwrap();
        let (far, _) = outside(poll_fn(|cx| listener.poll_accept(cx))).unwrap();
        streams.push((near, far));
        let near = other.block_on(tcp.connect(&address)).unwrap();
        let (far, _) = other.block_on(accept(listener));
        streams.push((near, far));
    }
    drop(other);
    own.block_on(async {
        for (near, far) in &mut streams {
            assert_eq!(write(near, b"there").await, 5);
            assert_eq!(read(far, 10).await, b"there");
            assert_eq!(write(far, b"back").await, 4);
            assert_eq!(read(near, 10).await, b"back");
        }
        let address = listeners[1].local_address().unwrap();
        tcp.connect(&address).await.unwrap();
        accept(&mut listeners[1]).await;
    });
}
