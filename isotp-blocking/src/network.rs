//! Networks for threads.

use isotp_driver::isotpserver::IsotpServerScheme;
use isotp_driver::{
    Address, Backend, Bus, Config, ConnectError, OpenError, Path, Scheme, Statistics,
};
#[cfg(target_os = "linux")]
use isotp_socketcan::{KernelScheme, RawScheme, SocketCanScheme};
use isotp_virtual::VirtualScheme;

use crate::connection::Connection;
use crate::runtime::Threads;

/// A bus, and the connections on it. Clones are handles of the same network.
#[derive(Clone, Debug)]
pub struct Network(isotp_driver::Network);

impl Network {
    /// Opens a connection string, such as `virtual:demo`.
    ///
    /// # Errors
    /// [`OpenError`], which lists what can be opened, or says what is missing and how to get it.
    pub fn open(connection: &str) -> Result<Self, OpenError> {
        let threads = start()?;
        let network =
            futures_lite::future::block_on(isotp_driver::open(&threads, SCHEMES, connection))?;
        Ok(Self(network))
    }

    /// A network on a bus that exists already.
    ///
    /// # Errors
    /// The system gives no thread to drive it.
    pub fn with_bus(bus: impl Bus + 'static) -> Result<Self, OpenError> {
        Self::with_backend(Backend::bus(Path::new("bus"), bus))
    }

    /// A network on anything that carries messages.
    ///
    /// # Errors
    /// The system gives no thread to drive it.
    pub fn with_backend(backend: Backend) -> Result<Self, OpenError> {
        let network = isotp_driver::Network::start(&start()?, backend);
        Ok(Self(network))
    }

    /// A connection with the peer at `address`, whose `tx` half is what we send.
    ///
    /// # Errors
    /// [`ConnectError`]: the configuration makes no sense, the address is in use, the network is over.
    pub fn connect(&self, address: Address, config: Config) -> Result<Connection, ConnectError> {
        let connection = futures_lite::future::block_on(self.0.connect(address, config))?;
        Ok(Connection::new(connection))
    }

    /// Sends what is queued on all connections, ends them, and returns when the bus is let go of.
    pub fn close(&self) {
        futures_lite::future::block_on(self.0.close());
    }

    /// What all its connections did so far, those that are gone among them.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }

    /// The asynchronous network, for what is not here: handlers, taps, functional requests. Any executor
    /// drives its futures, such as `futures_lite::future::block_on`.
    #[must_use]
    pub const fn inner(&self) -> &isotp_driver::Network {
        &self.0
    }
}

fn start() -> Result<Threads, OpenError> {
    Threads::start().map_err(|error| OpenError::Io {
        doing: "starting the thread that drives networks".to_owned(),
        error,
    })
}

/// What this crate was built with.
const SCHEMES: &[&dyn Scheme<Threads>] = &[
    &VirtualScheme,
    &IsotpServerScheme,
    #[cfg(target_os = "linux")]
    &RawScheme,
    #[cfg(target_os = "linux")]
    &KernelScheme,
    #[cfg(target_os = "linux")]
    &SocketCanScheme,
];
