//! Many messages in one system call.

use core::ffi::{c_int, c_uint};
use core::mem::{MaybeUninit, zeroed};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Room for one received message, and what the kernel tells about it.
#[repr(C, align(8))]
#[derive(Clone, Debug)]
pub(crate) struct Inbound {
    /// First, so that they are aligned as the kernel's `cmsghdr` is.
    control: [u8; CONTROL],
    bytes: [u8; FRAME],
    length: usize,
    control_length: usize,
    flags: c_int,
}

/// One message to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    bytes: [u8; FRAME],
    length: usize,
}

/// What the kernel noted beside a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// When the kernel took it in: seconds and nanoseconds of the real-time clock.
    pub(crate) stamp: Option<(i64, i64)>,
    /// How many messages this socket had to drop before.
    pub(crate) dropped: Option<u32>,
}

impl Inbound {
    /// Nothing received yet.
    pub(crate) const EMPTY: Self = Self {
        control: [0; CONTROL],
        bytes: [0; FRAME],
        length: 0,
        control_length: 0,
        flags: 0,
    };

    /// The message.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }

    /// Whether it was sent by this very socket.
    pub(crate) const fn is_own(&self) -> bool {
        self.flags & libc::MSG_CONFIRM != 0
    }

    /// What the kernel noted beside it.
    pub(crate) fn notes(&self) -> Notes {
        let mut notes = Notes::default();
        let mut rest = self.control.get(..self.control_length).unwrap_or(&[]);
        // the kernel's `cmsghdr`: a length as wide as a pointer, level, type; then the data
        while let Some((length, level, kind)) = header(rest) {
            let data = rest.get(HEADER..length).unwrap_or(&[]);
            if level == libc::SOL_SOCKET && kind == libc::SCM_TIMESTAMPNS {
                notes.stamp = timespec(data);
            } else if level == libc::SOL_SOCKET && kind == libc::SO_RXQ_OVFL {
                notes.dropped = data.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
            }
            let next = length
                .clamp(HEADER, CONTROL)
                .next_multiple_of(size_of::<usize>());
            rest = rest.get(next..).unwrap_or(&[]);
        }
        notes
    }
}

impl Outbound {
    /// An empty message.
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; FRAME],
        length: 0,
    };

    /// Its bytes, to be written.
    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8; FRAME] {
        &mut self.bytes
    }

    /// Sets its length, at most [`FRAME`].
    pub(crate) fn set_length(&mut self, length: usize) {
        self.length = length.min(FRAME);
    }
}

/// Receives as many messages as there are and `messages` has room for, [`BATCH`] at most.
#[allow(
    clippy::unnecessary_cast,
    reason = "lengths of headers are narrower in other C libraries"
)]
pub(crate) fn receive_batch(socket: BorrowedFd<'_>, messages: &mut [Inbound]) -> io::Result<usize> {
    let mut vectors = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH];
    let places = vectors.iter_mut().zip(&mut headers);
    for (message, (vector, header)) in messages.iter_mut().zip(places) {
        let vector = vector.write(libc::iovec {
            iov_base: message.bytes.as_mut_ptr().cast(),
            iov_len: FRAME,
        });
        // SAFETY: plain numbers and pointers, for which zero is a value.
        let header = header.write(unsafe { zeroed() });
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_control = message.control.as_mut_ptr().cast();
        header.msg_hdr.msg_controllen = CONTROL as _;
    }
    let count = messages.len().min(BATCH) as c_uint;
    // SAFETY: the first `count` headers are written. Each points to one vector, to the bytes and to the
    // control room of one message with their true lengths; all of them live, and are lent to nobody
    // else, until the call is over. There is no timeout.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            count,
            libc::MSG_DONTWAIT as _,
            core::ptr::null_mut(),
        )
    };
    let received = super::check(received)? as usize;
    for (message, header) in messages.iter_mut().zip(&headers).take(received) {
        // SAFETY: the kernel has filled the first `received` headers, which were written above.
        let header = unsafe { header.assume_init_ref() };
        message.length = (header.msg_len as usize).min(FRAME);
        message.control_length = (header.msg_hdr.msg_controllen as usize).min(CONTROL);
        message.flags = header.msg_hdr.msg_flags;
    }
    Ok(received)
}

/// Sends the first of these messages, [`BATCH`] at most, and gives how many the kernel took: one or more.
pub(crate) fn send_batch(socket: BorrowedFd<'_>, messages: &[Outbound]) -> io::Result<usize> {
    let mut vectors = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH];
    let places = vectors.iter_mut().zip(&mut headers);
    for (message, (vector, header)) in messages.iter().zip(places) {
        let vector = vector.write(libc::iovec {
            iov_base: message.bytes.as_ptr().cast_mut().cast(),
            iov_len: message.length.min(FRAME),
        });
        // SAFETY: plain numbers and pointers, for which zero is a value.
        let header = header.write(unsafe { zeroed() });
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
    }
    let count = messages.len().min(BATCH) as c_uint;
    // SAFETY: the first `count` headers are written, and each points to one vector and that to the bytes
    // of one message, with their true lengths; all of them live until the call is over, and the kernel
    // only reads the bytes.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            count,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    };
    super::check(sent).map(|sent| sent as usize)
}

/// Length, level and type of the first control message.
fn header(control: &[u8]) -> Option<(usize, c_int, c_int)> {
    let (length, rest) = control.split_first_chunk()?;
    let (level, rest) = rest.split_first_chunk()?;
    let (kind, _) = rest.split_first_chunk()?;
    Some((
        usize::from_ne_bytes(*length),
        c_int::from_ne_bytes(*level),
        c_int::from_ne_bytes(*kind),
    ))
}

/// Two numbers of 64 bits, or of 32 on old 32-bit systems.
fn timespec(data: &[u8]) -> Option<(i64, i64)> {
    if let (Some(seconds), Some(nanos)) = (data.first_chunk(), data.get(8..)?.first_chunk()) {
        return Some((i64::from_ne_bytes(*seconds), i64::from_ne_bytes(*nanos)));
    }
    let seconds = i32::from_ne_bytes(*data.first_chunk()?);
    let nanos = i32::from_ne_bytes(*data.get(4..)?.first_chunk()?);
    Some((seconds.into(), nanos.into()))
}

/// The longest frame: 64 bytes of data, 8 before them.
pub(crate) const FRAME: usize = libc::CANFD_MTU;

/// Messages in one system call at most.
pub(crate) const BATCH: usize = 64;

/// Room for a time stamp and a count, each with its header.
const CONTROL: usize = 64;

const HEADER: usize = size_of::<usize>() + 8;

#[cfg(test)]
mod tests;
