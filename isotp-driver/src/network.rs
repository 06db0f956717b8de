//! The handle of a network.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use isotp_core::{Address, Link, RxBuffer};

use crate::bus::NoBus;
use crate::channel::{Channels, Opened, Permit};
use crate::channel_driver::ChannelDriver;
use crate::collector::Collector;
use crate::config::Config;
use crate::connection::{Connection, Facts};
use crate::driver::{Buffer, Driver};
use crate::error::ConnectError;
use crate::guarantees::{Guarantees, Path};
use crate::hub::{Handle, Hub};
use crate::letting_go::OfUser;
use crate::line::Line;
use crate::runtime::{AnyRuntime, Runtime};
use crate::scheme::Backend;
use crate::statistics::{Counters, Statistics};
use crate::tap::{Feed, Tap};

/// A bus, and the connections on it. Clones are handles of the same network.
///
/// One task drives it. It ends when [`close`](Self::close) was called, when the bus fails, and when the
/// last handle is dropped: connections are handles too. The connections of one network hear each other.
#[derive(Clone)]
pub struct Network {
    handle: Handle,
    shared: Arc<Shared>,
}

struct Shared {
    path: Arc<Path>,
    runtime: Arc<dyn AnyRuntime>,
    /// What the frame bus told about itself, if there is one.
    bus: Option<BusFacts>,
    channels: Option<Box<dyn Channels>>,
    /// The driver tasks of channels. None is added under this lock once the network closes, and none
    /// is taken out before it has ended: whoever closes the network waits for all.
    tasks: Mutex<Vec<Weak<Hub>>>,
    /// The configuration that was used last: most connections have the same.
    config: Mutex<Arc<isotp_core::Config>>,
}

#[derive(Clone, Copy)]
pub(crate) struct BusFacts {
    confirms: bool,
    in_flight: u8,
    supports_fd: bool,
}

impl Network {
    /// Starts a network. Users call `open` or `with_bus` of their runtime's crate instead.
    pub fn start<R: Runtime>(runtime: &R, backend: Backend) -> Self {
        let Backend {
            path,
            bus,
            channels,
        } = backend;
        let counters = match channels {
            Some(_) => Counters::shared(),
            None => Counters::default(),
        };
        let hub = Hub::new(Arc::new(counters));
        let handle = Handle::new(hub.clone());
        let facts = bus.as_ref().map(|bus| BusFacts {
            confirms: bus.confirms(),
            in_flight: bus.in_flight(),
            supports_fd: bus.supports_fd(),
        });
        match bus {
            Some(bus) => runtime.spawn(Driver::new(runtime.clone(), bus, hub)),
            None => runtime.spawn(Driver::new(runtime.clone(), Box::new(NoBus), hub)),
        }
        Self {
            handle,
            shared: Arc::new(Shared {
                path: Arc::new(path),
                runtime: Arc::new(runtime.clone()),
                bus: facts,
                channels,
                tasks: Mutex::default(),
                config: Mutex::default(),
            }),
        }
    }

    /// A connection with the peer at `address`, whose `tx` half is what we send.
    ///
    /// # Errors
    /// [`ConnectError`]: the configuration makes no sense, the address is in use, the network is over.
    ///
    /// # Cancel safety
    /// Dropped, it leaves no connection behind.
    pub async fn connect(
        &self,
        address: Address,
        config: Config,
    ) -> Result<Connection, ConnectError> {
        self.open(address, config, None).await
    }

    /// The same, with a buffer of the caller's for segmented messages, such as one that writes them to
    /// a file. [`recv`](Connection::recv) then gives messages without bytes, which tell their
    /// [`size`](crate::Message::size).
    ///
    /// The buffer is called in the driver's task: it must not block for long. Where it says that it is
    /// not ready, it is asked again when N_Br has run out. It needs a frame bus: a backend that has both
    /// takes the bus for such a connection.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`ConnectError::Backend`] if there is no frame bus.
    ///
    /// # Cancel safety
    /// Dropped, it leaves no connection behind.
    pub async fn connect_into(
        &self,
        address: Address,
        config: Config,
        buffer: impl RxBuffer + Send + 'static,
    ) -> Result<Connection, ConnectError> {
        let buffer = Box::new(OfUser::new(buffer));
        self.open(address, config, Some(buffer)).await
    }

