//! A raw CAN socket by itself, for programs without a runtime.

use core::fmt;
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use isotp_driver::core::Filter;
use isotp_driver::{Frame, FrameView};
use socketcan::{CanAddr, CanFilter, SocketOptions};

use super::trouble::{self, ErrorFrame};
use super::wire::{self, Content, can_id};
use crate::end::End;
use crate::interface::{Interface, Refusal, Step};
use crate::sys::{self, Inbound, Options, Outbound};

/// A `CAN_RAW` socket on one interface, for CAN CC and FD frames.
///
/// It never blocks by itself: [`try_send`](Self::try_send) and [`try_receive`](Self::try_receive) are for
/// an event loop, which waits on its descriptor; [`send`](Self::send) and [`receive`](Self::receive)
/// block this thread, with a timeout. It hears its own frames too, as echoes that tell that a frame was
/// sent, and error frames of the controller.
///
/// ```no_run
/// use core::time::Duration;
/// use isotp_socketcan::{Frame, FrameKind, FrameView, Id, RawSocket};
/// let socket = RawSocket::open("can0")?;
/// let (id, kind) = (Id::standard(0x7E0)?, FrameKind::Classic);
/// let timeout = Some(Duration::from_secs(1));
/// socket.send(FrameView { id, kind, data: &[0x02, 0x10, 0x03] }, timeout)?;
/// let mut frame = Frame::new();
/// let received = socket.receive(&mut frame, timeout)?;
/// assert!(received.is_echo() && frame.to_string() == "7E0#021003");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RawSocket {
    descriptor: OwnedFd,
    interface: Interface,
}

impl RawSocket {
    /// Opens a socket on the interface of this name, such as `can0`, which must be up.
    ///
    /// # Errors
    /// [`Refusal`], which says what is missing (CAN in the kernel, the protocol, the interface, a
    /// permission) and the command that helps.
    pub fn open(interface: &str) -> Result<Self, Refusal> {
        // the socket first: without CAN in the kernel there are no interfaces either
        let descriptor = sys::can_socket(libc::SOCK_RAW, libc::CAN_RAW)
            .map_err(|error| Refusal::new(Step::Socket { module: "can-raw" }, error))?;
        let interface = Interface::find(interface)?;
        interface.expect_up()?;
        configure(descriptor.as_fd())
            .map_err(|error| Refusal::new(Step::Configure(interface.name()), error))?;
        sys::bind(descriptor.as_fd(), &CanAddr::new(interface.index()))
            .map_err(|error| Refusal::new(Step::Bind(interface.name()), error))?;
        Ok(Self {
            descriptor,
            interface,
        })
    }

    /// Sends a frame, if there is room.
    ///
    /// # Errors
    /// `WouldBlock` while the socket's own queue is full: wait until it is writable. The system's error
    /// `ENOBUFS` while that of the interface is: to wait until the socket is writable would be no wait,
    /// so try again after some time, or after the next echo.
    /// `InvalidInput` if CAN has no such frame, or the interface none of its kind. Everything else is
    /// about the interface, and says what to do.
    pub fn try_send(&self, frame: FrameView<'_>) -> io::Result<()> {
        let mut message = Outbound::EMPTY;
        if !wire::encode(frame, &mut message) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{frame} is no CAN frame, expected up to 8 data bytes, for FD a DLC's length"
                ),
            ));
        }
        if frame.kind.is_fd() && !self.interface.supports_fd() {
            let name = self.interface.name();
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{name} takes classic frames only, its MTU is {}",
                    self.interface.mtu()
                ),
            ));
        }
        match sys::send_batch(self.as_fd(), &[message]) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// The next frame or event that is there; a frame is written into `frame`.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing: wait until the socket is readable. Everything else is about the
    /// interface, and says what to do.
    pub fn try_receive(&self, frame: &mut Frame) -> io::Result<Received> {
        let mut message = [Inbound::EMPTY];
        loop {
            if let Err(error) = sys::receive_batch(self.as_fd(), &mut message) {
                return Err(self.explain(error));
            }
            let [message] = &message;
            let notes = message.notes();
            let kind = match wire::decode(message.bytes(), frame) {
                Content::Data if message.is_own() => Kind::Echo,
                Content::Data => Kind::Frame,
                Content::Error(error) => Kind::Error(error),
                Content::Other => continue,
            };
            return Ok(Received {
                kind,
                at: notes.stamp.and_then(system_time),
                dropped: notes.dropped.unwrap_or(0),
            });
        }
    }

    /// Sends a frame, waiting for room in this thread.
    ///
    /// # Errors
    /// `TimedOut` if there was none in time, else as [`try_send`](Self::try_send).
    pub fn send(&self, frame: FrameView<'_>, timeout: Option<Duration>) -> io::Result<()> {
        let end = End::after(timeout);
        let mut pause = Duration::from_micros(500);
        loop {
            let error = match self.try_send(frame) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let left = end.left()?;
            if error.kind() == io::ErrorKind::WouldBlock {
                self.wait(libc::POLLOUT, left)?;
            } else if error.raw_os_error() == Some(libc::ENOBUFS) {
                std::thread::sleep(left.map_or(pause, |left| left.min(pause)));
                pause = (2 * pause).min(LONGEST_PAUSE);
            } else if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// The next frame or event, waiting for it in this thread; a frame is written into `frame`.
    ///
    /// # Errors
    /// `TimedOut` if there was none in time, else as [`try_receive`](Self::try_receive).
    pub fn receive(&self, frame: &mut Frame, timeout: Option<Duration>) -> io::Result<Received> {
        let end = End::after(timeout);
        loop {
            match self.try_receive(frame) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(libc::POLLIN, end.left()?)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => return received,
            }
        }
    }

    /// Lets only these frames through, echoes included; error frames come in any case.
    ///
    /// # Errors
    /// What the kernel answers: `EINVAL` for more than 512.
    pub fn set_filters(&self, filters: &[Filter]) -> io::Result<()> {
        let kernel = |filter: &Filter| {
            let mask = filter.mask | libc::CAN_EFF_FLAG | libc::CAN_RTR_FLAG;
            CanFilter::new(can_id(filter.id), mask)
        };
        let filters: Vec<_> = filters.iter().map(kernel).collect();
        Options(self.as_fd()).set_filters(&filters)
    }

    /// The error that waits in the socket, for an event loop that was told of one: the interface is down
    /// or gone. It is given once, here or by the next call.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        let error = sys::take_error(self.as_fd())?;
        Ok(error.map(|error| self.explain(error)))
    }

    /// Where it is bound, as it was when it was opened.
    #[must_use]
    pub const fn interface(&self) -> &Interface {
        &self.interface
    }

    /// The descriptor and the interface.
    pub(super) fn into_parts(self) -> (OwnedFd, Interface) {
        (self.descriptor, self.interface)
    }

    fn wait(&self, events: i16, timeout: Option<Duration>) -> io::Result<()> {
        match sys::wait(self.as_fd(), events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// With what helps, where something does.
    fn explain(&self, error: io::Error) -> io::Error {
        match error.raw_os_error() {
            Some(libc::ENETDOWN | libc::ENODEV | libc::ENXIO) => {
                Refusal::new(self.interface.gone(&error), error).into()
            }
            _ => error,
        }
    }
}

impl AsFd for RawSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// What was received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Received {
    kind: Kind,
    at: Option<SystemTime>,
    dropped: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Frame,
    Echo,
    Error(ErrorFrame),
}

