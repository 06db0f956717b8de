//! The adapters as programs use them: networks of `isotp-tokio` that are opened by a string.

use isotp_tokio::{Config, Connection, ConnectionError, Event, Network, SendError};
use tokio::runtime::{Builder, Runtime};

use crate::deadline::{Deadline, within};
use crate::endpoint::Endpoint;
use crate::parameters::Parameters;

/// A connection, and the runtime that drives it while something is waited for.
#[derive(Debug)]
pub(crate) struct Adapter {
    connection: Connection,
    _network: Network,
    // last, so that what is above can still end in it
    runtime: Runtime,
}

impl Adapter {
    /// Our stack on a raw socket.
    pub(crate) fn raw(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let config = Config::from(parameters.config());
        Self::open(&format!("raw:{interface}"), parameters, config)
    }

    /// The kernel's stack.
    pub(crate) fn kernel(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let wanted = parameters.config();
        let mut config = Config::linux_kernel();
        config.protocol.kind = wanted.kind;
        config.protocol.transmit.tx_dl = wanted.transmit.tx_dl;
        config.protocol.transmit.pad_to_8 = wanted.transmit.pad_to_8;
        config.protocol.transmit.pad_byte = wanted.transmit.pad_byte;
        config.protocol.receive.block_size = wanted.receive.block_size;
        config.protocol.receive.st_min = wanted.receive.st_min;
        config.max_message = 65_535;
        Self::open(&format!("kernel:{interface}"), parameters, config)
    }

    fn open(string: &str, parameters: &Parameters, config: Config) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("a runtime: {error}"))?;
        let (network, connection) = runtime.block_on(async {
            let network = within(string, Network::open(string)).await?;
            let connection = network.connect(parameters.address, config);
            let connection = within("a connection", connection).await?;
            Ok::<_, String>((network, connection))
        })?;
        Ok(Self {
            connection,
            _network: network,
            runtime,
        })
    }

    async fn sent(&self, payload: &[u8]) -> Result<(), String> {
        match self.connection.send(payload).await {
            Ok(()) => Ok(()),
            Err(SendError::Failed(result)) => Err(result.name().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn received(&self) -> Result<Vec<u8>, String> {
        loop {
            match self.connection.next_event().await {
                Ok(Event::Message(message)) => return Ok(message.into_bytes()),
                Ok(Event::Failed(result)) => return Err(result.name().to_owned()),
                Ok(Event::FirstFrame { .. }) => {}
                Ok(event) => return Err(format!("{event:?}")),
                Err(ConnectionError::Bus(error)) => return Err(format!("the bus failed: {error}")),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn wait<T>(
        &self,
        what: &str,
        deadline: Deadline,
        future: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        self.runtime.block_on(deadline.of(what, future))
    }
}

impl Endpoint for Adapter {
    fn send(&mut self, payload: &[u8], deadline: Deadline) -> Result<(), String> {
        self.wait("a message to be sent", deadline, self.sent(payload))
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Vec<u8>, String> {
        self.wait("a message of the connection", deadline, self.received())
    }

    fn exchange(&mut self, payload: &[u8], deadline: Deadline) -> Result<Vec<u8>, String> {
        self.wait("messages both ways", deadline, async {
            let (sent, received) = tokio::join!(self.sent(payload), self.received());
            sent.and(received)
        })
    }
}