    /// Shows every frame from now on: received ones of any id, and sent ones. `capacity` frames wait to be
    /// taken at most, in memory that is reserved at once; those that find no room are counted. Whoever
    /// connects afterwards may rely on it: the tap sees what the new connection sees.
    ///
    /// # Errors
    /// [`ConnectError::Backend`] if the network has no frame bus, [`ConnectError::NoMemory`] if there is
    /// none for `capacity` frames, [`ConnectError::Network`] if the network is over.
    pub fn tap(&self, capacity: usize) -> Result<Tap, ConnectError> {
        if self.shared.bus.is_none() {
            let text = format!("{} carries whole messages and shows no frames", self.path());
            return Err(ConnectError::Backend(crate::BusError::new(text)));
        }
        let capacity = capacity.max(1);
        let feed = Feed::new(capacity).ok_or(ConnectError::NoMemory { capacity })?;
        let hub = self.handle.hub();
        hub.tap(feed.clone()).map_err(ConnectError::Network)?;
        Ok(Tap::new(feed, hub.clone()))
    }

    /// Sends what is queued on all connections, ends them, and returns when the driver has let go of the
    /// bus. Connections then answer
    /// [`ConnectionError::Closed`](crate::ConnectionError::Closed). A connection of which no data frame
    /// goes out for 10 seconds, since its peer says WAIT and nothing else, is given up; where a peer does
    /// not answer, each message that is queued for it takes N_Bs. A connection across TCP also waits until
    /// its server has read all and closed its end, for 10 seconds at most.
    ///
    /// # Cancel safety
    /// Dropped, the network goes on closing.
    pub async fn close(&self) {
        self.handle.hub().close();
        let channels = self.channel_hubs();
        channels.iter().for_each(|hub| hub.close());
        for hub in channels.into_iter().chain([self.handle.hub().clone()]) {
            Closer::over(hub).await;
        }
    }

