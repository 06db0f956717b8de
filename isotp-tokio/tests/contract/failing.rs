use core::sync::atomic::{AtomicU32, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};

use isotp_tokio::driver::{Arrival, Frame, Instant, Interest, Taken, TxToken};
use isotp_tokio::{
    Bus, BusError, Cause, Config, ConnectError, ConnectionError, NResult, Network, OpenError,
    Payload, SendError,
};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_broken_bus_reaches_every_connection() {
    let bus = Moody::default();
    let state = Arc::clone(&bus.state);
    state.lock().unwrap().full = true;
    let network = Network::with_bus(bus);
    let a = network
        .connect(nth_address(0), Config::default())
        .await
        .unwrap();
    let b = network
        .connect(nth_address(1), Config::default())
        .await
        .unwrap();
    let breaks = async {
        settle().await;
        let mut state = state.lock().unwrap();
        state.broken = true;
        state.wake();
    };
    let (sent, received, ()) = tokio::join!(a.send([1]), b.recv(), breaks);
    assert!(matches!(
        sent,
        Err(SendError::Connection(ConnectionError::Bus(_)))
    ));
    let Err(ConnectionError::Bus(error)) = received else {
        panic!("a broken bus was not reported");
    };
    assert_eq!(error.to_string(), "the cable is out; put it in");
    let connected = network.connect(nth_address(2), Config::default()).await;
    assert!(matches!(
        connected,
        Err(ConnectError::Network(ConnectionError::Bus(_)))
    ));
    network.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_the_bus_never_takes_fails_its_message_only() {
    let bus = Moody::default();
    let state = Arc::clone(&bus.state);
    state.lock().unwrap().never = true;
    let network = Network::with_bus(bus);
    let connection = network.connect(address(), Config::default()).await.unwrap();
    let error = connection.send([1]).await.unwrap_err();
    assert_eq!(error.result(), Some(NResult::Error(Cause::Refused)));
    state.lock().unwrap().never = false;
    connection.send([1]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_makes_no_sense_is_refused_by_name() {
    let network = Network::with_bus(Moody::default());
    let refuse = async |config: Config| {
        let connected = network.connect(address(), config).await;
        connected.unwrap_err().to_string()
    };
    let mut config = Config::default();
    config.protocol.transmit.tx_dl = 10;
    assert!(refuse(config).await.contains("tx_dl is 10"));
    let config = Config {
        queue: 0,
        ..Config::default()
    };
    assert!(refuse(config).await.contains("queue is 0"));
    assert!(refuse(Config::fd(64, false)).await.contains("CAN FD"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_string_that_cannot_be_opened_says_what_can() {
    let unknown = Network::open("vitrual:demo").await.unwrap_err();
    assert!(matches!(unknown, OpenError::UnknownScheme { .. }));
    let unknown = unknown.to_string();
    assert!(
        unknown.contains("\"vitrual\"") && unknown.contains("virtual:NAME"),
        "{unknown}"
    );
    for missing in ["virtual", "virtual:", "virtual:?bitrate=1"] {
        let error = Network::open(missing).await.unwrap_err().to_string();
        assert!(error.contains("expected virtual:NAME"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn networks_with_one_name_share_a_bus() {
    let a = Network::open("virtual:shared-by-two").await.unwrap();
    let b = Network::open("virtual:shared-by-two").await.unwrap();
    let c = Network::open("virtual:another").await.unwrap();
    let tester = a.connect(address(), Config::default()).await.unwrap();
    let ecu = b
        .connect(address().reversed(), Config::default())
        .await
        .unwrap();
    let other = c
        .connect(address().reversed(), Config::default())
        .await
        .unwrap();
    tester.send([1; 100]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [1; 100]);
    assert_eq!(other.try_recv().unwrap(), None);
    assert_eq!(tester.path().name(), "virtual:shared-by-two");
    assert_eq!(tester.guarantees(), isotp_tokio::Guarantees::FULL);
}

#[tokio::test(start_paused = true)]
async fn a_first_frame_that_is_too_long_is_refused_and_costs_no_memory() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    play(&mut peer, &[0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#320000"]);
    assert_eq!(connection.try_recv().unwrap(), None);
}

/// Panics when its size is asked for the second time, which the driver does.
struct Panics(AtomicU32);

impl Payload for Panics {
    fn size(&self) -> u32 {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "a user's panic");
        5
    }

    fn copy_to(&mut self, _: u32, _: &mut [u8]) -> Option<usize> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_users_code_ends_every_wait() {
    let Pair {
        network, tester, ..
    } = pair(Config::default(), Config::default()).await;
    let waits = async {
        tokio::join!(
            tester.send_from(Panics(AtomicU32::new(0))),
            network.connect(nth_address(1), Config::default()),
            tester.recv(),
        )
    };
    let minute = core::time::Duration::from_secs(60);
    let ended = tokio::time::timeout(minute, waits).await;
    let (sent, joined, received) = ended.expect("something waits for ever");
    assert!(matches!(
        sent,
        Err(SendError::Connection(ConnectionError::Stopped))
    ));
    assert!(matches!(
        joined,
        Err(ConnectError::Network(ConnectionError::Stopped))
    ));
    assert!(matches!(received, Err(ConnectionError::Stopped)));
    network.close().await;
}

/// Breaks when it is told to, and panics when it is dropped.
struct Fragile(Arc<Mutex<Option<Waker>>>);

impl Bus for Fragile {
    fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
        Ok(Taken::Later)
    }

    fn receive(&mut self, _: Instant, _: &mut Frame) -> Result<Option<Arrival>, BusError> {
        match *self.0.lock().unwrap() {
            Some(_) => Ok(None),
            None => Err(BusError::new("it fell")),
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        match &mut *self.0.lock().unwrap() {
            Some(waker) => waker.clone_from(cx.waker()),
            None => return Poll::Ready(Ok(())),
        }
        Poll::Pending
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_panics_when_it_is_let_go_of_ends_everything_all_the_same() {
    let waker = Arc::new(Mutex::new(Some(Waker::noop().clone())));
    let network = Network::with_bus(Fragile(waker.clone()));
    let connection = network.connect(address(), Config::default()).await.unwrap();
    let falls = async {
        settle().await;
        waker
            .lock()
            .unwrap()
            .take()
            .into_iter()
            .for_each(Waker::wake);
    };
    let (sent, received, closed, ()) = tokio::join!(
        connection.send([1]),
        connection.recv(),
        network.close(),
        falls
    );
    assert!(sent.unwrap_err().to_string().contains("it fell"));
    assert!(received.unwrap_err().to_string().contains("it fell"));
    closed
}
