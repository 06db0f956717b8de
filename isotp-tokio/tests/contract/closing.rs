use core::time::Duration;
use std::sync::Arc;

use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Config, ConnectError, ConnectionError, Network, SendError, StMin};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn closing_a_connection_sends_what_is_queued() {
    let Pair { tester, ecu, .. } = pair(Config::default(), Config::default()).await;
    for n in 0..5 {
        tester.try_send([n; 50]).unwrap();
    }
    tester.close().await;
    for n in 0..5 {
        assert_eq!(ecu.try_recv().unwrap().unwrap(), [n; 50]);
    }
}

#[tokio::test(start_paused = true)]
async fn closing_a_network_flushes_and_then_answers_closed() {
    let Pair {
        network,
        tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    tester.try_send([1; 50]).unwrap();
    let waiting = async {
        assert_eq!(ecu.recv().await.unwrap(), [1; 50]);
        ecu.recv().await
    };
    let (received, ()) = tokio::join!(waiting, network.close());
    assert!(matches!(received, Err(ConnectionError::Closed)));
    let sent = tester.send([2]).await;
    assert!(matches!(
        sent,
        Err(SendError::Connection(ConnectionError::Closed))
    ));
    let connected = network.connect(nth_address(1), Config::default()).await;
    let expected = ConnectionError::Closed;
    assert!(
        matches!(connected, Err(ConnectError::Network(error)) if error.to_string() == expected.to_string())
    );
    network.close().await;
}

#[tokio::test(start_paused = true)]
async fn closing_ends_even_if_nobody_answers() {
    let (network, connection, _peer) = scripted(Config::default()).await;
    connection.try_send([1; 50]).unwrap();
    connection.try_send([2; 50]).unwrap();
    let start = tokio::time::Instant::now();
    network.close().await;
    let elapsed = start.elapsed().as_millis();
    assert!((2000..2010).contains(&elapsed), "two N_Bs: {elapsed} ms");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_stops_the_driver_in_any_order() {
    for order in 0..3 {
        let bus = Moody::default();
        let state = Arc::clone(&bus.state);
        let network = Network::with_bus(bus);
        let a = network
            .connect(nth_address(0), Config::default())
            .await
            .unwrap();
        let b = network
            .connect(nth_address(1), Config::default())
            .await
            .unwrap();
        let mut handles: [Box<dyn Send>; 3] = [Box::new(a), Box::new(network), Box::new(b)];
        handles.rotate_left(order);
        for handle in handles {
            settle().await;
            assert!(!state.lock().unwrap().dropped);
            drop(handle);
        }
        settle().await;
        assert!(
            state.lock().unwrap().dropped,
            "the driver still has the bus"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_works_without_the_network_handle() {
    let Pair {
        network,
        tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    drop(network);
    tester.send([1; 50]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [1; 50]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connection_gives_its_address_free_at_once() {
    let Pair {
        network, tester, ..
    } = pair(Config::default(), Config::default()).await;
    let refused = network
        .connect(address(), Config::default())
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ConnectError::AddressInUse { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("7E8"), "{refused}");
    drop(tester);
    let again = network.connect(address(), Config::default()).await;
    again.unwrap();
}

#[test]
fn a_runtime_that_is_shut_down_ends_every_wait() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let connection = first.block_on(async {
        let network = Network::with_bus(VirtualBus::default().port());
        network.connect(address(), Config::default()).await.unwrap()
    });
    drop(first);
    let received = second.block_on(connection.recv());
    assert!(matches!(received, Err(ConnectionError::Stopped)));
    let sent = second.block_on(connection.send([1]));
    assert!(matches!(
        sent,
        Err(SendError::Connection(ConnectionError::Stopped))
    ));
}

/// One that has sent all stays for what the others still have for it, be that long.
#[tokio::test(start_paused = true)]
async fn a_connection_that_has_sent_all_is_not_given_up_while_it_receives() {
    let network = Network::with_bus(VirtualBus::default().port());
    let mut slow = Config::default();
    slow.protocol.receive.st_min = StMin::at_least(Duration::from_millis(120)).unwrap();
    let sender = network.connect(address(), Config::default()).await.unwrap();
    let receiver = network.connect(address().reversed(), slow).await.unwrap();
    sender.try_send([0x55; 706]).unwrap();
    receiver.try_send([1]).unwrap();
    let began = tokio::time::Instant::now();
    let (received, ()) = tokio::join!(receiver.recv(), network.close());
    assert_eq!(received.unwrap(), [0x55; 706]);
    assert!(began.elapsed() > Duration::from_secs(11));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_wait_for_ever_holds_up_no_close() {
    for whole_network in [false, true] {
        let bus = VirtualBus::default();
        let peers = Network::with_bus(bus.port());
        let mut config = Config {
            queue: 1,
            ..Config::default()
        };
        config.protocol.receive.max_wait = 255;
        let peer = peers.connect(address().reversed(), config);
        let peer = peer.await.unwrap();
        let network = Network::with_bus(bus.port());
        // takes any number of WAITs
        let connection = network.connect(address(), Config::linux_kernel());
        let connection = connection.await.unwrap();
        let other = network.connect(nth_address(1), Config::default());
        let other = other.await.unwrap();
        // from now on there is no place
        connection.send([1]).await.unwrap();
        connection.try_send([7; 100]).unwrap();
        settle().await;
        let began = tokio::time::Instant::now();
        if whole_network {
            let sending = connection.send([8; 100]);
            let (sent, received, ()) = tokio::join!(sending, other.recv(), network.close());
            assert!(
                matches!(sent, Err(SendError::Connection(ConnectionError::Closed))),
                "{sent:?}"
            );
            assert!(matches!(received, Err(ConnectionError::Closed)));
        } else {
            connection.close().await;
            other.send([1]).await.unwrap();
            let again = network.connect(address(), Config::default());
            again.await.unwrap();
        }
        let needed = began.elapsed();
        assert!(needed >= Duration::from_secs(9), "{needed:?}");
        assert!(needed <= Duration::from_secs(11), "{needed:?}");
        assert_eq!(peer.recv().await.unwrap(), [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_is_slow_is_closed_when_it_is_over() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    connection.try_send([7; 2000]).unwrap();
    settle().await;
    let began = tokio::time::Instant::now();
    let closing = tokio::spawn(connection.close());
    // STmin 127 ms
    play(&mut peer, &[0x30, 0, 0x7F]);
    closing.await.unwrap();
    assert!(began.elapsed() > Duration::from_secs(35));
    let frames = heard(&mut peer);
    assert_eq!(frames.len(), 1 + (2000_usize - 6).div_ceil(7));
}
