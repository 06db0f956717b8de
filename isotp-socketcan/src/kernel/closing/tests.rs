use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::Wake;
use std::time::Instant;

use super::super::socket::SocketFacts;
use super::*;

/// A stream whose peer does not read is busy, as far as anybody can tell from outside.
fn busy() -> (Parting, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    peer.set_read_timeout(Some(LIMIT)).unwrap();
    let mut filler = ours.try_clone().unwrap();
    let facts = SocketFacts {
        interface: "none".to_owned(),
        single: 7,
        max: 10,
        waits: false,
        checks: false,
        peeks: true,
    };
    let mut socket = KernelSocket::new(OwnedFd::from(ours), facts);
    socket.try_send(&[1; 10]).unwrap();
    while filler.write(&[0; 4096]).is_ok() {}
    (Parting::new(socket, None).unwrap(), peer)
}

fn read_all(mut peer: UnixStream) {
    peer.read_to_end(&mut Vec::new()).unwrap();
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Whether the socket is gone by the end of the time.
fn is_gone_within(gone: &mut oneshot::Receiver<()>, time: Duration) -> bool {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let end = Instant::now() + time;
    let mut gone = pin!(gone);
    loop {
        let polled = gone.as_mut().poll(&mut Context::from_waker(&waker));
        let left = end.saturating_duration_since(Instant::now());
        if polled.is_ready() {
            return true;
        }
        if left.is_zero() {
            return false;
        }
        thread::park_timeout(left);
    }
}

/// Those of this module in the whole process.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")));
    // one that has ended meanwhile has none
    names.flatten().filter(|name| name.trim() == NAME).count()
}

#[test]
fn busy_sockets_wait_side_by_side_in_few_threads_and_go_when_they_are_idle() {
    let (mut partings, peers): (Vec<_>, Vec<_>) = (0..100).map(|_| busy()).unzip();
    assert!(threads() <= 1 + HELPERS, "{}", threads());
    let start = Instant::now();
    let mut gone: Vec<_> = partings.iter_mut().map(Parting::part).collect();
    assert!(start.elapsed() < LIMIT / 4, "giving them up blocks");
    for parting in &mut partings {
        let kind = parting.get().unwrap_err().kind();
        assert_eq!(kind, ErrorKind::NotConnected);
    }
    assert!(!is_gone_within(&mut gone[0], Duration::from_millis(50)));
    // the last first: none waits for another one
    for (peer, gone) in peers.into_iter().zip(&mut gone).rev() {
        let reader = thread::spawn(|| read_all(peer));
        assert!(is_gone_within(gone, LIMIT));
        assert!(threads() <= 1 + HELPERS, "{}", threads());
        // the other end has seen it
        reader.join().unwrap();
    }
}

#[test]
fn one_that_is_dropped_goes_as_well() {
    let (parting, peer) = busy();
    drop(parting);
    read_all(peer);
}

const LIMIT: Duration = Duration::from_secs(10);
