//! `socketcan:IFACE`: each link goes the way that can honour its configuration.

mod watched;

use isotp_driver::{
    Address, Backend, BoxFuture, Channels, Config, ConnectError, OpenError, Opened, Path, Permit,
    Runtime, Scheme,
};

use super::kernel::{KernelLinks, Parameters, claim};
use crate::kernel::Holder;
use crate::raw::{RawBus, RawSocket};
use watched::WatchedBus;

/// Opens `socketcan:IFACE`, such as `socketcan:can0`, and decides for each connection.
///
/// A link whose every field the kernel can honour goes through the kernel's ISO-TP, where that is
/// there: [`Config::linux_kernel`] describes such links, [`KernelOptions::for_link`](crate::KernelOptions::for_link)
/// has the list. Every other one, and so every one with the default configuration, has our own stack on
/// a raw socket. [`Connection::path`](isotp_driver::Connection::path) tells the way and the field that
/// decided, [`Connection::guarantees`](isotp_driver::Connection::guarantees) what that means; the crate
/// `log` gets a line for each.
///
/// | option | meaning |
/// |---|---|
/// | `guard=off` | as in [`KernelScheme`](crate::KernelScheme), for the links of the kernel |
///
/// Connections of one network hear each other, whichever way they go: the kernel hands what one socket
/// sends to all others on the interface, once, and the driver only hands on what our own stack sent,
/// and only to its own links. A second link on a pair of ids is refused, also where one of the two is
/// the kernel's and the other is not, and where the first belongs to another `socketcan:` or `kernel:`
/// network of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketCanScheme;

impl<R: Runtime> Scheme<R> for SocketCanScheme {
    fn name(&self) -> &'static str {
        "socketcan"
    }

    fn usage(&self) -> &'static str {
        "socketcan:IFACE"
    }

    fn open<'a>(
        &'a self,
        rest: &'a str,
        runtime: &'a R,
    ) -> BoxFuture<'a, Result<Backend, OpenError>> {
        Box::pin(core::future::ready(open(rest, runtime)))
    }
}

fn open<R: Runtime>(rest: &str, runtime: &R) -> Result<Backend, OpenError> {
    let parameters = Parameters::parse("socketcan", rest)?;
    let interface = parameters.interface.clone();
    let bus = RawBus::new(runtime, RawSocket::open(&interface)?)?;
    let path = Path::new(format!("socketcan:{interface}"));
    let (index, holder) = (
        crate::Interface::find(&interface)?.index(),
        Holder::new_bus(),
    );
    // without the kernel's ISO-TP, our own stack carries every link
    let kernel = KernelLinks::open(runtime, parameters);
    let watched = WatchedBus::new(bus, index, holder);
    let channels = Chooser {
        runtime: runtime.clone(),
        kernel: kernel.map_err(|error| error.to_string()),
        interface,
        index,
        holder,
    };
    Ok(Backend::bus(path, watched).and_channels(channels))
}

struct Chooser<R> {
    runtime: R,
    /// Or why there is none.
    kernel: Result<KernelLinks<R>, String>,
    interface: String,
    index: u32,
    /// Of the links of our own stack.
    holder: Holder,
}

impl<R: Runtime> Chooser<R> {
    async fn choose(&self, address: &Address, config: &Config) -> Result<Opened, ConnectError> {
        let reason = match &self.kernel {
            Ok(kernel) => match kernel.options(address, config) {
                Ok(options) => {
                    let honoured = "the kernel honours every field".to_owned();
                    match kernel.link(address, config, options, Some(honoured)).await {
                        // a kernel that cannot after all
                        Err(ConnectError::Backend(error)) => error.to_string(),
                        opened => return opened,
                    }
                }
                Err(obstacles) => obstacles,
            },
            Err(missing) => missing.clone(),
        };
        // the kernel's link on this pair, if there is one, would answer as well
        let permit = self.permit(address).await?;
        Ok(self.decline(address, &reason, permit))
    }

    async fn permit(&self, address: &Address) -> Result<Permit, ConnectError> {
        let claim = claim(&self.runtime, self.index, address, self.holder).await?;
        Ok(Permit::new(claim))
    }

    fn decline(&self, address: &Address, reason: &str, permit: Permit) -> Opened {
        let reason = format!("our own stack: {reason}");
        let (tx, rx) = (address.tx().id(), address.rx().id());
        log::info!("{tx} -> {rx}: socketcan:{} ({reason})", self.interface);
        Opened::Declined { reason, permit }
    }
}

impl<R: Runtime> Channels for Chooser<R> {
    fn open<'a>(
        &'a self,
        address: &'a Address,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        Box::pin(self.choose(address, config))
    }

    fn admit<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Permit, ConnectError>> {
        Box::pin(self.permit(address))
    }
}
