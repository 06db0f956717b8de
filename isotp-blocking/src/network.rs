//! Networks for threads.

use core::time::Duration;

use futures_lite::future::block_on;
use isotp_driver::isotpserver::IsotpServerScheme;
use isotp_driver::{
    Address, Backend, Bus, Config, ConnectError, OpenError, Path, RequestError, RxBuffer, Scheme,
    Statistics,
};
#[cfg(target_os = "linux")]
use isotp_socketcan::{KernelScheme, RawScheme, SocketCanScheme};
use isotp_virtual::VirtualScheme;

use crate::connection::Connection;
use crate::responses::Responses;
use crate::runtime::Threads;
use crate::tap::Tap;

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
        let network = block_on(isotp_driver::open(&threads, SCHEMES, connection))?;
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
        let connection = block_on(self.0.connect(address, config))?;
        Ok(Connection::new(connection))
    }

    /// The same, with a buffer of the caller's for segmented messages, such as one that writes them to a
    /// file; see [`connect_into`](isotp_driver::Network::connect_into). The thread that drives all networks
    /// calls it: the buffer must not block for long.
    ///
    /// # Errors
    /// As there.
    pub fn connect_into(
        &self,
        address: Address,
        config: Config,
        buffer: impl RxBuffer + Send + 'static,
    ) -> Result<Connection, ConnectError> {
        let connection = block_on(self.0.connect_into(address, config, buffer))?;
        Ok(Connection::new(connection))
    }

    /// Shows every frame from now on: received ones of any id, and sent ones. `capacity` frames wait to be
    /// taken at most, in memory that is reserved at once; those that find no room are counted.
    ///
    /// # Errors
    /// [`ConnectError::Backend`] if the network has no frame bus, [`ConnectError::NoMemory`] if there is
    /// none for `capacity` frames, [`ConnectError::Network`] if the network is over.
    pub fn tap(&self, capacity: usize) -> Result<Tap, ConnectError> {
        self.0.tap(capacity).map(Tap::new)
    }

    /// Sends one functional message, returns when it is on the bus, and gives the answers of all
    /// responders as they come. Answers that begin within `window` from then are collected; who may be a
    /// responder is told by [`request_functional`](isotp_driver::Network::request_functional).
    ///
    /// ```
    /// # use isotp_blocking::{Address, Config, Id, Network};
    /// # fn main() -> Result<(), Box<dyn core::error::Error>> {
    /// let network = Network::open("virtual:obd")?;
    /// let ecu = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
    /// let ecu = ecu.with_functional_tx(Id::standard(0x7DF)?)?;
    /// let window = core::time::Duration::from_millis(50);
    /// let answers = network.request_functional([ecu], Config::obd(), [0x01, 0x00], window)?;
    /// for answer in answers {
    ///     println!("{}: {:02X?}", answer.responder.rx().id(), answer.outcome?.as_ref());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RequestError::NoResponders`] without any, [`RequestError::Connect`] if an address or the
    /// configuration cannot be had, [`RequestError::Send`] if the request was not sent.
    pub fn request_functional(
        &self,
        responders: impl IntoIterator<Item = Address>,
        config: Config,
        request: impl Into<Vec<u8>>,
        window: Duration,
    ) -> Result<Responses, RequestError> {
        let request = self
            .0
            .request_functional(responders, config, request, window);
        block_on(request).map(Responses::new)
    }

    /// Sends what is queued on all connections, ends them, and returns when the bus is let go of.
    pub fn close(&self) {
        block_on(self.0.close());
    }

    /// What all its connections did so far, those that are gone among them.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }

    /// Which way messages go, as the network was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The asynchronous network, for what is not here. Any executor drives its futures, such as
    /// `futures_lite::future::block_on`.
    ///
    /// Its handlers (`serve`) run in the thread that drives all networks of this crate, and must not block
    /// it: neither for long, nor in a call of this crate. A handler that may block is a thread of yours that
    /// loops over [`recv`](Connection::recv).
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
