//! From options to a bound socket.

use core::fmt;
use std::os::fd::{AsFd, OwnedFd};

use isotp_driver::Id;
use isotp_driver::core::pdu::single_capacity;
use socketcan::{CanAddr, ExtendedId, SocketOptions, StandardId};

use super::encode::{LEVEL, Unsupported};
use super::options::{CHK_PAD_DATA, CHK_PAD_LEN, KernelOptions, WAIT_TX_DONE};
use super::socket::{KernelSocket, SocketFacts};
use super::version::Kernel;
use crate::interface::{Interface, Refusal, Step};
use crate::sys;

/// Why there is no kernel socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum KernelOpenError {
    /// An option cannot be had.
    Unsupported(Unsupported),
    /// The system said no, and what may help.
    System(Refusal),
}

impl fmt::Display for KernelOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(unsupported) => unsupported.fmt(f),
            Self::System(refusal) => refusal.fmt(f),
        }
    }
}

impl core::error::Error for KernelOpenError {}

impl From<Refusal> for KernelOpenError {
    fn from(refusal: Refusal) -> Self {
        Self::System(refusal)
    }
}

impl KernelOptions {
    /// Opens a socket on this interface, such as `can0`.
    ///
    /// # Errors
    /// [`KernelOpenError`]: an option that cannot be had, or what is missing on this machine.
    pub fn open(&self, interface: &str) -> Result<KernelSocket, KernelOpenError> {
        let found = Interface::find(interface)?;
        let socket = new_socket()?;
        let kernel = Kernel::running();
        self.check(kernel).map_err(KernelOpenError::Unsupported)?;
        for (option, bytes) in self.encode(kernel) {
            sys::Options(socket.as_fd())
                .set_socket_option_bytes(LEVEL, option, &bytes)
                .map_err(|error| Refusal::new(Step::Configure(interface), error))?;
        }
        found.expect_up()?;
        sys::bind(socket.as_fd(), &address(found.index(), self))
            .map_err(|error| Refusal::new(Step::Bind(interface), error))?;
        Ok(KernelSocket::new(socket, self.facts(interface, kernel)))
    }

    fn facts(&self, interface: &str, kernel: Kernel) -> SocketFacts {
        let prefix_len = usize::from(self.addresses.is_some());
        let single = single_capacity(self.tx_dl.into(), prefix_len);
        let max = if self.has(super::options::SF_BROADCAST) {
            single
        } else {
            kernel.max_message() as usize
        };
        SocketFacts {
            interface: interface.to_owned(),
            single,
            max,
            waits: self.has(WAIT_TX_DONE),
            checks: self.encode_flags() & (CHK_PAD_LEN | CHK_PAD_DATA) != 0,
            peeks: kernel.is_at_least(5, 18),
        }
    }
}

/// An ISO-TP socket of the kernel's, not bound yet. It loads the module, where that may be.
pub(crate) fn new_socket() -> Result<OwnedFd, Refusal> {
    let step = Step::Socket {
        module: "can-isotp",
    };
    sys::can_socket(libc::SOCK_DGRAM, libc::CAN_ISOTP).map_err(|error| Refusal::new(step, error))
}

fn address(index: u32, options: &KernelOptions) -> CanAddr {
    CanAddr::new_isotp(index, can_id(options.rx_id), can_id(options.tx_id))
}

fn can_id(id: Id) -> socketcan::Id {
    // both are in range: that is what the types say
    if id.is_extended() {
        let id = ExtendedId::new(id.value()).unwrap_or(ExtendedId::MAX);
        socketcan::Id::Extended(id)
    } else {
        let id = u16::try_from(id.value()).ok().and_then(StandardId::new);
        socketcan::Id::Standard(id.unwrap_or(StandardId::MAX))
    }
}
