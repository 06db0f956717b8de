//! Connection strings, and what they open.

use core::fmt;

use crate::bus::Bus;
use crate::channel::{BoxFuture, Channels};
use crate::error::OpenError;
use crate::guarantees::Path;
use crate::network::Network;
use crate::runtime::Runtime;

/// Opens the connection strings that begin with its name, such as `virtual:demo`.
///
/// Backends export one; a runtime's crate has a table of those that it was built with.
pub trait Scheme<R: Runtime>: Sync {
    /// What stands before the colon.
    fn name(&self) -> &'static str;

    /// How the whole string looks, for messages: `virtual:NAME`.
    fn usage(&self) -> &'static str;

    /// Opens what stands after the colon.
    ///
    /// # Errors
    /// [`OpenError`], which says what to write or to do instead.
    ///
    /// # Cancel safety
    /// Dropped, the future must leave nothing open.
    fn open<'a>(
        &'a self,
        rest: &'a str,
        runtime: &'a R,
    ) -> BoxFuture<'a, Result<Backend, OpenError>>;
}

/// What carries the messages of a network: a frame bus, message channels, or both.
///
/// Where there are both, the channels are asked first, and a link that they decline goes to the bus.
pub struct Backend {
    pub(crate) path: Path,
    pub(crate) bus: Option<Box<dyn Bus>>,
    pub(crate) channels: Option<Box<dyn Channels>>,
}

impl Backend {
    /// A frame bus.
    #[must_use]
    pub fn bus(path: Path, bus: impl Bus + 'static) -> Self {
        Self {
            path,
            bus: Some(Box::new(bus)),
            channels: None,
        }
    }

    /// Channels that carry whole messages.
    #[must_use]
    pub fn channels(path: Path, channels: impl Channels + 'static) -> Self {
        Self {
            path,
            bus: None,
            channels: Some(Box::new(channels)),
        }
    }

    /// Adds channels, which are asked before the bus.
    #[must_use]
    pub fn and_channels(mut self, channels: impl Channels + 'static) -> Self {
        self.channels = Some(Box::new(channels));
        self
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("path", &self.path)
            .field("bus", &self.bus.is_some())
            .field("channels", &self.channels.is_some())
            .finish()
    }
}

/// Opens a connection string with the schemes of a table, and starts the network.
///
/// # Errors
/// [`OpenError`]; for an unknown scheme it lists those of the table.
///
/// # Cancel safety
/// Dropped, it starts no network, and what the scheme had begun to open is dropped with it.
pub async fn open<R: Runtime>(
    runtime: &R,
    schemes: &[&dyn Scheme<R>],
    connection: &str,
) -> Result<Network, OpenError> {
    let (name, rest) = connection.split_once(':').unwrap_or((connection, ""));
    let Some(scheme) = schemes.iter().find(|scheme| scheme.name() == name) else {
        return Err(OpenError::UnknownScheme {
            scheme: name.to_owned(),
            known: schemes.iter().map(|scheme| scheme.usage()).collect(),
        });
    };
    if rest.is_empty() {
        return Err(OpenError::Parameter {
            connection: connection.to_owned(),
            problem: format!("nothing after {name:?}, expected {}", scheme.usage()),
        });
    }
    let backend = scheme.open(rest, runtime).await?;
    Ok(Network::start(runtime, backend))
}
