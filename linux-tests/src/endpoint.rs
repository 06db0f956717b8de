//! One end of a link, whoever implements it.

use std::thread;

use crate::adapter::Adapter;
use crate::core_link::CoreLink;
use crate::deadline::Deadline;
use crate::kernel::KernelSocket;
use crate::parameters::Parameters;
use crate::tool::{Isotprecv, Isotpsend};

/// Sends and receives whole messages; an error is the name of the standard where it has one.
pub(crate) trait Endpoint: Send {
    /// Returns when the last frame is out.
    fn send(&mut self, payload: &[u8], deadline: Deadline) -> Result<(), String>;

    /// The next message.
    fn receive(&mut self, deadline: Deadline) -> Result<Vec<u8>, String>;

    /// Both at once.
    fn exchange(&mut self, payload: &[u8], deadline: Deadline) -> Result<Vec<u8>, String>;
}

/// The implementations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// The kernel's ISO-TP.
    Kernel,
    /// `isotp-core` over a raw socket, in the simplest loop.
    Core,
    /// The project's adapter for raw sockets, `raw:`.
    Raw,
    /// The project's adapter for the kernel's ISO-TP, `kernel:`.
    KernelLink,
    /// `isotpsend` and `isotprecv` of can-utils.
    Tools,
}

impl Party {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Core => "core",
            Self::Raw => "raw-link",
            Self::KernelLink => "kernel-link",
            Self::Tools => "can-utils",
        }
    }

    /// An end that will receive; it hears the bus when this returns.
    pub(crate) fn receiver(
        self,
        interface: &str,
        parameters: &Parameters,
    ) -> Result<Box<dyn Endpoint>, String> {
        Ok(match self {
            Self::Tools => Box::new(Isotprecv::start(interface, parameters)?),
            _ => self.sender(interface, parameters)?,
        })
    }

    /// An end that will send.
    pub(crate) fn sender(
        self,
        interface: &str,
        parameters: &Parameters,
    ) -> Result<Box<dyn Endpoint>, String> {
        Ok(match self {
            Self::Kernel => Box::new(KernelSocket::open(interface, parameters)?),
            Self::Core => Box::new(CoreLink::open(interface, parameters)?),
            Self::Raw => Box::new(Adapter::raw(interface, parameters)?),
            Self::KernelLink => Box::new(Adapter::kernel(interface, parameters)?),
            Self::Tools => Box::new(Isotpsend::new(interface, parameters)),
        })
    }
}

/// Opens both ends and carries one message across.
pub(crate) fn transfer(
    interface: &str,
    parameters: &Parameters,
    (from, to): (Party, Party),
    payload: &[u8],
    deadline: Deadline,
) -> Result<(), String> {
    let mut receiver = to.receiver(interface, &parameters.reversed())?;
    let mut sender = from.sender(interface, parameters)?;
    let (sent, received) = thread::scope(|scope| {
        let received = scope.spawn(|| receiver.receive(deadline));
        let sent = sender.send(payload, deadline);
        (sent, received.join())
    });
    let received = received.map_err(|_| "the receiver panicked".to_owned())?;
    let (from, to) = (from.name(), to.name());
    match (sent, received) {
        (Ok(()), Ok(received)) => same(payload, &received),
        (Err(sent), Ok(_)) => Err(format!("{from} sends: {sent}, though {to} received")),
        (Ok(()), Err(received)) => Err(format!("{to} receives: {received}, though {from} sent")),
        (Err(sent), Err(received)) => {
            Err(format!("{from} sends: {sent}; {to} receives: {received}"))
        }
    }
}

/// What came is what was sent.
pub(crate) fn same(sent: &[u8], received: &[u8]) -> Result<(), String> {
    if sent == received {
        return Ok(());
    }
    let at = sent.iter().zip(received).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| sent.len().min(received.len()));
    Err(format!(
        "sent {} bytes, received {}, different from byte {at} on",
        sent.len(),
        received.len()
    ))
}
