//! Where a case runs: under which runtime, on which way.

use core::any::Any;
use core::fmt;
use core::future::Future;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use async_io::Timer;
use futures_lite::future;
use isotp_driver::isotpserver::BridgeOptions;
use isotp_driver::{Address, Backend, Bus, Config, Connection, Guarantees, Id, Network, Path};
use isotp_virtual::VirtualBus;

use crate::peer::{Node, Peer};
use crate::under::{Runner, Under};

/// Which way messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The own stack, on a bus in memory.
    Virtual,
    /// The own stack, on a raw socket of this interface.
    Raw(String),
    /// The kernel's stack, on this interface.
    Kernel(String),
    /// Our client of `isotpserver`, across TCP to our server, whose connection is on a bus in memory.
    Isotpserver,
}

impl Way {
    /// What its connections must promise: docs/contract.md has the table.
    #[must_use]
    pub fn guarantees(&self) -> Guarantees {
        match self {
            Self::Virtual | Self::Raw(_) => Guarantees::FULL,
            Self::Kernel(_) => Guarantees::NONE.with(|kernel| {
                kernel.confirmation = true;
                kernel.address = true;
            }),
            Self::Isotpserver => Guarantees::NONE,
        }
    }
}

/// One case's own part of the world: its ids are used by no other.
#[derive(Clone)]
pub struct World {
    pub(crate) runner: Runner,
    pub(crate) way: Way,
    bus: VirtualBus,
    number: u32,
    /// Lives as long as the case.
    kept: Arc<Mutex<Vec<Box<dyn Any + Send>>>>,
}

/// Two connections that talk to each other. Both are of the network, but with isotpserver, where the second
/// is at the other end of the bridge.
pub(crate) struct Pair {
    pub(crate) network: Network,
    pub(crate) tester: Connection,
    pub(crate) ecu: Connection,
}

impl World {
    /// A part of it that nobody had.
    #[must_use]
    pub fn new<U: Under>(way: Way) -> Self {
        Self {
            runner: Runner::of::<U>(),
            way,
            bus: VirtualBus::default(),
            number: number(),
            kept: Arc::default(),
        }
    }

    /// Another part of the same world, for a case that needs more than one.
    pub(crate) fn another(&self) -> Self {
        Self {
            bus: VirtualBus::default(),
            number: number(),
            kept: Arc::default(),
            ..self.clone()
        }
    }

    /// Runs a case in it.
    ///
    /// # Panics
    /// When the case fails, or takes longer than anything in it may.
    pub async fn run<F: Future<Output = ()>>(self, case: fn(Self) -> F) {
        let late = async {
            Timer::after(LIMIT).await;
            panic!("nothing happened for {LIMIT:?}")
        };
        future::or(case(self.clone()), late).await;
    }

    /// A network on a backend of the case's own.
    pub(crate) fn start(&self, bus: impl Bus + 'static) -> Network {
        (self.runner.start)(Backend::bus(Path::new("contract"), bus))
    }

    /// Another network on the bus. None is that of a bridge.
    pub(crate) async fn network(&self) -> Network {
        match &self.way {
            Way::Virtual => self.bus_network(),
            Way::Raw(interface) => self.open(format!("raw:{interface}")).await,
            Way::Kernel(interface) => self.open(format!("kernel:{interface}")).await,
            Way::Isotpserver => self.bridge().await.0,
        }
    }

    /// A network on the bus in memory.
    pub(crate) fn bus_network(&self) -> Network {
        self.start(self.bus.port())
    }

    async fn open(&self, connection: String) -> Network {
        (self.runner.open)(connection).await.unwrap()
    }

    /// A network of a client of a bridge, and the network that the bridge's connection is on.
    pub(crate) async fn bridge(&self) -> (Network, Network) {
        let far = self.bus_network();
        let connection = far.connect(self.address(0), wide(Config::default())).await;
        let options = BridgeOptions::default();
        let bridge = (self.runner.listen)(connection.unwrap(), options)
            .await
            .unwrap();
        let near = self.open(format!("isotpserver:{}", bridge.address())).await;
        self.keep(bridge);
        (near, far)
    }

