//! What the driver may expect of a watched descriptor.

use core::task::Poll;
use core::time::Duration;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use isotp_tokio::driver::{Interest, Runtime, Watch};
use isotp_tokio::{Tokio, TokioWatch};

use crate::support::{poll_once, settle};

const READ: Interest = Interest::READABLE;
const WRITE: Interest = Interest::WRITABLE;
const BOTH: Interest = Interest {
    readable: true,
    writable: true,
};

fn watch(descriptor: impl Into<OwnedFd>) -> TokioWatch {
    Tokio::current().watch(descriptor.into()).unwrap()
}

/// What `ready` says, within ten seconds.
async fn ready(watch: &TokioWatch, interest: Interest) -> Interest {
    let ready = tokio::time::timeout(Duration::from_secs(10), watch.ready(interest));
    ready.await.expect("ready within ten seconds").unwrap()
}

/// Nothing is ready, even after the reactor looked.
async fn is_pending(watch: &TokioWatch, interest: Interest) -> bool {
    settle().await;
    let pending = poll_once(watch.ready(interest)).is_pending();
    settle().await;
    pending && poll_once(watch.ready(interest)).is_pending()
}

fn non_blocking_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    for end in [reader.as_fd(), writer.as_fd()] {
        rustix::io::ioctl_fionbio(end, true).unwrap();
    }
    (reader, writer)
}

/// Reads one byte.
fn read(descriptor: BorrowedFd<'_>) -> io::Result<u8> {
    let mut byte = [0];
    rustix::io::read(descriptor, &mut byte)?;
    Ok(byte[0])
}

fn would_block<T>(_: BorrowedFd<'_>) -> io::Result<T> {
    Err(ErrorKind::WouldBlock.into())
}

#[tokio::test]
async fn what_is_ready_can_be_called() {
    let (reader, mut writer) = non_blocking_pipe();
    let watch = watch(reader);
    writer.write_all(&[7]).unwrap();
    assert!(ready(&watch, READ).await.readable);
    assert_eq!(watch.try_io(READ, read).unwrap(), 7);
}

#[tokio::test]
async fn a_call_for_either_direction_is_made() {
    let (reader, mut writer) = non_blocking_pipe();
    let watch = watch(reader);
    writer.write_all(&[7]).unwrap();
    assert!(ready(&watch, BOTH).await.readable);
    assert_eq!(watch.try_io(BOTH, read).unwrap(), 7);
}

