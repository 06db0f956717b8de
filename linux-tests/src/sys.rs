//! The system calls that `std` does not have, each behind a safe function. The only unsafe code.
#![allow(
    unsafe_code,
    reason = "SocketCAN has no safe interface in std; each block says why it holds"
)]

use core::mem::{size_of, zeroed};
use core::time::Duration;
use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A socket of the family CAN that does not block.
pub(crate) fn can_socket(kind: libc::c_int, protocol: libc::c_int) -> Result<OwnedFd> {
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::socket(libc::AF_CAN, kind, protocol) })?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A socket on which the kernel is told of interfaces, and answers.
pub(crate) fn route_socket() -> Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Binds to an interface; the ids matter to ISO-TP sockets alone.
pub(crate) fn bind(fd: BorrowedFd<'_>, interface: &str, rx_id: u32, tx_id: u32) -> Result<()> {
    let name = CString::new(interface)?;
    // SAFETY: the name is a string with a NUL at its end and outlives the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: integers alone, for which zero is a value.
    let mut address: libc::sockaddr_can = unsafe { zeroed() };
    address.can_family = libc::AF_CAN as libc::sa_family_t;
    address.can_ifindex = index as libc::c_int;
    address.can_addr.tp.rx_id = rx_id;
    address.can_addr.tp.tx_id = tx_id;
    let size = size_of::<libc::sockaddr_can>() as libc::socklen_t;
    // SAFETY: the address lives through the call and the size is its own.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size) }).map(drop)
}

/// `setsockopt` with a value of bytes.
pub(crate) fn set_option(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: &[u8],
) -> Result<()> {
    let size = value.len() as libc::socklen_t;
    // SAFETY: pointer and size are those of one slice, which lives through the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), size) })
        .map(drop)
}

/// Takes the pending error of a socket; zero if there is none.
pub(crate) fn take_error(fd: BorrowedFd<'_>) -> Result<i32> {
    let mut value: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>() as libc::socklen_t;
    let pointer = (&raw mut value).cast();
    // SAFETY: the pointer is to an integer of that size, which lives through the call.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ERROR,
            pointer,
            &raw mut size,
        )
    })?;
    Ok(value)
}

/// Has the kernel note when a frame comes. It begins a while later; frames until then have no time,
/// where the older option `SO_TIMESTAMPNS` would give the time at which they are read.
pub(crate) fn note_times(fd: BorrowedFd<'_>) -> Result<()> {
    let flags = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    set_option(
        fd,
        libc::SOL_SOCKET,
        libc::SO_TIMESTAMPING,
        &flags.to_ne_bytes(),
    )
}

/// One message, how long it was in whole, and when the kernel got it, if it noted that; see
/// [`note_times`].
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, Option<Duration>)> {
    let mut control = [0u64; 16];
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: integers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of::<[u64; 16]>() as _;
    // SAFETY: all pointers of the message are to memory that lives through the call, with its size.
    let size = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_TRUNC) };
    let size = usize::try_from(size).map_err(|_| Error::last_os_error())?;
    let mut stamp = None;
    // SAFETY: the kernel filled the message; its control memory is aligned and still lives.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: not null, so it is inside of the control memory.
        let (level, kind) = unsafe { ((*header).cmsg_level, (*header).cmsg_type) };
        if level == libc::SOL_SOCKET && kind == libc::SCM_TIMESTAMPING {
            // SAFETY: this kind of message begins with a timespec; it is read unaligned.
            let time = unsafe {
                libc::CMSG_DATA(header)
                    .cast::<libc::timespec>()
                    .read_unaligned()
            };
            stamp = Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32));
        }
        // SAFETY: as for the first header.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok((size, stamp))
}

/// Writes one message to a socket.
pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<()> {
    // SAFETY: pointer and size are those of one slice, which lives through the call.
    let size = unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    if size < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

/// Waits for one of the events on one of the descriptors, at most for `time`. What came, for each.
pub(crate) fn poll<const N: usize>(
    watched: [(BorrowedFd<'_>, i16); N],
    time: Duration,
) -> Result<[i16; N]> {
    let mut polled = watched.map(|(fd, events)| libc::pollfd {
        fd: fd.as_raw_fd(),
        events,
        revents: 0,
    });
    let time = libc::timespec {
        tv_sec: time.as_secs() as libc::time_t,
        tv_nsec: time.subsec_nanos().into(),
    };
    // SAFETY: the array and the time live through the call, the count is the array's.
    let count = unsafe {
        libc::ppoll(
            polled.as_mut_ptr(),
            N as libc::nfds_t,
            &raw const time,
            core::ptr::null(),
        )
    };
    match check(count) {
        Err(error) if error.kind() != std::io::ErrorKind::Interrupted => Err(error),
        _ => Ok(polled.map(|one| one.revents)),
    }
}

/// Moves this process to a network of its own.
pub(crate) fn new_network() -> Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }).map(drop)
}

/// Keeps this process, and the threads that it starts, on one processor.
pub(crate) fn stay_on_processor(number: usize) -> Result<()> {
    // SAFETY: a set of bits, for which zero is a value: it is empty.
    let mut processors: libc::cpu_set_t = unsafe { zeroed() };
    if number >= libc::CPU_SETSIZE as usize {
        return Err(Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: the set lives through the call and has a bit for the number, as was just checked.
    unsafe { libc::CPU_SET(number, &mut processors) };
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: the set lives through the call, and the size is its own.
    check(unsafe { libc::sched_setaffinity(0, size, &raw const processors) }).map(drop)
}

/// The processor time that this process has used.
pub(crate) fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec that lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How many threads this process has.
pub(crate) fn threads() -> core::result::Result<usize, String> {
    let tasks = std::fs::read_dir("/proc/self/task").map_err(|error| error.to_string())?;
    Ok(tasks.count())
}

fn check(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 {
        return Err(Error::last_os_error());
    }
    Ok(result)
}
