//! Another configuration for an open connection.

use std::sync::Arc;

use super::Connection;
use crate::bus::BusError;
use crate::config::Config;
use crate::error::ConnectError;
use crate::line::{Change, Line};

impl Connection {
    /// Replaces the configuration, whole, at the next moment when nothing is being sent or received on
    /// this connection; returns when that has happened.
    ///
    /// Messages that wait to be sent, and those queued meanwhile, wait for it and leave with the new
    /// configuration. A queue that becomes shorter loses nothing. What is being received goes on: where
    /// the peer sends without a pause between its messages, this takes until it makes one.
    ///
    /// ```
    /// # use isotp_driver::{Config, Connection, ConnectError, StMin};
    /// # async fn slow_down(connection: &Connection) -> Result<(), ConnectError> {
    /// let mut config = Config::uds();
    /// config.protocol.receive.st_min = StMin::at_least(core::time::Duration::from_millis(5))
    ///     .map_err(ConnectError::Config)?;
    /// connection.configure(config).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ConnectError::Config`], [`ConnectError::Queue`] and [`ConnectError::NoFd`] for what
    /// [`connect`](crate::Network::connect) would refuse; [`ConnectError::Backend`] where the messages go
    /// through a backend of their own, which is set up once (`kernel:`, `isotpserver:`);
    /// [`ConnectError::Network`] if the connection is over. The configuration is then the old one.
    ///
    /// # Cancel safety
    /// Dropped, it leaves the configuration as it is, or the change has happened already.
    pub async fn configure(&self, config: Config) -> Result<(), ConnectError> {
        let Some(bus) = self.facts.bus else {
            let text = format!(
                "{}: the backend is set up once; close the connection and connect with the new \
                 configuration",
                self.facts.path.name()
            );
            return Err(ConnectError::Backend(BusError::new(text)));
        };
        bus.check(&config)?;
        let protocol = bus.protocol(&config);
        let (change, outcome) = Change::new(config, protocol);
        self.line.ask(change)?;
        // dropped after the receiver: what it withdraws is then seen to be withdrawn
        let asked = Asked(&self.line);
        let outcome = outcome.await;
        drop(asked);
        outcome.unwrap_or_else(|_| Err(ConnectError::Network(self.line.end_reason())))
    }
}

/// A question to the driver. When nobody waits for the answer any more, it must look again.
struct Asked<'a>(&'a Arc<Line>);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}
