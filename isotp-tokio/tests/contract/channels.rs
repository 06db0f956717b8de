use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use isotp_tokio::driver::{
    Backend, BoxFuture, Channels, Guarantees, Incoming, MessageChannel, Opened, Path,
};
use isotp_tokio::{
    Address, BusError, Config, ConnectError, ConnectionError, NResult, Network, SendError,
};

use crate::support::*;

/// Lets the channels of a network go on.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    /// Opening and sending wait.
    shut: bool,
    opened: u32,
    wakers: Vec<Waker>,
}

impl Gate {
    fn shut(&self) {
        self.0.lock().unwrap().shut = true;
    }

    fn open(&self) {
        let mut state = self.0.lock().unwrap();
        state.shut = false;
        state.wakers.drain(..).for_each(Waker::wake);
    }

    fn opened(&self) -> u32 {
        self.0.lock().unwrap().opened
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.shut {
            state.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn network(&self) -> Network {
        Network::with_backend(Backend::channels(Path::new("gated"), self.clone()))
    }
}

impl Channels for Gate {
    fn open<'a>(
        &'a self,
        _: &'a Address,
        _: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        self.0.lock().unwrap().opened += 1;
        Box::pin(async move {
            core::future::poll_fn(|cx| self.poll(cx)).await;
            Ok(Opened::Channel {
                channel: Box::new(Gated(self.clone())),
                guarantees: Guarantees::NONE,
                path: Path::new("gated"),
            })
        })
    }
}

/// Sends into nothing.
struct Gated(Gate);

impl MessageChannel for Gated {
    fn poll_send(&mut self, cx: &mut Context<'_>, _: &[u8]) -> Poll<Result<NResult, BusError>> {
        self.0.poll(cx).map(|()| Ok(NResult::Ok))
    }

    fn cancel_send(&mut self) {}

    fn poll_receive(
        &mut self,
        _: &mut Context<'_>,
        _: &mut Vec<u8>,
    ) -> Poll<Result<Incoming, BusError>> {
        Poll::Pending
    }
}

fn is_closed<T>(connected: &Result<T, ConnectError>) -> bool {
    matches!(
        connected,
        Err(ConnectError::Network(ConnectionError::Closed))
    )
}

#[tokio::test(start_paused = true)]
async fn a_closed_network_opens_no_channel() {
    let gate = Gate::default();
    let network = gate.network();
    let before = network.connect(address(), Config::default()).await.unwrap();
    network.close().await;
    assert!(matches!(before.recv().await, Err(ConnectionError::Closed)));
    let after = network.connect(address(), Config::default()).await;
    assert!(is_closed(&after), "{after:?}");
    assert_eq!(gate.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_opens_while_its_network_closes_is_dropped() {
    let gate = Gate::default();
    let network = gate.network();
    gate.shut();
    let opens = async {
        settle().await;
        assert_eq!(gate.opened(), 1);
        network.close().await;
        gate.open();
    };
    let connect = network.connect(address(), Config::default());
    let (connected, ()) = tokio::join!(connect, opens);
    assert!(is_closed(&connected), "{connected:?}");
    drop((connected, network));
    settle().await;
    assert_eq!(Arc::strong_count(&gate.0), 1, "the channel is still there");
}

#[tokio::test(start_paused = true)]
async fn every_close_waits_until_the_channels_have_sent_what_is_queued() {
    let gate = Gate::default();
    let network = gate.network();
    let connection = network.connect(address(), Config::default()).await.unwrap();
    gate.shut();
    connection.try_send([1]).unwrap();
    let mut closes = [
        Box::pin(network.close()),
        Box::pin(network.close()),
        Box::pin(network.close()),
    ];
    let mut cx = Context::from_waker(Waker::noop());
    for close in &mut closes {
        assert!(close.as_mut().poll(&mut cx).is_pending());
    }
    settle().await;
    for close in &mut closes {
        assert!(close.as_mut().poll(&mut cx).is_pending(), "not sent yet");
    }
    let mut late = pin!(connection.send([2]));
    assert!(matches!(
        late.as_mut().poll(&mut cx),
        Poll::Ready(Err(SendError::Connection(ConnectionError::Closed)))
    ));
    gate.open();
    for close in closes {
        close.await;
    }
    assert_eq!(connection.queued(), 0);
}

#[tokio::test]
async fn a_backend_that_is_set_up_once_is_not_changed_and_counts_messages() {
    let network = Gate::default().network();
    let connection = network.connect(address(), Config::default()).await.unwrap();
    let refused = connection.configure(Config::uds()).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Backend(_)), "{refused}");
    assert!(refused.to_string().starts_with("gated: "), "{refused}");
    connection.send([1; 9]).await.unwrap();
    for counted in [connection.statistics(), network.statistics()] {
        assert_eq!((counted.messages_sent, counted.bytes_sent), (1, 9));
        assert_eq!((counted.frames_sent, counted.messages_received), (0, 0));
    }
}

/// Has one channel at a time, and closes it when it is told to.
#[derive(Clone, Default)]
struct Single {
    alive: Arc<()>,
    closed: Arc<tokio::sync::Notify>,
}

struct Only(Single);

impl Channels for Single {
    fn open<'a>(
        &'a self,
        address: &'a Address,
        _: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        let id = address.rx().id();
        // the network has one, and this is the other
        let opened = match Arc::strong_count(&self.alive) {
            1 => Ok(Opened::Channel {
                channel: Box::new(Only(self.clone())),
                guarantees: Guarantees::NONE,
                path: Path::new("single"),
            }),
            _ => Err(ConnectError::AddressInUse { id }),
        };
        Box::pin(core::future::ready(opened))
    }
}

