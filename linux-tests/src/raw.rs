//! Raw CAN sockets: frames as they are on the bus, with the kernel's time.

use core::fmt;
use core::time::Duration;
use std::io::{ErrorKind, Result};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use isotp_core::{FrameKind, FrameView, Id};

use crate::sys;

/// A raw socket that does not block.
#[derive(Debug)]
pub(crate) struct RawSocket {
    fd: OwnedFd,
}

/// A frame that came, and when the kernel got it, if it noted that.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) id: Id,
    pub(crate) kind: FrameKind,
    pub(crate) data: Vec<u8>,
    pub(crate) at: Option<Duration>,
}

impl RawSocket {
    /// Hears everything on the interface, CC and FD, but not what it sends itself.
    pub(crate) fn open(interface: &str) -> Result<Self> {
        let fd = sys::can_socket(libc::SOCK_RAW, libc::CAN_RAW)?;
        let on = 1i32.to_ne_bytes();
        sys::set_option(fd.as_fd(), libc::SOL_CAN_RAW, libc::CAN_RAW_FD_FRAMES, &on)?;
        sys::note_times(fd.as_fd())?;
        // as much as one may have
        let size = (32i32 << 20).to_ne_bytes();
        sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &size)
            .or_else(|_| sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, &size))?;
        sys::bind(fd.as_fd(), interface, 0, 0)?;
        Ok(Self { fd })
    }

    /// From now on it hears these ids alone.
    pub(crate) fn only(&self, ids: &[Id]) -> Result<()> {
        let mut filters = Vec::new();
        for id in ids {
            let mask = if id.is_extended() {
                libc::CAN_EFF_MASK
            } else {
                libc::CAN_SFF_MASK
            };
            filters.extend(raw_id(*id).to_ne_bytes());
            filters.extend((mask | libc::CAN_EFF_FLAG | libc::CAN_RTR_FLAG).to_ne_bytes());
        }
        let option = libc::CAN_RAW_FILTER;
        sys::set_option(self.fd.as_fd(), libc::SOL_CAN_RAW, option, &filters)
    }

    /// Sends one frame, or says at once why not.
    pub(crate) fn send(&self, frame: FrameView<'_>) -> Result<()> {
        let mut bytes = [0; FD_SIZE];
        let size = if frame.kind.is_fd() {
            FD_SIZE
        } else {
            CLASSIC_SIZE
        };
        let (head, data) = bytes.split_at_mut(HEAD);
        head[..4].copy_from_slice(&raw_id(frame.id).to_ne_bytes());
        head[4] = frame.data.len() as u8;
        head[5] = u8::from(matches!(frame.kind, FrameKind::Fd { brs: true }));
        data[..frame.data.len()].copy_from_slice(frame.data);
        sys::write(self.fd.as_fd(), &bytes[..size])
    }

    /// The next data frame, if one is there.
    pub(crate) fn receive(&self) -> Result<Option<Received>> {
        let mut bytes = [0; FD_SIZE];
        loop {
            let (size, at) = match sys::receive(self.fd.as_fd(), &mut bytes) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            let raw = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            if raw & (libc::CAN_ERR_FLAG | libc::CAN_RTR_FLAG) != 0 {
                continue;
            }
            let len = usize::from(bytes[4]).min(FD_SIZE - HEAD);
            let brs = bytes[5] & 1 != 0;
            return Ok(Some(Received {
                id: id_of(raw),
                kind: if size == FD_SIZE {
                    FrameKind::Fd { brs }
                } else {
                    FrameKind::Classic
                },
                data: bytes[HEAD..HEAD + len].to_vec(),
                at,
            }));
        }
    }
}

impl AsFd for RawSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Received {
    pub(crate) fn view(&self) -> FrameView<'_> {
        FrameView {
            id: self.id,
            kind: self.kind,
            data: &self.data,
        }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.view())
    }
}

/// An id as the kernel writes it.
pub(crate) fn raw_id(id: Id) -> u32 {
    if id.is_extended() {
        id.value() | libc::CAN_EFF_FLAG
    } else {
        id.value()
    }
}

fn id_of(raw: u32) -> Id {
    let id = if raw & libc::CAN_EFF_FLAG != 0 {
        Id::extended(raw & libc::CAN_EFF_MASK)
    } else {
        Id::standard((raw & libc::CAN_SFF_MASK) as u16)
    };
    id.expect("the mask leaves no other bits")
}

const CLASSIC_SIZE: usize = 16;
const FD_SIZE: usize = 72;
const HEAD: usize = 8;