#[tokio::test]
async fn nothing_is_called_while_nothing_is_ready() {
    let (reader, _writer) = non_blocking_pipe();
    let watch = watch(reader);
    settle().await;
    let called = watch.try_io(READ, |_| -> io::Result<()> { panic!("called") });
    assert_eq!(called.unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn only_would_block_clears_readiness() {
    let (reader, mut writer) = non_blocking_pipe();
    let watch = watch(reader);
    writer.write_all(&[1, 2]).unwrap();
    ready(&watch, READ).await;
    let interrupted = watch.try_io(READ, |_| -> io::Result<()> {
        Err(ErrorKind::Interrupted.into())
    });
    assert_eq!(interrupted.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(watch.try_io(READ, read).unwrap(), 1);
    assert_eq!(watch.try_io(READ, read).unwrap(), 2);
    assert!(poll_once(watch.ready(READ)).is_ready());
    let empty = watch.try_io(READ, read);
    assert_eq!(empty.unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(is_pending(&watch, READ).await);
    writer.write_all(&[3]).unwrap();
    assert!(ready(&watch, READ).await.readable);
    assert_eq!(watch.try_io(READ, read).unwrap(), 3);
}

#[tokio::test]
async fn clear_forgets_what_is_stale_and_the_next_edge_wakes() {
    let (mut reader, writer) = non_blocking_pipe();
    let watch = watch(writer.try_clone().unwrap());
    assert!(ready(&watch, WRITE).await.writable);
    while (&writer).write(&[0; 4096]).is_ok() {}
    // the reactor has not heard that it is full
    assert!(poll_once(watch.ready(WRITE)).is_ready());
    watch.clear(WRITE);
    assert!(is_pending(&watch, WRITE).await);
    let waiting = tokio::spawn(async move { ready(&watch, WRITE).await });
    settle().await;
    assert!(!waiting.is_finished());
    while reader.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
    assert!(waiting.await.unwrap().writable);
}

#[tokio::test]
async fn clear_within_a_call_is_about_what_was_before_it() {
    let (mut reader, writer) = non_blocking_pipe();
    let watch = watch(writer.try_clone().unwrap());
    ready(&watch, WRITE).await;
    let filled = watch.try_io(WRITE, |_| {
        watch.clear(WRITE);
        while (&writer).write(&[0; 4096]).is_ok() {}
        Ok(())
    });
    filled.unwrap();
    assert!(is_pending(&watch, WRITE).await);
    while reader.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
    assert!(ready(&watch, WRITE).await.writable);
}

#[tokio::test]
async fn an_error_alone_wakes_both_directions() {
    for interest in [READ, WRITE, BOTH, Interest::default()] {
        let (reader, writer) = non_blocking_pipe();
        while (&writer).write(&[0; 4096]).is_ok() {}
        let watch = watch(writer);
        assert!(is_pending(&watch, interest).await);
        let waiting = tokio::spawn(async move { (ready(&watch, interest).await, watch) });
        settle().await;
        assert!(!waiting.is_finished());
        drop(reader);
        let (ready, watch) = waiting.await.unwrap();
        assert_eq!(ready, BOTH, "{interest:?}");
        let broken = watch.try_io(interest, |pipe| Ok(rustix::io::write(pipe, &[1])?));
        assert_eq!(broken.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[tokio::test]
async fn each_direction_hears_of_an_error_though_the_other_looked_first() {
    let (reader, writer) = non_blocking_pipe();
    let watch = watch(writer);
    drop(reader);
    assert_eq!(ready(&watch, READ).await, BOTH);
    watch.try_io::<()>(WRITE, would_block).unwrap_err();
    watch.clear(WRITE);
    assert_eq!(ready(&watch, READ).await, BOTH);
}

#[tokio::test]
async fn an_error_that_passed_leaves_nothing_ready() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.connect(closed.local_addr().unwrap()).unwrap();
    drop(closed);
    let watch = watch(socket.try_clone().unwrap());
    settle().await;
    socket.send(&[1]).unwrap();
    assert!(ready(&watch, READ).await.readable);
    let refused = watch.try_io(READ, read);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    watch.try_io(READ, read).unwrap_err();
    assert!(is_pending(&watch, READ).await);
}

/// Two sockets that send to each other, and that can be turned away.
fn two_named_sockets() -> (UnixDatagram, UnixDatagram) {
    let folder = std::env::temp_dir().join(format!("isotp-tokio-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [here, there] = ["here", "there"].map(|name| folder.join(name));
    let a = UnixDatagram::bind(&here).unwrap();
    let b = UnixDatagram::bind(&there).unwrap();
    a.connect(&there).unwrap();
    b.connect(&here).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

#[tokio::test]
async fn a_full_socket_that_had_an_error_is_not_ready_for_ever() {
    let (a, b) = two_named_sockets();
    let watch = watch(a.try_clone().unwrap());
    assert!(ready(&watch, WRITE).await.writable);
    a.send(&[1]).unwrap();
    // b turns away with a message unread: that is an error for a
    rustix::net::connect_unspec(&b).unwrap();
    assert!(ready(&watch, READ).await.readable);
    let reset = watch.try_io(WRITE, |_| Ok(a.take_error()?.unwrap().kind()));
    assert_eq!(reset.unwrap(), ErrorKind::ConnectionReset);
    let full = loop {
        if let Err(error) = watch.try_io(WRITE, |_| a.send(&[2])) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    assert!(is_pending(&watch, WRITE).await, "it would spin");
    let waiting = tokio::spawn(async move { ready(&watch, WRITE).await });
    settle().await;
    assert!(!waiting.is_finished());
    while b.recv(&mut [0; 8]).is_ok() {}
    assert!(waiting.await.unwrap().writable);
}

#[tokio::test]
async fn a_dropped_ready_loses_nothing() {
    let (reader, mut writer) = non_blocking_pipe();
    let watch = watch(reader);
    for byte in 0..50 {
        // dropped while it waits, and dropped once it was woken but not asked again
        assert!(poll_once(watch.ready(READ)).is_pending());
        let mut woken = Box::pin(watch.ready(READ));
        assert!(poll_once(woken.as_mut()).is_pending());
        writer.write_all(&[byte]).unwrap();
        settle().await;
        drop(woken);
        assert!(matches!(poll_once(watch.ready(READ)), Poll::Ready(Ok(_))));
        assert_eq!(watch.try_io(READ, read).unwrap(), byte);
        watch.try_io(READ, read).unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tasks_wait_for_one_descriptor() {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    let near = std::sync::Arc::new(watch(near));
    let writer = near.clone();
    let sending = tokio::spawn(async move {
        for n in 0..2000_u16 {
            while let Err(error) =
                writer.try_io(WRITE, |fd| Ok(rustix::io::write(fd, &n.to_be_bytes())?))
            {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                ready(&writer, WRITE).await;
            }
        }
    });
    let far = watch(far);
    let reflecting = tokio::spawn(async move {
        let mut bytes = [0; 2];
        for _ in 0..2000 {
            for interest in [READ, WRITE] {
                let call = |fd: BorrowedFd<'_>, bytes: &mut [u8; 2]| match interest {
                    READ => Ok(rustix::io::read(fd, bytes)?),
                    _ => Ok(rustix::io::write(fd, bytes)?),
                };
                while far.try_io(interest, |fd| call(fd, &mut bytes)).is_err() {
                    ready(&far, interest).await;
                }
            }
        }
    });
    for n in 0..2000_u16 {
        let mut bytes = [0; 2];
        while near
            .try_io(READ, |fd| Ok(rustix::io::read(fd, &mut bytes)?))
            .is_err()
        {
            ready(&near, READ).await;
        }
        assert_eq!(u16::from_be_bytes(bytes), n);
    }
    sending.await.unwrap();
    reflecting.await.unwrap();
}

#[test]
fn a_runtime_without_a_reactor_says_what_is_missing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (reader, _writer) = non_blocking_pipe();
    let watched = Tokio::from(runtime.handle().clone()).watch(reader.into());
    let error = watched.unwrap_err().to_string();
    assert!(error.contains("enable_io"), "{error}");
}
