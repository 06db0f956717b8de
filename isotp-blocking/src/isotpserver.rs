//! ISO-TP across TCP, as can-utils' `isotpserver` speaks it.
//!
//! The client is behind the connection string `isotpserver:HOST:PORT`, the server is [`Bridge`]:
//!
//! ```
//! use isotp_blocking::isotpserver::{Bridge, BridgeOptions};
//! use isotp_blocking::{Address, Config, Id, Network};
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let bus = Network::open("virtual:bench")?;
//! let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
//! let ecu = bus.connect(address.reversed(), Config::default())?;
//! let tester = bus.connect(address, Config::default())?;
//! let bridge = Bridge::listen("127.0.0.1:0", tester, BridgeOptions::default())?;
//!
//! let elsewhere = Network::open(&format!("isotpserver:{}", bridge.address()))?;
//! elsewhere.connect(address, Config::default())?.send([0x3E, 0x00])?;
//! assert_eq!(ecu.recv()?, [0x3E, 0x00]);
//! # Ok(()) }
//! ```

use std::io;

use futures_lite::future::block_on;
use isotp_driver::isotpserver;
pub use isotp_driver::isotpserver::{
    BridgeOptions, Decoder, IsotpServerScheme, MAX_MESSAGE, encode,
};

use crate::connection::Connection;
use crate::runtime::Threads;

/// A TCP server for one connection, which all its clients share; the thread that drives all networks
/// serves them. What a client gets, and when it is closed: [`isotpserver::Bridge`]. Dropped, the bridge
/// closes its clients and its connection.
#[derive(Debug)]
#[must_use = "it stops when it is dropped"]
pub struct Bridge(isotpserver::Bridge);

impl Bridge {
    /// Listens on `address`, such as `127.0.0.1:20000`; port 0 lets the system choose.
    ///
    /// # Errors
    /// The address cannot be listened on, or the system gives no thread. The connection is closed then.
    pub fn listen(
        address: &str,
        connection: Connection,
        options: BridgeOptions,
    ) -> io::Result<Self> {
        let (threads, connection) = (Threads::start()?, connection.into_inner());
        let listen = isotpserver::Bridge::listen(&threads, address, connection, options);
        block_on(listen).map(Self)
    }

    /// Takes no more clients and nothing more from those that there are, sends the message of each that is
    /// under way, and gives them what was received; returns when that is done and the connection is closed.
    /// What stands still for 10 seconds is given up.
    pub fn close(self) {
        block_on(self.0.close());
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        self.0.address()
    }
}
