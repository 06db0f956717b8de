//! Networks under async-std.

use core::ops::Deref;

use isotp_driver::isotpserver::IsotpServerScheme;
use isotp_driver::{Backend, Bus, OpenError, Path, Scheme};
#[cfg(target_os = "linux")]
use isotp_socketcan::{KernelScheme, RawScheme, SocketCanScheme};
use isotp_virtual::VirtualScheme;

use crate::runtime::AsyncStd;

/// A bus, and the connections on it: [`isotp_driver::Network`] with the ways to open it under async-std.
///
/// One task drives it. It ends when [`close`](isotp_driver::Network::close) was called, when the
/// bus fails, and when the last handle is dropped; connections are handles too.
#[derive(Clone, Debug)]
pub struct Network(isotp_driver::Network);

impl Network {
    /// Opens a connection string, such as `virtual:demo`.
    ///
    /// # Errors
    /// [`OpenError`], which lists what can be opened, or says what is missing and how to get it.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing open.
    pub async fn open(connection: &str) -> Result<Self, OpenError> {
        let network = isotp_driver::open(&AsyncStd, SCHEMES, connection).await?;
        Ok(Self(network))
    }

    /// A network on a bus that exists already.
    #[must_use]
    pub fn with_bus(bus: impl Bus + 'static) -> Self {
        Self::with_backend(Backend::bus(Path::new("bus"), bus))
    }

    /// A network on anything that carries messages.
    #[must_use]
    pub fn with_backend(backend: Backend) -> Self {
        Self(isotp_driver::Network::start(&AsyncStd, backend))
    }
}

impl Deref for Network {
    type Target = isotp_driver::Network;
    fn deref(&self) -> &isotp_driver::Network {
        &self.0
    }
}

/// What this crate was built with.
const SCHEMES: &[&dyn Scheme<AsyncStd>] = &[
    &VirtualScheme,
    &IsotpServerScheme,
    #[cfg(target_os = "linux")]
    &RawScheme,
    #[cfg(target_os = "linux")]
    &KernelScheme,
    #[cfg(target_os = "linux")]
    &SocketCanScheme,
];