    /// Two connections that talk to each other.
    pub(crate) async fn pair(&self, tester: Config, ecu: Config) -> Pair {
        let (network, far) = match self.way {
            Way::Isotpserver => self.bridge().await,
            _ => {
                let network = self.network().await;
                (network.clone(), network)
            }
        };
        let address = self.address(0);
        let ecu = far.connect(address.reversed(), ecu).await.unwrap();
        let tester = network.connect(address, tester).await.unwrap();
        if self.way == Way::Isotpserver {
            tester.send(HELLO).await.unwrap();
            assert_eq!(ecu.recv().await.unwrap(), HELLO);
        }
        Pair {
            network,
            tester,
            ecu,
        }
    }

    /// A connection, and a node that plays its peer.
    pub(crate) async fn scripted(&self, config: Config) -> (Network, Connection, Peer) {
        let network = self.network().await;
        let (connection, mut peer) = (network.connect(self.address(0), config).await, self.peer());
        let connection = connection.unwrap();
        if self.way == Way::Isotpserver {
            connection.send(HELLO).await.unwrap();
            assert_eq!(peer.heard().await[1..], HELLO);
        }
        (network, connection, peer)
    }

    /// The driver has taken in all that was left for it until now.
    pub(crate) async fn is_served(&self, network: &Network) {
        let connection = network.connect(self.address(0xFFF), self.config()).await;
        drop(connection.unwrap());
    }

    /// Plays the peer of the first address.
    pub(crate) fn peer(&self) -> Peer {
        self.peer_of(0)
    }

    pub(crate) fn peer_of(&self, n: u32) -> Peer {
        let address = self.address(n);
        let functional = address.functional_tx().map(|half| half.id());
        let hears = functional.into_iter().chain([address.tx().id()]);
        Peer::new(self.node(), address.rx().id(), hears.collect())
    }

    fn node(&self) -> Node {
        match &self.way {
            Way::Virtual | Way::Isotpserver => Node::Port(self.bus.port()),
            #[cfg(target_os = "linux")]
            Way::Raw(interface) | Way::Kernel(interface) => {
                let socket = isotp_socketcan::RawSocket::open(interface).unwrap();
                Node::Socket(async_io::Async::new(socket).unwrap())
            }
            #[cfg(not(target_os = "linux"))]
            Way::Raw(_) | Way::Kernel(_) => panic!("{:?} is for Linux", self.way),
        }
    }

    /// The `n`th of many addresses, all with one functional id where the way has those.
    pub(crate) fn address(&self, n: u32) -> Address {
        let id = |kind: u32, n| Id::extended(kind << 24 | self.number << 12 | n).unwrap();
        let address = Address::normal(id(1, n), id(2, n)).unwrap();
        if self.way.guarantees().functional {
            return address.with_functional_tx(id(3, 0)).unwrap();
        }
        address
    }

    /// What the way can honour, and no more.
    pub(crate) fn config(&self) -> Config {
        match self.way {
            Way::Kernel(_) => Config::linux_kernel(),
            _ => Config::default(),
        }
    }

    /// Short timers where the way has some, so that what fails does so soon.
    pub(crate) fn hasty(&self) -> Config {
        let mut config = self.impatient();
        if self.way.guarantees().timing {
            // an emulated machine takes its time
            let short = match self.way {
                Way::Virtual => 200,
                _ => 500,
            };
            config.protocol.timing.n_bs = Duration::from_millis(short);
            config.protocol.timing.n_cr = Duration::from_millis(short);
        }
        config
    }

    /// WAITs come soon one after the other.
    pub(crate) fn impatient(&self) -> Config {
        let mut config = self.config();
        if self.way.guarantees().timing {
            config.protocol.timing.n_br = Duration::from_millis(10);
        }
        config
    }

    /// Keeps something to the end of the case.
    pub(crate) fn keep(&self, what: impl Any + Send) {
        self.kept.lock().unwrap().push(Box::new(what));
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("way", &self.way)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// One that nobody has.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) % 0x1000
}

/// With room for a hundred messages each way.
pub(crate) fn wide(config: Config) -> Config {
    Config {
        queue: 100,
        send_queue: 100,
        ..config
    }
}

/// Waits for what no event tells, such as a count. What never comes is ended by the limit of the case.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    while !holds() {
        future::yield_now().await;
    }
}

/// What tells that the server has accepted the client, who gets nothing of what came before.
const HELLO: [u8; 2] = [0xEE, 0xEE];
const LIMIT: Duration = Duration::from_secs(20);
