//! A kernel ISO-TP socket, and what became of its messages.

use core::ffi::c_short;
use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use isotp_driver::{Incoming, NResult};

use super::outcome::{INVALID_FS, Meaning, UNKNOWN, meaning};
use super::sys;
use crate::interface::{Refusal, Step};

/// A bound `CAN_ISOTP` socket: whole messages, with the outcome of each.
///
/// The kernel has one place for errors of both directions, and hands what is in it to whichever call
/// comes next; a plain `write` succeeds when the first frame is queued, and learns of its failure when
/// the next message is written, which is then not sent. Here each error is read before the next
/// message, and goes to the message it belongs to.
///
/// It needs no runtime. [`try_send`](Self::try_send), [`try_outcome`](Self::try_outcome) and
/// [`try_recv`](Self::try_recv) never block (`AsFd` gives the descriptor to wait for: readable,
/// writable when a transfer has ended, errors in either case); [`send`](Self::send) and
/// [`recv`](Self::recv) block for as long as they are told.
///
/// Dropping it while a message is being sent blocks until the kernel has finished with that message.
///
/// ```no_run
/// use isotp_socketcan::{Id, KernelOptions, NResult};
/// use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let options = KernelOptions::new(Id::standard(0x7E0)?, Id::standard(0x7E8)?);
/// let mut socket = options.open("can0")?;
/// assert_eq!(socket.send(&[0x10, 0x03], Duration::from_secs(2))?, NResult::Ok);
/// let mut answer = Vec::new();
/// socket.recv(&mut answer, Duration::from_secs(2))?;
/// assert_eq!(answer[0], 0x50);
/// # Ok(()) }
/// ```
pub struct KernelSocket {
    socket: OwnedFd,
    pub(super) facts: SocketFacts,
    sending: Sending,
    /// Receptions that failed and were not told yet.
    failed: VecDeque<NResult>,
}

/// What never changes about a socket.
#[derive(Clone, Debug)]
pub(super) struct SocketFacts {
    pub(super) interface: String,
    /// The longest message that is a single frame.
    pub(super) single: usize,
    /// The longest message that can be sent.
    pub(super) max: usize,
    /// A write blocks until the message is sent.
    pub(super) waits: bool,
    /// Padding of received frames is checked.
    pub(super) checks: bool,
    /// Received messages can be looked at before they are taken.
    pub(super) peeks: bool,
}

/// | state | event | next |
/// |---|---|---|
/// | `Idle` | a message is written | `Running` |
/// | `Running` | the kernel has finished with it, or reports its failure | `Over` |
/// | `Running` | nobody waits for it any more | `Abandoned` |
/// | `Abandoned` | the kernel has finished with it | `Idle` |
/// | `Over` | the outcome is taken, or the next message written | `Idle`, `Running` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Idle,
    Running { single: bool },
    Abandoned,
    Over(NResult),
}

