//! `kernel:IFACE`: every link through the kernel's ISO-TP.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use isotp_driver::{
    Address, Backend, BoxFuture, BusError, Channels, Config, ConnectError, Guarantees, OpenError,
    Opened, Path, Runtime, Scheme, Timer,
};

use crate::interface::Interface;
use crate::kernel::{
    Claim, Guard, Holder, Kernel, KernelChannel, KernelOpenError, KernelOptions, new_socket,
};

/// Opens `kernel:IFACE`, such as `kernel:can0`. A connection needs a configuration that the kernel can
/// honour, such as [`Config::linux_kernel`]; [`KernelOptions::for_link`] has the list.
///
/// | option | meaning |
/// |---|---|
/// | `guard=off` | no look at receptions that the kernel forgets |
///
/// The kernel forgets a reception in which a frame came that was too short. With the guard, which is
/// the default since a connection shall tell of every failed reception, each connection has a second
/// socket, and each single frame, first frame and flow control of the peer wakes its task once more;
/// consecutive frames do not. Without it such a reception is never told of; nothing else changes.
///
/// What connections lack here is in their [`guarantees`](isotp_driver::Connection::guarantees):
///
/// | guarantee | `kernel:` |
/// |---|---|
/// | confirmation | yes. Kernels before 2026 call a message sent whose flow control had a reserved status |
/// | back-pressure | no: a message that finds the queue full is lost, and counted |
/// | abort | no: a dropped `send` is sent to its end, and the next one waits for that |
/// | timing | no: the kernel's timers are 1 s, that of its own frames 2 s |
/// | functional | no |
/// | address | yes |
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelScheme;

impl<R: Runtime> Scheme<R> for KernelScheme {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn usage(&self) -> &'static str {
        "kernel:IFACE"
    }

    fn open<'a>(
        &'a self,
        rest: &'a str,
        runtime: &'a R,
    ) -> BoxFuture<'a, Result<Backend, OpenError>> {
        let backend = Parameters::parse("kernel", rest).and_then(|parameters| {
            let channels = KernelLinks::open(runtime, parameters)?;
            let path = channels.path();
            Ok(Backend::channels(path, Strict(channels)))
        });
        Box::pin(core::future::ready(backend))
    }
}

/// What stands behind the colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) interface: String,
    guard: bool,
}

impl Parameters {
    pub(super) fn parse(scheme: &str, rest: &str) -> Result<Self, OpenError> {
        let (interface, query) = rest.split_once('?').unwrap_or((rest, ""));
        let wrong = |problem: String| OpenError::Parameter {
            connection: format!("{scheme}:{rest}"),
            problem,
        };
        if interface.is_empty() {
            let problem = format!("the interface is missing, expected {scheme}:IFACE");
            return Err(wrong(problem));
        }
        let guard = match query {
            "" | "guard=on" => true,
            "guard=off" => false,
            other => {
                return Err(wrong(format!(
                    "unknown option {other:?}, expected guard=on or guard=off"
                )));
            }
        };
        Ok(Self {
            interface: interface.to_owned(),
            guard,
        })
    }
}

/// Opens kernel sockets on one interface.
pub(super) struct KernelLinks<R> {
    runtime: R,
    interface: Interface,
    guard: bool,
    kernel: Kernel,
}

impl<R: Runtime> KernelLinks<R> {
    /// Looks for everything that is needed, so that what is missing is named at once.
    pub(super) fn open(runtime: &R, parameters: Parameters) -> Result<Self, OpenError> {
        // the socket first: without the address family there is no interface to be found
        drop(new_socket()?);
        let interface = Interface::find(&parameters.interface)?;
        interface.expect_up()?;
        Ok(Self {
            runtime: runtime.clone(),
            interface,
            guard: parameters.guard,
            kernel: Kernel::running(),
        })
    }

    pub(super) fn path(&self) -> Path {
        Path::new(format!("kernel:{}", self.interface.name()))
    }

    /// The options for a link, or what is in the way.
    pub(super) fn options(
        &self,
        address: &Address,
        config: &Config,
    ) -> Result<KernelOptions, String> {
        let options = KernelOptions::for_link(address, config, self.kernel);
        options.map_err(|obstacles| obstacles.to_string())
    }

