//! The kernel's own ISO-TP sockets: the reference that the project's stack is compared with.

use core::time::Duration;
use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::parameters::Parameters;
use crate::raw::raw_id;
use crate::sys;

/// A socket of the protocol `CAN_ISOTP`.
#[derive(Debug)]
pub(crate) struct KernelSocket {
    fd: OwnedFd,
}

impl KernelSocket {
    /// Opens with the link's parameters; frames follow each other as fast as STmin permits.
    pub(crate) fn open(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        Self::with_flags(interface, parameters, 0)
            .map_err(|error| format!("CAN_ISOTP socket on {interface}: {error}"))
    }

    /// The same with more of the kernel's flags.
    pub(crate) fn with_flags(
        interface: &str,
        parameters: &Parameters,
        more_flags: u32,
    ) -> Result<Self, Error> {
        let fd = sys::can_socket(libc::SOCK_DGRAM, libc::CAN_ISOTP)?;
        let (tx, rx) = (parameters.address.tx(), parameters.address.rx());
        let mut flags = more_flags;
        let mut options = [0; 12];
        if let (Some(tx), Some(rx)) = (tx.byte(), rx.byte()) {
            flags |= EXTEND_ADDR | RX_EXT_ADDR;
            options[8] = tx;
            options[11] = rx;
        }
        if let Some(pad) = parameters.pad {
            flags |= TX_PADDING | RX_PADDING;
            options[10] = pad;
        }
        options[9] = parameters.pad.unwrap_or(0xCC);
        options[..4].copy_from_slice(&flags.to_ne_bytes());
        options[4..8].copy_from_slice(&NO_FRAME_TIME.to_ne_bytes());
        let set = |option, value: &[u8]| sys::set_option(fd.as_fd(), SOL_CAN_ISOTP, option, value);
        set(OPTS, &options)?;
        set(
            RECV_FC,
            &[parameters.block_size, parameters.st_min.code(), 0],
        )?;
        if let Some(tx_dl) = parameters.fd {
            set(LL_OPTS, &[FD_MTU, tx_dl, 0])?;
        }
        sys::bind(fd.as_fd(), interface, raw_id(rx.id()), raw_id(tx.id()))?;
        Ok(Self { fd })
    }

    /// Hands a message to the kernel, which refuses while another is on its way.
    pub(crate) fn try_send(&self, payload: &[u8]) -> Result<(), Error> {
        sys::write(self.fd.as_fd(), payload)
    }

    /// A message that has come.
    pub(crate) fn try_receive(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut buffer = vec![0; MAX_MESSAGE];
        match sys::receive(self.fd.as_fd(), &mut buffer) {
            Ok((size, _)) => {
                buffer.truncate(size);
                Ok(Some(buffer))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn wait(&self, events: i16, deadline: Deadline, what: &str) -> Result<i16, String> {
        loop {
            let [got] = sys::poll([(self.fd.as_fd(), events)], deadline.left(what)?)
                .map_err(|error| error.to_string())?;
            if got != 0 {
                return Ok(got);
            }
        }
    }

    /// Waits once for a message, an error and, where asked, for the end of a transmission.
    pub(crate) fn wait_once(&self, sending: bool, time: Duration) -> Result<i16, String> {
        let events = libc::POLLIN | if sending { libc::POLLOUT } else { 0 };
        sys::poll([(self.fd.as_fd(), events)], time)
            .map(|[events]| events)
            .map_err(|error| error.to_string())
    }

    /// The error that waits in the socket, by its name in the standard.
    pub(crate) fn failed(&self) -> Result<(), String> {
        match sys::take_error(self.fd.as_fd()) {
            Ok(0) => Ok(()),
            Ok(number) => Err(meaning(&Error::from_raw_os_error(number))),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Endpoint for KernelSocket {
    fn send(&mut self, payload: &[u8], deadline: Deadline) -> Result<(), String> {
        self.try_send(payload).map_err(|error| meaning(&error))?;
        // writable again: the last frame is out, or the transfer has failed
        self.wait(libc::POLLOUT, deadline, "the kernel to send")?;
        self.failed()
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Vec<u8>, String> {
        loop {
            self.wait(libc::POLLIN, deadline, "a message at the kernel's socket")?;
            self.failed()?;
            if let Some(message) = self.try_receive().map_err(|error| meaning(&error))? {
                return Ok(message);
            }
        }
    }

    fn exchange(&mut self, payload: &[u8], deadline: Deadline) -> Result<Vec<u8>, String> {
        self.try_send(payload).map_err(|error| meaning(&error))?;
        let message = self.receive(deadline)?;
        self.wait(libc::POLLOUT, deadline, "the kernel to send")?;
        self.failed().map(|()| message)
    }
}

impl AsFd for KernelSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What the kernel means by an error of an ISO-TP socket, in the words of the standard.
pub(crate) fn meaning(error: &Error) -> String {
    let name = match error.raw_os_error() {
        Some(libc::ECOMM) => "N_TIMEOUT_Bs",
        Some(libc::ETIMEDOUT) => "N_TIMEOUT_Cr",
        Some(libc::EILSEQ) => "N_WRONG_SN",
        Some(libc::EMSGSIZE) => "N_BUFFER_OVFLW",
        Some(libc::EBADMSG) => "EBADMSG",
        _ => return error.to_string(),
    };
    name.to_owned()
}

const SOL_CAN_ISOTP: i32 = 106;
const OPTS: i32 = 1;
const RECV_FC: i32 = 2;
const LL_OPTS: i32 = 5;
const EXTEND_ADDR: u32 = 0x002;
const TX_PADDING: u32 = 0x004;
const RX_PADDING: u32 = 0x008;
const RX_EXT_ADDR: u32 = 0x200;
/// Really none; 0 would leave the 50 us that are the kernel's default.
const NO_FRAME_TIME: u32 = u32::MAX;
const FD_MTU: u8 = 72;
/// The most that a kernel without `max_pdu_size` takes.
const MAX_MESSAGE: usize = 66_000;
