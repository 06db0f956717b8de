//! Addresses that channels and the bus of one network must not both have.

use core::task::{Context, Poll};
use std::sync::{Arc, Mutex};

use isotp_tokio::driver::core::{Frame, Instant, TxToken};
use isotp_tokio::driver::{
    Arrival, Backend, BoxFuture, Bus, Channels, Interest, Opened, Path, Permit, Taken,
};
use isotp_tokio::{Address, BusError, Config, ConnectError, Network, RequestError};

use crate::support::*;

/// Channels that decline, a bus that takes everything, and who has the one address.
#[derive(Clone, Default)]
struct Arbiter(Arc<Mutex<Holders>>);

#[derive(Default)]
struct Holders {
    permits: u32,
    links: u32,
    /// Something else has it.
    taken: bool,
}

/// Held by whoever connects.
struct Held(Arbiter);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().permits -= 1;
    }
}

impl Arbiter {
    fn network(&self) -> Network {
        let backend = Backend::bus(Path::new("arbiter"), self.clone());
        Network::with_backend(backend.and_channels(self.clone()))
    }

    fn permit(&self, address: &Address) -> Result<Permit, ConnectError> {
        let mut holders = self.0.lock().unwrap();
        if holders.taken || holders.permits + holders.links > 0 {
            let id = address.rx().id();
            return Err(ConnectError::AddressInUse { id });
        }
        holders.permits += 1;
        Ok(Permit::new(Held(self.clone())))
    }

    /// Permits, and links on the bus.
    fn holders(&self) -> (u32, u32) {
        let holders = self.0.lock().unwrap();
        (holders.permits, holders.links)
    }
}

impl Channels for Arbiter {
    fn open<'a>(
        &'a self,
        address: &'a Address,
        _: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        let opened = self.permit(address).map(|permit| Opened::Declined {
            reason: "it always does".to_owned(),
            permit,
        });
        Box::pin(core::future::ready(opened))
    }

    fn admit<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<Permit, ConnectError>> {
        Box::pin(core::future::ready(self.permit(address)))
    }
}

impl Bus for Arbiter {
    fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
        Ok(Taken::Took)
    }

    fn receive(&mut self, _: Instant, _: &mut Frame) -> Result<Option<Arrival>, BusError> {
        Ok(None)
    }

    fn poll_ready(&mut self, _: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        Poll::Pending
    }

    fn connected(&mut self, _: &Address) {
        self.0.lock().unwrap().links += 1;
    }

    fn disconnected(&mut self, _: &Address) {
        self.0.lock().unwrap().links -= 1;
    }
}

fn is_in_use<T>(answer: &Result<T, ConnectError>) -> bool {
    matches!(answer, Err(ConnectError::AddressInUse { .. }))
}

#[tokio::test]
async fn an_address_is_kept_until_the_bus_knows_of_the_link() {
    let arbiter = Arbiter::default();
    let network = arbiter.network();
    let mut first = Box::pin(network.connect(address(), Config::default()));
    assert!(poll_pinned(first.as_mut()).is_pending());
    assert_eq!(arbiter.holders(), (1, 0), "on its way");
    // the one that came later, whoever is ready first
    let second = network.connect(address(), Config::default()).await;
    assert!(is_in_use(&second), "{second:?}");
    assert_eq!(arbiter.holders(), (1, 1), "nobody had it in between");
    let connection = first.await.unwrap();
    assert_eq!(arbiter.holders(), (0, 1));
    assert!(is_in_use(
        &network.connect(address(), Config::default()).await
    ));
    connection.close().await;
    assert_eq!(arbiter.holders(), (0, 0));
}

#[tokio::test]
async fn a_connect_that_is_dropped_half_way_keeps_nothing() {
    let mut steps = 0;
    loop {
        let arbiter = Arbiter::default();
        let network = arbiter.network();
        let mut connect = Box::pin(network.connect(address(), Config::default()));
        let mut ready = false;
        for _ in 0..=steps {
            ready = ready || poll_pinned(connect.as_mut()).is_ready();
            tokio::task::yield_now().await;
        }
        drop(connect);
        assert_eq!(arbiter.holders().0, 0, "after {steps} steps");
        // at once, though the driver has not heard yet
        let next = network.connect(address(), Config::default()).await.unwrap();
        assert_eq!(arbiter.holders(), (0, 1), "after {steps} steps");
        next.close().await;
        assert_eq!(arbiter.holders(), (0, 0), "after {steps} steps");
        if ready {
            break;
        }
        steps += 1;
        assert!(steps < 20, "connect is never ready");
    }
    assert!(steps > 0, "it was ready at once");
}

#[tokio::test]
async fn a_dropped_connection_makes_way_at_once() {
    let arbiter = Arbiter::default();
    let network = arbiter.network();
    for _ in 0..5 {
        let connection = network.connect(address(), Config::default()).await.unwrap();
        drop(connection);
        assert_eq!(arbiter.holders(), (0, 1), "the driver has not heard yet");
    }
    network.close().await;
    assert_eq!(arbiter.holders(), (0, 0));
}

#[tokio::test]
async fn functional_requests_ask_too() {
    let arbiter = Arbiter::default();
    let network = arbiter.network();
    let responder = address().with_functional_tx(id(0x7DF)).unwrap();
    let window = core::time::Duration::from_millis(1);
    let ask = || network.request_functional([responder], Config::default(), [0x3E, 0], window);
    arbiter.0.lock().unwrap().taken = true;
    let refused = ask().await;
    let expected = matches!(
        &refused,
        Err(RequestError::Connect(ConnectError::AddressInUse { .. }))
    );
    assert!(expected, "{refused:?}");
    assert_eq!(arbiter.holders(), (0, 0));
    arbiter.0.lock().unwrap().taken = false;
    let answers = ask().await.unwrap();
    assert_eq!(arbiter.holders(), (0, 1));
    assert!(is_in_use(
        &network.connect(address(), Config::default()).await
    ));
    drop(answers);
    network.connect(address(), Config::default()).await.unwrap();
}