/// Why a message was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotSent {
    /// The message before is being sent. Wait until the socket is writable.
    Busy,
    /// The interface's queue is full. Try again a little later: the socket is writable all the same.
    QueueFull,
    /// The message is empty, or longer than this kernel can send.
    Size {
        /// Bytes in the message.
        size: usize,
        /// The most that can be sent.
        max: usize,
    },
    /// The time is over. The message may be sent later, in part or in full; its outcome will not be
    /// taken for that of another one.
    TimedOut,
    /// The interface is down or gone, or the system said no.
    Io(io::Error),
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the message before is being sent"),
            Self::QueueFull => f.write_str("the interface's queue is full"),
            Self::Size { size, max } => write!(
                f,
                "the message has {size} bytes, expected 1 to {max} for this kernel and these options"
            ),
            Self::TimedOut => f.write_str("the message was not sent in time"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NotSent {}

impl From<io::Error> for NotSent {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl KernelSocket {
    pub(super) const fn new(socket: OwnedFd, facts: SocketFacts) -> Self {
        Self {
            socket,
            facts,
            sending: Sending::Idle,
            failed: VecDeque::new(),
        }
    }

    /// Begins to send a message. [`try_outcome`](Self::try_outcome) tells what becomes of it.
    ///
    /// # Errors
    /// [`NotSent`]; nothing of the message was sent.
    pub fn try_send(&mut self, message: &[u8]) -> Result<(), NotSent> {
        let (size, max) = (message.len(), self.facts.max);
        if size == 0 || size > max {
            return Err(NotSent::Size { size, max });
        }
        self.settle()?;
        if let Sending::Running { .. } | Sending::Abandoned = self.sending {
            return Err(NotSent::Busy);
        }
        self.sending = Sending::Idle;
        // what is left belongs to no message of ours, or to a reception
        while let Some(errno) = self.take_errno()? {
            self.note(errno)?;
        }
        let single = size <= self.facts.single;
        for _ in 0..ATTEMPTS {
            let sent = sys::send(self.as_fd(), message);
            let Err(error) = sent else {
                self.sending = Sending::Running { single };
                return Ok(());
            };
            match error.raw_os_error().unwrap_or_default() {
                libc::EAGAIN => return Err(NotSent::Busy),
                libc::ENOBUFS => return Err(NotSent::QueueFull),
                errno if self.facts.waits => {
                    // it is about this message: the call came back when it was over
                    self.sending = Sending::Running { single };
                    self.note(errno)?;
                    let _ = self.take_errno()?;
                    return Ok(());
                }
                // an error that came in this very moment, and has kept the message from being sent
                errno => self.note(errno)?,
            }
        }
        Err(NotSent::Busy)
    }

    /// What became of the message of the last [`try_send`](Self::try_send), once; `None` while it is
    /// being sent, and when there is none.
    ///
    /// # Errors
    /// The interface is down or gone.
    pub fn try_outcome(&mut self) -> io::Result<Option<NResult>> {
        self.settle()?;
        if let Sending::Over(result) = self.sending {
            self.sending = Sending::Idle;
            return Ok(Some(result));
        }
        Ok(None)
    }

    /// Nobody waits for the outcome of the message that is being sent. The kernel cannot abort it: the
    /// next one is [busy](NotSent::Busy) until it is over.
    pub fn abandon(&mut self) {
        self.sending = match self.sending {
            Sending::Running { .. } | Sending::Abandoned => Sending::Abandoned,
            Sending::Idle | Sending::Over(_) => Sending::Idle,
        };
    }

    /// Takes the next message into `message`, whatever its size, or tells that a reception failed.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is nothing; else the interface is down or
    /// gone.
    pub fn try_recv(&mut self, message: &mut Vec<u8>) -> io::Result<Incoming> {
        loop {
            let size = match self.next_size()? {
                Next::Failed(result) => return Ok(Incoming::Failed(result)),
                Next::Message(size) => size,
            };
            message.clear();
            message.resize(size, 0);
            match sys::receive(self.as_fd(), message) {
                Ok(size) => {
                    message.truncate(size);
                    return Ok(Incoming::Message);
                }
                Err(error) => self.note_error(&error)?,
            }
        }
    }

    /// Takes the next message into memory of the caller's; gives its size.
    ///
    /// # Errors
    /// [`RecvError`]. A message that does not fit stays where it is.
    pub fn try_recv_into(&mut self, buffer: &mut [u8]) -> Result<usize, RecvError> {
        let size = match self.next_size()? {
            Next::Failed(result) => return Err(RecvError::Failed(result)),
            Next::Message(size) => size,
        };
        if buffer.len() < size {
            return Err(RecvError::Truncated { needed: size });
        }
        Ok(sys::receive(self.as_fd(), buffer)?)
    }

    /// The interface it is bound to.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.facts.interface
    }

    /// The longest message that it sends.
    #[must_use]
    pub const fn max_message(&self) -> usize {
        self.facts.max
    }

    /// Whether a message is being sent, as far as was asked.
    pub(super) const fn is_sending(&self) -> bool {
        matches!(self.sending, Sending::Running { .. } | Sending::Abandoned)
    }

    /// Whether the kernel sends nothing on this socket. Without side effects on what it does.
    ///
    /// Kernels that hide the writability of a busy socket are asked for that. It is wrong in some
    /// before 6.3: there a write of nothing tells, which is refused for its size only when idle.
    pub(super) fn is_idle(&self) -> io::Result<bool> {
        if !self.poll(libc::POLLOUT, Some(Duration::ZERO))? {
            return Ok(false);
        }
        match sys::send(self.as_fd(), &[]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            _ => Ok(true),
        }
    }

    /// Waits for the descriptor, or an error of it; `false` if the time is over, or about 24 days are.
    pub(super) fn poll(&self, events: c_short, timeout: Option<Duration>) -> io::Result<bool> {
        match crate::sys::wait(self.as_fd(), events, timeout) {
            // a signal is as good as an event: whoever waits looks again
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            answer => answer.map(|events| events != 0),
        }
    }

    /// Learns whether the message that is being sent is over.
    fn settle(&mut self) -> io::Result<()> {
        if !self.is_sending() {
            return Ok(());
        }
        // in this order: the kernel leaves the error before it says that it is idle
        let idle = self.is_idle()?;
        let errno = self.take_errno()?;
        if let Some(errno) = errno {
            self.note(errno)?;
        }
        match self.sending {
            Sending::Running { .. } if idle && errno.is_none() => {
                self.sending = Sending::Over(NResult::Ok);
            }
            Sending::Running { .. } if idle => self.sending = Sending::Over(UNKNOWN),
            Sending::Abandoned if idle => self.sending = Sending::Idle,
            _ => {}
        }
        Ok(())
    }

    /// Gives an error to the message that it belongs to.
    fn note(&mut self, errno: i32) -> io::Result<()> {
        match (meaning(errno), self.sending) {
            (Meaning::Sending(failure), Sending::Running { single }) => {
                self.sending = Sending::Over(failure.result(single));
            }
            (Meaning::Sending(_), _) => {}
            (Meaning::Receiving(result), _) => self.fail_reception(result),
            (Meaning::Malformed, Sending::Running { .. }) if !self.facts.checks => {
                self.sending = Sending::Over(INVALID_FS);
            }
            (Meaning::Malformed, Sending::Running { .. }) if self.is_idle()? => {
                self.sending = Sending::Over(INVALID_FS);
            }
            (Meaning::Malformed, Sending::Abandoned) => {}
            (Meaning::Malformed, _) if self.facts.checks => self.fail_reception(UNKNOWN),
            (Meaning::Malformed, _) => {}
            (Meaning::Gone | Meaning::Unknown, _) => return Err(self.gone(errno)),
        }
        Ok(())
    }

    fn fail_reception(&mut self, result: NResult) {
        if self.failed.len() < KEPT {
            self.failed.push_back(result);
        }
    }

    /// A reception that failed and was not told yet.
    pub(super) fn take_failed(&mut self) -> Option<NResult> {
        self.failed.pop_front()
    }

    fn next_size(&mut self) -> io::Result<Next> {
        loop {
            if let Some(result) = self.take_failed() {
                return Ok(Next::Failed(result));
            }
            if !self.facts.peeks {
                return Ok(Next::Message(self.facts.max));
            }
            match sys::next_size(self.as_fd()) {
                Ok(size) => return Ok(Next::Message(size)),
                Err(error) => self.note_error(&error)?,
            }
        }
    }

    /// The same for what a call answered, which may be that there is nothing.
    fn note_error(&mut self, error: &io::Error) -> io::Result<()> {
        match error.raw_os_error() {
            Some(errno) if errno != libc::EAGAIN => self.note(errno),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// The error that waits in the socket, of whichever direction.
    pub(super) fn take_errno(&self) -> io::Result<Option<i32>> {
        let error = crate::sys::take_error(self.as_fd())?;
        Ok(error.and_then(|error| error.raw_os_error()))
    }

    fn gone(&self, errno: i32) -> io::Error {
        // unbound is what a socket is whose interface was removed
        let errno = if errno == libc::EADDRNOTAVAIL {
            libc::ENODEV
        } else {
            errno
        };
        let error = io::Error::from_raw_os_error(errno);
        Refusal::new(Step::Use(&self.facts.interface), error).into()
    }
}

impl AsFd for KernelSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for KernelSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelSocket")
            .field("interface", &self.facts.interface)
            .field("sending", &self.sending)
            .finish_non_exhaustive()
    }
}

/// Why no message was taken into the caller's memory.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecvError {
    /// The message is longer, and stays where it is. (Kernels before 5.18 lose it.)
    Truncated {
        /// How long it is.
        needed: usize,
    },
    /// A message that was being received failed.
    Failed(NResult),
    /// There is none ([`WouldBlock`](io::ErrorKind::WouldBlock)), or the interface is down or gone.
    Io(io::Error),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed } => {
                write!(f, "the message has {needed} bytes, expected room for them")
            }
            Self::Failed(result) => result.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RecvError {}

impl From<io::Error> for RecvError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What can be received.
enum Next {
    Message(usize),
    Failed(NResult),
}

/// Writes until the message is not prevented from being sent by an error that came just then.
const ATTEMPTS: usize = 4;
/// Failed receptions that are remembered.
const KEPT: usize = 16;