    /// What all connections of the network did so far, those that are gone among them.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.handle.hub().counters().read()
    }

    /// Which way messages go, as the network was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn runtime(&self) -> &dyn AnyRuntime {
        &*self.shared.runtime
    }

    async fn open(
        &self,
        address: Address,
        config: Config,
        buffer: Option<Box<dyn RxBuffer + Send>>,
    ) -> Result<Connection, ConnectError> {
        config.check()?;
        let mut path = self.shared.path.clone();
        // dropped after what `join_bus` has, so that no link is ever without one
        let mut kept = Permit::default();
        if buffer.is_some() && self.shared.channels.is_some() {
            kept = self.admit(&address).await?;
            let reason = "whole messages do not go through a buffer of the caller's".to_owned();
            path = Arc::new(Path::new(path.name()).because(reason));
        } else if let Some(channels) = &self.shared.channels {
            self.refuse_if_over()?;
            self.dropped_channels_are_gone().await;
            let mut opened = channels.open(&address, &config).await;
            if self.may_be_free_soon(&opened) {
                self.dropped_links_are_gone().await;
                opened = channels.open(&address, &config).await;
            }
            match opened? {
                Opened::Channel {
                    channel,
                    guarantees,
                    path,
                } => {
                    let mut facts = self.facts(guarantees, Arc::new(path));
                    facts.max_send = channel.max_message();
                    return self.join_channel(channel, address, facts, &config);
                }
                Opened::Declined { reason, permit } => {
                    kept = permit;
                    path = Arc::new(Path::new(path.name()).because(reason));
                }
            }
        }
        let Some(bus) = self.shared.bus else {
            let reason = path.reason().unwrap_or("there is no bus for it");
            let text = format!("{}: {reason}", path.name());
            return Err(ConnectError::Backend(crate::BusError::new(text)));
        };
        let mut facts = self.facts(Guarantees::FULL, path);
        facts.bus = Some(bus);
        let connection = self.join_bus(bus, address, facts, &config, buffer).await;
        drop(kept);
        connection
    }

    /// Asks the channels, if there are any, whether a link may be on the bus.
    pub(crate) async fn admit(&self, address: &Address) -> Result<Permit, ConnectError> {
        let Some(channels) = &self.shared.channels else {
            return Ok(Permit::default());
        };
        self.dropped_channels_are_gone().await;
        let admitted = channels.admit(address).await;
        if !self.may_be_free_soon(&admitted) {
            return admitted;
        }
        self.dropped_links_are_gone().await;
        channels.admit(address).await
    }

    async fn join_bus(
        &self,
        bus: BusFacts,
        address: Address,
        facts: Facts,
        config: &Config,
        buffer: Option<Box<dyn RxBuffer + Send>>,
    ) -> Result<Connection, ConnectError> {
        let line = Line::new(self.handle.hub().clone(), address, config);
        let buffer = match buffer {
            Some(buffer) => Buffer::user(line.clone(), buffer),
            None => Buffer::growing(line.clone()),
        };
        self.join(bus, &line, address, config, buffer)?;
        let connection = Connection::new(line, self.handle.clone(), facts);
        connection.opened().await
    }

    /// A line for an answer to a functional request.
    pub(crate) fn join_request(
        &self,
        responder: Address,
        config: &Config,
        collector: Arc<Collector>,
    ) -> Result<Arc<Line>, ConnectError> {
        config.check()?;
        let Some(bus) = self.shared.bus else {
            let text = format!("{} has no functional requests", self.path());
            return Err(ConnectError::Backend(crate::BusError::new(text)));
        };
        let hub = self.handle.hub();
        let line = Line::temporary(hub.clone(), config, collector, responder);
        let buffer = Buffer::growing(line.clone());
        self.join(bus, &line, responder, config, buffer)?;
        Ok(line)
    }

    fn join(
        &self,
        bus: BusFacts,
        line: &Arc<Line>,
        address: Address,
        config: &Config,
        buffer: Buffer,
    ) -> Result<(), ConnectError> {
        let protocol = self.share(bus.protocol(config));
        let link = Link::with_spare(address, protocol, buffer, [[0; 62]; 2])?;
        let joined = self.handle.hub().join(line.clone(), Box::new(link));
        joined.map_err(ConnectError::Network)
    }

    fn join_channel(
        &self,
        channel: Box<dyn crate::MessageChannel>,
        address: Address,
        facts: Facts,
        config: &Config,
    ) -> Result<Connection, ConnectError> {
        let hub = Hub::new(self.handle.hub().counters().clone());
        let handle = Handle::new(hub.clone());
        let line = Line::new(hub.clone(), address, config);
        let mut tasks = lock(&self.shared.tasks);
        // it may have been closed while the channel was opened
        self.refuse_if_over()?;
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&hub));
        drop(tasks);
        let runtime = self.shared.runtime.clone();
        let task = ChannelDriver::new(runtime, channel, hub, line.clone());
        self.shared.runtime.spawn(Pin::from(Box::new(task)));
        Ok(Connection::new(line, handle, facts))
    }

    fn facts(&self, guarantees: Guarantees, path: Arc<Path>) -> Facts {
        Facts {
            guarantees,
            path,
            bus: None,
            max_send: u32::MAX,
            runtime: self.shared.runtime.clone(),
        }
    }

    /// Whether an address is refused that may be one of a link on the bus.
    fn may_be_free_soon<T>(&self, answer: &Result<T, ConnectError>) -> bool {
        let in_use = matches!(
            answer,
            Err(ConnectError::AddressInUse { .. } | ConnectError::FormatInUse { .. })
        );
        in_use && self.shared.bus.is_some()
    }

    /// Waits until the links of connections that were dropped have left the bus.
    async fn dropped_links_are_gone(&self) {
        // nobody says anything: it is over when the driver drops the other end
        let _ = self.handle.hub().settled().await;
    }

    /// A connection that was dropped makes way for a new one.
    async fn dropped_channels_are_gone(&self) {
        for hub in self.channel_hubs() {
            if hub.is_abandoned() {
                Closer::over(hub).await;
            }
        }
    }

    fn channel_hubs(&self) -> Vec<Arc<Hub>> {
        let tasks = lock(&self.shared.tasks);
        tasks.iter().filter_map(Weak::upgrade).collect()
    }

    fn refuse_if_over(&self) -> Result<(), ConnectError> {
        let refusal = self.handle.hub().refusal();
        refusal.map_or(Ok(()), |error| Err(ConnectError::Network(error)))
    }

    /// The same configuration takes memory once.
    fn share(&self, config: isotp_core::Config) -> Arc<isotp_core::Config> {
        let mut last = lock(&self.shared.config);
        if **last != config {
            *last = Arc::new(config);
        }
        last.clone()
    }
}

impl BusFacts {
    /// The protocol part of a configuration, as this bus wants it.
    pub(crate) fn protocol(&self, config: &Config) -> isotp_core::Config {
        config.protocol_for(self.confirms, self.in_flight)
    }

    /// Refuses what the bus cannot do.
    pub(crate) fn check(&self, config: &Config) -> Result<(), ConnectError> {
        config.check()?;
        if config.protocol.kind.is_fd() && !self.supports_fd {
            return Err(ConnectError::NoFd);
        }
        Ok(())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

/// Waits for the end of a driver.
struct Closer {
    hub: Arc<Hub>,
    key: Option<u64>,
}

impl Closer {
    async fn over(hub: Arc<Hub>) {
        let mut closer = Self { hub, key: None };
        poll_fn(|cx| closer.hub.poll_over(&mut closer.key, cx)).await;
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.hub.forget(self.key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
