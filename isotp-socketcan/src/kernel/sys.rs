//! Sending and receiving with flags, which no safe crate of ours offers.
#![allow(
    unsafe_code,
    reason = "std has no send and recv with flags for sockets of this family"
)]

use core::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Writes a message, without blocking unless the socket was told to wait until it is sent.
pub(super) fn send(socket: BorrowedFd<'_>, message: &[u8]) -> io::Result<()> {
    let (fd, from) = (socket.as_raw_fd(), message.as_ptr().cast());
    // SAFETY: pointer and length are those of a slice that lives as long as the call.
    let sent = unsafe { libc::send(fd, from, message.len(), libc::MSG_DONTWAIT) };
    checked(sent).map(drop)
}

/// Takes the next message; gives its real size, even if it is longer than `buffer`.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    receive_with(socket, buffer, libc::MSG_DONTWAIT | libc::MSG_TRUNC)
}

/// The size of the next message, which stays where it is.
pub(super) fn next_size(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC | libc::MSG_PEEK;
    receive_with(socket, &mut [], flags)
}

fn receive_with(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
    let (fd, to) = (socket.as_raw_fd(), buffer.as_mut_ptr().cast());
    // SAFETY: pointer and length are those of a slice that is borrowed mutably for the call.
    checked(unsafe { libc::recv(fd, to, buffer.len(), flags) })
}

fn checked(answer: isize) -> io::Result<usize> {
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}