    /// Opens a link that the kernel can carry.
    pub(super) async fn link(
        &self,
        address: &Address,
        config: &Config,
        options: KernelOptions,
        reason: Option<String>,
    ) -> Result<Opened, ConnectError> {
        if config.protocol.kind.is_fd() && !self.interface.supports_fd() {
            return Err(ConnectError::NoFd);
        }
        let index = self.interface.index();
        let claim = claim(&self.runtime, index, address, Holder::Kernel).await?;
        let socket = options
            .open(self.interface.name())
            .map_err(|error| match error {
                KernelOpenError::System(refusal) => ConnectError::Backend(refusal.into()),
                other => failed(other.to_string()),
            })?;
        let guard = if self.guard {
            let limit = self.kernel.max_message();
            let guard = Guard::new(
                &self.runtime,
                &self.interface,
                *address,
                &config.protocol,
                limit,
            );
            Some(guard.map_err(|refusal| ConnectError::Backend(refusal.into()))?)
        } else {
            None
        };
        let channel = KernelChannel::with(&self.runtime, socket, Some(claim), guard)
            .map_err(|error| ConnectError::Backend(error.into()))?;
        let mut path = self.path();
        if let Some(reason) = reason {
            path = path.because(reason);
        }
        log::info!("{} -> {}: {path}", address.tx().id(), address.rx().id());
        Ok(Opened::Channel {
            channel: Box::new(channel),
            guarantees: GUARANTEES,
            path,
        })
    }
}

/// Claims the address for a link, once a socket that is being closed on it is gone.
pub(super) async fn claim<R: Runtime>(
    runtime: &R,
    index: u32,
    address: &Address,
    holder: Holder,
) -> Result<Claim, ConnectError> {
    let mut timer = runtime.timer();
    timer.set(Some(runtime.now() + CLOSING));
    poll_fn(|cx| {
        let claimed = Claim::poll(cx, index, address, holder);
        let late = claimed.is_pending() && timer.poll_fired(cx).is_ready();
        if late && !Claim::is_near(index, address, holder) {
            let id = address.rx().id();
            return Poll::Ready(Err(ConnectError::AddressInUse { id }));
        }
        claimed
    })
    .await
}

/// Refuses what the kernel cannot carry.
struct Strict<R>(KernelLinks<R>);

impl<R: Runtime> Channels for Strict<R> {
    fn open<'a>(
        &'a self,
        address: &'a Address,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        Box::pin(async move {
            match self.0.options(address, config) {
                Ok(options) => self.0.link(address, config, options, None).await,
                Err(obstacles) => Err(failed(format!(
                    "{}: {obstacles}. Config::linux_kernel() is what the kernel can do; socketcan:{} \
                     and raw:{} have our own stack for the rest",
                    self.0.path(),
                    self.0.interface.name(),
                    self.0.interface.name(),
                ))),
            }
        })
    }
}

fn failed(text: String) -> ConnectError {
    ConnectError::Backend(BusError::new(text))
}

/// No back-pressure, no abort, no timers of one's own, no functional ids.
const GUARANTEES: Guarantees = {
    let mut guarantees = Guarantees::NONE;
    guarantees.confirmation = true;
    guarantees.address = true;
    guarantees
};
/// So long a socket that is being closed is waited for while the kernel finishes with its message.
const CLOSING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_is_wrong() {
        let parsed = Parameters::parse("kernel", "can0?guard=off").unwrap();
        assert_eq!((parsed.interface.as_str(), parsed.guard), ("can0", false));
        assert!(Parameters::parse("kernel", "can0").unwrap().guard);
        for (scheme, rest, problem) in [
            ("kernel", "can0?fast", "unknown option \"fast\""),
            ("kernel", "", "the interface is missing"),
            ("socketcan", "?guard=off", "the interface is missing"),
        ] {
            let text = Parameters::parse(scheme, rest).unwrap_err().to_string();
            let expected = format!("\"{scheme}:{rest}\": {problem}");
            assert!(text.contains(&expected), "{text}");
        }
    }
}