impl MessageChannel for Only {
    fn poll_send(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<Result<NResult, BusError>> {
        Poll::Ready(Ok(NResult::Ok))
    }

    fn cancel_send(&mut self) {}

    fn poll_receive(
        &mut self,
        _: &mut Context<'_>,
        _: &mut Vec<u8>,
    ) -> Poll<Result<Incoming, BusError>> {
        Poll::Pending
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.0.closed.notified().await })
    }
}

#[tokio::test]
async fn a_dropped_channel_makes_way_for_the_next() {
    let network = Network::with_backend(Backend::channels(Path::new("single"), Single::default()));
    for _ in 0..5 {
        let connection = network.connect(address(), Config::default()).await.unwrap();
        let other = network.connect(address(), Config::default()).await;
        assert!(matches!(other, Err(ConnectError::AddressInUse { .. })));
        drop(connection);
    }
}

#[tokio::test]
async fn close_returns_when_the_channel_is_closed_and_a_network_waits_for_that() {
    for whole in [false, true] {
        let single = Single::default();
        let closed = single.closed.clone();
        let network = Network::with_backend(Backend::channels(Path::new("single"), single));
        let connection = network.connect(address(), Config::default()).await.unwrap();
        let mut closing: core::pin::Pin<Box<dyn Future<Output = ()>>> = if whole {
            Box::pin(network.close())
        } else {
            Box::pin(connection.close())
        };
        assert!(poll_pinned(closing.as_mut()).is_pending());
        settle().await;
        assert!(
            poll_pinned(closing.as_mut()).is_pending(),
            "it is still there"
        );
        closed.notify_one();
        closing.await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_takes_nothing_holds_up_no_close() {
    for whole_network in [false, true] {
        let gate = Gate::default();
        let network = gate.network();
        let connection = network.connect(address(), Config::default());
        let connection = connection.await.unwrap();
        gate.shut();
        connection.try_send([1]).unwrap();
        let began = tokio::time::Instant::now();
        if whole_network {
            let (sent, ()) = tokio::join!(connection.send([2]), network.close());
            assert!(
                matches!(sent, Err(SendError::Connection(ConnectionError::Closed))),
                "{sent:?}"
            );
        } else {
            connection.close().await;
        }
        let needed = began.elapsed();
        assert!(needed >= Duration::from_secs(9), "{needed:?}");
        assert!(needed <= Duration::from_secs(11), "{needed:?}");
    }
}
