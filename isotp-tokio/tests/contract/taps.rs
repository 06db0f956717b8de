//! Taps: every frame, for logs.

use core::task::{Context, Poll};
use std::sync::{Arc, Mutex};

use isotp_tokio::driver::core::{Frame, Instant, TxToken};
use isotp_tokio::driver::{Arrival, Backend, Bus, Interest, Path, Taken};
use isotp_tokio::{BusError, Config, ConnectError, ConnectionError, FrameKind, Network, Tapped};

use crate::support::{Pair, address, id, nth_address, pair, play, poll_once, scripted, settle};

#[tokio::test(start_paused = true)]
async fn a_tap_sees_every_frame_once_in_order() {
    let (network, connection, mut peer) = scripted(Config::default()).await;
    let tap = network.tap(100).unwrap();
    settle().await;
    play(&mut peer, &[0x02, 1, 2]);
    peer.send_frame(isotp_tokio::driver::FrameView {
        id: id(0x123),
        kind: FrameKind::Classic,
        data: &[9],
    });
    connection.recv().await.unwrap();
    connection.send([3; 3]).await.unwrap();
    let seen: Vec<String> = core::iter::from_fn(|| tap.try_recv().unwrap())
        .map(|tapped| format!("{} {}", tapped.sent, tapped.frame))
        .collect();
    assert_eq!(
        seen,
        ["false 7E8#020102", "false 123#09", "true 7E0#03030303"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_tap_that_nobody_reads_is_bounded_and_counts_what_it_lost() {
    let Pair {
        network,
        tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    let tap = network.tap(10).unwrap();
    tester.send([0; 4095]).await.unwrap();
    ecu.recv().await.unwrap();
    for _ in 0..10 {
        assert_eq!(tap.try_recv().unwrap().unwrap().lost, 0);
    }
    assert!(tap.try_recv().unwrap().is_none());
    tester.send([0; 1]).await.unwrap();
    // first frame, flow control, 585 consecutive frames
    assert_eq!(tap.recv().await.unwrap().lost, 587 - 10);
}

#[tokio::test(start_paused = true)]
async fn a_tap_ends_with_its_network_and_does_not_keep_it() {
    let Pair {
        network,
        tester,
        ecu,
        bus: _bus,
    } = pair(Config::default(), Config::default()).await;
    let tap = network.tap(10).unwrap();
    assert!(poll_once(tap.recv()).is_pending());
    tester.send([1; 2]).await.unwrap();
    drop((network, tester, ecu));
    assert!(tap.recv().await.is_ok(), "what it has seen stays");
    assert!(matches!(tap.recv().await, Err(ConnectionError::Closed)));
    assert!(matches!(tap.try_recv(), Err(ConnectionError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_tap_is_forgotten_and_others_go_on() {
    let (network, connection, _peer) = scripted(Config::default()).await;
    let taps: Vec<_> = (0..3).map(|_| network.tap(10).unwrap()).collect();
    settle().await;
    let mut taps = taps.into_iter();
    let kept = taps.next();
    drop(taps);
    connection.send([1; 2]).await.unwrap();
    assert!(kept.unwrap().try_recv().unwrap().is_some());
    settle().await;
    // a link that begins later is seen as well
    let tap = network.tap(10).unwrap();
    let late = network
        .connect(nth_address(3), Config::default())
        .await
        .unwrap();
    late.send([5; 1]).await.unwrap();
    assert!(tap.try_recv().unwrap().is_some());
    assert_eq!(connection.address(), &address());
}

#[tokio::test(start_paused = true)]
async fn a_tap_of_more_frames_than_memory_holds_is_an_error() {
    let (network, connection, _peer) = scripted(Config::default()).await;
    let most = isize::MAX as usize;
    for capacity in [usize::MAX, most, most / size_of::<Tapped>()] {
        let error = network.tap(capacity).unwrap_err();
        assert!(
            matches!(error, ConnectError::NoMemory { capacity: told } if told == capacity),
            "{error}"
        );
    }
    connection.send([1; 2]).await.unwrap();
}

/// Writes down what it is told, in order.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Vec<&'static str>>>);

impl Notebook {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }
}

impl Bus for Notebook {
    fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
        Ok(Taken::Took)
    }

    fn flush(&mut self, _: Instant) -> Result<(), BusError> {
        self.note("flush");
        Ok(())
    }

    fn receive(&mut self, _: Instant, _: &mut Frame) -> Result<Option<Arrival>, BusError> {
        Ok(None)
    }

    fn poll_ready(&mut self, _: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        Poll::Pending
    }

    fn listen_to_all(&mut self, all: bool) {
        self.note(if all { "all" } else { "not all" });
    }
}

/// Filters are set in `flush`: who hears of a connection knows that a tap before it sees every frame.
#[tokio::test]
async fn a_tap_is_on_the_bus_before_a_later_connection() {
    let notebook = Notebook::default();
    let bus = Backend::bus(Path::new("notebook"), notebook.clone());
    let network = Network::with_backend(bus);
    // the driver hears of both at once
    let tap = network.tap(1).unwrap();
    let connection = network.connect(address(), Config::default()).await;
    assert_eq!(*notebook.0.lock().unwrap(), ["all", "flush"]);
    drop((tap, connection));
}