impl Received {
    /// Whether it is a frame that this socket has sent, and which is on the bus now.
    #[must_use]
    pub fn is_echo(&self) -> bool {
        self.kind == Kind::Echo
    }

    /// What the controller tells; then there is no frame.
    #[must_use]
    pub const fn error_frame(&self) -> Option<ErrorFrame> {
        match self.kind {
            Kind::Error(error) => Some(error),
            _ => None,
        }
    }

    /// When the kernel took it in.
    #[must_use]
    pub const fn at(&self) -> Option<SystemTime> {
        self.at
    }

    /// How many frames this socket had dropped before, since its receive queue was full.
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .field("dropped", &self.dropped)
            .finish()
    }
}

/// Everything that is set before the socket is bound, so that no frame comes without it.
fn configure(socket: BorrowedFd<'_>) -> io::Result<()> {
    let options = Options(socket);
    options.set_loopback(true)?;
    options.set_recv_own_msgs(true)?;
    // a kernel before 3.6 has no FD, and no interface with it
    let _ = options.set_socket_option_int(libc::SOL_CAN_RAW, libc::CAN_RAW_FD_FRAMES, 1);
    options.set_error_filter(trouble::SUBSCRIBED)?;
    options.set_recv_timestamp(true)?;
    options.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    // the least there is, about six frames: fewer than the queue of a CAN interface holds, so that this
    // socket is full before that is. A full socket tells when there is room again, a full queue does not
    options.set_socket_option_int(libc::SOL_SOCKET, libc::SO_SNDBUF, 0)?;
    let forced =
        options.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER);
    if forced.is_err() {
        // without privileges, as much as the system allows
        options.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER)?;
    }
    Ok(())
}

fn system_time((seconds, nanos): (i64, i64)) -> Option<SystemTime> {
    let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
    UNIX_EPOCH.checked_add(since)
}

/// Some 2700 frames, where the system allows it.
const RECEIVE_BUFFER: i32 = 1 << 20;

const LONGEST_PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// On a kernel with CAN it is the interface, on one without it is CAN.
    #[test]
    fn what_cannot_be_opened_says_what_is_missing() {
        let error = RawSocket::open("no-such-can0").unwrap_err();
        let (text, errno) = (error.to_string(), error.io_error().raw_os_error());
        let expected = match errno {
            Some(libc::EAFNOSUPPORT) => "`modprobe can`",
            Some(libc::EPROTONOSUPPORT) => "`modprobe can-raw`",
            Some(libc::EPERM | libc::EACCES) => "was denied",
            _ => "there is no interface \"no-such-can0\"",
        };
        assert!(text.contains(expected), "{errno:?}: {text}");
    }
}
