//! System calls that no safe crate offers: all the unsafe code of this crate.
#![allow(
    unsafe_code,
    reason = "sockets of AF_CAN, interface ioctls and batches of messages have no safe interface"
)]

mod batch;
mod device;

use core::ffi::{c_int, c_short};
use core::mem::size_of;
use core::time::Duration;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use socketcan::{CanAddr, SocketOptions};

pub(crate) use batch::{BATCH, FRAME, Inbound, Outbound, receive_batch, send_batch};
pub(crate) use device::{Attribute, device_attribute, device_names};

/// A socket of the CAN family: non-blocking, and closed when another program is started.
pub(crate) fn can_socket(kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: three integers go in; nothing is borrowed.
    let fd = check(unsafe { libc::socket(libc::AF_CAN, kind, protocol) })?;
    // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Ties a socket to an interface, and to ids where its protocol has them.
pub(crate) fn bind(socket: BorrowedFd<'_>, address: &CanAddr) -> io::Result<()> {
    let length = CanAddr::len() as libc::socklen_t;
    // SAFETY: the pointer is to a `sockaddr_can` of this length, which lives as long as the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), address.as_sockaddr_ptr(), length) })?;
    Ok(())
}

/// Waits in this thread until one of `events` (`POLLIN`, `POLLOUT`) or an error is there, and gives what
/// is. Nothing within `timeout` gives 0; without a timeout it waits for ever.
pub(crate) fn wait(
    socket: BorrowedFd<'_>,
    events: c_short,
    timeout: Option<Duration>,
) -> io::Result<c_short> {
    let mut entry = [poll_entry(socket, events)];
    poll(&mut entry, timeout)?;
    let [entry] = entry;
    Ok(entry.revents)
}

/// Waits in this thread until there is something to read from `woken`, or one of `sockets` is writable
/// or has an error; tells whether it is one of the sockets.
pub(crate) fn wait_any(
    woken: BorrowedFd<'_>,
    sockets: &[BorrowedFd<'_>],
    timeout: Option<Duration>,
) -> io::Result<bool> {
    let sockets = sockets
        .iter()
        .map(|socket| poll_entry(*socket, libc::POLLOUT));
    let mut entries: Vec<_> = sockets.collect();
    entries.push(poll_entry(woken, libc::POLLIN));
    poll(&mut entries, timeout)?;
    entries.pop();
    Ok(entries.iter().any(|entry| entry.revents != 0))
}

fn poll_entry(descriptor: BorrowedFd<'_>, events: c_short) -> libc::pollfd {
    libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events,
        revents: 0,
    }
}

fn poll(entries: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // a part of a millisecond is a whole one: it must not become a busy loop
    let millis = timeout.map_or(-1, |left| {
        c_int::try_from(left.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX)
    });
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or(0);
    // SAFETY: so many `pollfd`, which are borrowed mutably for the call.
    check(unsafe { libc::poll(entries.as_mut_ptr(), count, millis) })?;
    Ok(())
}

/// The socket options of a borrowed socket, with the methods of [`SocketOptions`].
#[derive(Debug)]
pub(crate) struct Options<'a>(pub(crate) BorrowedFd<'a>);

impl AsRawFd for Options<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl SocketOptions for Options<'_> {}

/// The error that waits in the socket, which is taken out of it.
pub(crate) fn take_error(socket: BorrowedFd<'_>) -> io::Result<Option<io::Error>> {
    let option = Options(socket);
    let error = option.get_socket_option_int(libc::SOL_SOCKET, libc::SO_ERROR)?;
    Ok((error != 0).then(|| io::Error::from_raw_os_error(error)))
}

/// What a system call answered, -1 being an error.
fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer)
}

const _: () = assert!(size_of::<libc::sockaddr_can>() >= 16);

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn waiting_for_many_tells_sockets_from_the_call() {
        let (mut caller, woken) = UnixStream::pair().unwrap();
        let (mut full, peer) = UnixStream::pair().unwrap();
        full.set_nonblocking(true).unwrap();
        while full.write(&[0; 4096]).is_ok() {}
        let wait = |sockets: &[BorrowedFd<'_>]| {
            let timeout = Some(Duration::from_millis(20));
            wait_any(woken.as_fd(), sockets, timeout).unwrap()
        };
        assert!(!wait(&[]));
        assert!(!wait(&[full.as_fd()]));
        assert!(wait(&[full.as_fd(), peer.as_fd()]));
        caller.write_all(&[0]).unwrap();
        assert!(!wait(&[full.as_fd()]), "it is the call");
        drop(peer);
        assert!(wait(&[full.as_fd()]), "an error counts");
    }
}
