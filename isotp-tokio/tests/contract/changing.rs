use core::time::Duration;

use isotp_tokio::{Config, ConnectError, ConnectionError, Network, SendError, StMin};

use crate::support::*;

/// BS 4, padded.
fn other() -> Config {
    let mut config = Config::uds();
    config.protocol.receive.block_size = 4;
    config
}

#[tokio::test(start_paused = true)]
async fn another_configuration_holds_for_what_comes_after_it() {
    let Pair {
        tester, ecu, bus, ..
    } = pair(Config::default(), Config::default()).await;
    let (_tap, frames) = record(&bus);
    ecu.configure(other()).await.unwrap();
    tester.send([1; 9]).await.unwrap();
    ecu.send([2]).await.unwrap();
    let expected = [
        "7E0#1009010101010101",
        "7E8#300400CCCCCCCCCC",
        "7E0#21010101",
        "7E8#0102CCCCCCCCCCCC",
    ];
    assert_eq!(*frames.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_keeps_its_configuration_and_those_behind_it_get_the_new_one() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    connection.try_send([1; 9]).unwrap();
    connection.try_send([2; 2]).unwrap();
    settle().await;
    let change = connection.configure(other());
    tokio::pin!(change);
    assert!(poll_pinned(change.as_mut()).is_pending());
    settle().await;
    assert!(
        poll_pinned(change.as_mut()).is_pending(),
        "a message is on its way"
    );
    play(&mut peer, &[0x30, 0, 0]);
    change.await.unwrap();
    settle().await;
    let expected = [
        "7E0#1009010101010101",
        "7E0#21010101",
        "7E0#020202CCCCCCCCCC",
    ];
    assert_eq!(heard(&mut peer), expected);
}

#[tokio::test(start_paused = true)]
async fn a_reception_keeps_its_configuration_to_its_end() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    play(&mut peer, &[0x10, 9, 1, 2, 3, 4, 5, 6]);
    settle().await;
    let change = connection.configure(other());
    tokio::pin!(change);
    assert!(poll_pinned(change.as_mut()).is_pending());
    settle().await;
    assert!(poll_pinned(change.as_mut()).is_pending());
    assert_eq!(heard(&mut peer), ["7E0#300000"]);
    play(&mut peer, &[0x21, 7, 8, 9]);
    change.await.unwrap();
    assert_eq!(
        connection.recv().await.unwrap(),
        [1, 2, 3, 4, 5, 6, 7, 8, 9]
    );
    play(&mut peer, &[0x10, 9, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300400CCCCCCCCCC"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_does_not_hold_a_change_up() {
    let short = Config {
        max_message: 8,
        ..Config::default()
    };
    let (_network, connection, mut peer) = scripted(short).await;
    play(&mut peer, &[0x10, 9, 1, 2, 3, 4, 5, 6]);
    connection.configure(Config::default()).await.unwrap();
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#320000"]);
    play(&mut peer, &[0x10, 9, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300000"], "the limit is the new one");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_change_changes_nothing_and_holds_nothing_up() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    connection.try_send([1; 9]).unwrap();
    settle().await;
    assert!(poll_once(connection.configure(other())).is_pending());
    connection.try_send([2; 2]).unwrap();
    play(&mut peer, &[0x30, 0, 0]);
    settle().await;
    let expected = ["7E0#1009010101010101", "7E0#21010101", "7E0#020202"];
    assert_eq!(heard(&mut peer), expected);
}

#[tokio::test(start_paused = true)]
async fn the_queues_and_listening_only_change_too() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    let mut config = Config::default();
    (config.queue, config.send_queue) = (1, 1);
    config.protocol.receive.listen_only = true;
    connection.configure(config.clone()).await.unwrap();
    let refused = connection.send([1]).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused(_)), "{refused}");
    for byte in 0..3 {
        play(&mut peer, &[1, byte]);
    }
    settle().await;
    assert_eq!(connection.recv().await.unwrap(), [0]);
    assert_eq!(
        connection.try_recv().unwrap(),
        None,
        "one place is one place"
    );
    config.protocol.receive.listen_only = false;
    connection.configure(config).await.unwrap();
    connection.try_send([1; 9]).unwrap();
    assert!(
        connection.try_send([2]).is_err(),
        "the send queue has one place"
    );
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_and_the_old_configuration_stays() {
    let network = Network::with_bus(Moody::default());
    let connection = network.connect(address(), Config::default()).await.unwrap();
    let wrong = |change: fn(&mut Config)| {
        let mut config = other();
        change(&mut config);
        config
    };
    let outcomes = [
        connection.configure(wrong(|config| config.queue = 0)).await,
        connection
            .configure(wrong(|config| config.protocol.transmit.tx_dl = 9))
            .await,
        connection.configure(Config::fd(64, true)).await,
    ];
    assert!(matches!(
        outcomes[0],
        Err(ConnectError::Queue { field: "queue" })
    ));
    assert!(matches!(outcomes[1], Err(ConnectError::Config(_))));
    assert!(matches!(outcomes[2], Err(ConnectError::NoFd)));
}

#[tokio::test(start_paused = true)]
async fn a_change_ends_with_its_connection() {
    let bus = Moody::default();
    let mood = bus.state.clone();
    let network = Network::with_bus(bus);
    let connection = network.connect(address(), Config::default()).await.unwrap();
    mood.lock().unwrap().full = true;
    connection.try_send([1; 9]).unwrap();
    settle().await;
    let change = connection.configure(other());
    tokio::pin!(change);
    assert!(poll_pinned(change.as_mut()).is_pending());
    mood.lock().unwrap().broken = true;
    settle().await;
    for outcome in [change.await, connection.configure(other()).await] {
        let lost = matches!(outcome, Err(ConnectError::Network(ConnectionError::Bus(_))));
        assert!(lost, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn st_min_changes_between_messages_of_a_running_exchange() {
    let Pair { tester, ecu, .. } = pair(Config::default(), Config::default()).await;
    let time = async || {
        let start = tokio::time::Instant::now();
        tester.send([7; 6 + 7 * 10]).await.unwrap();
        ecu.recv().await.unwrap();
        start.elapsed()
    };
    assert_eq!(time().await, Duration::ZERO);
    let mut slow = Config::default();
    slow.protocol.receive.st_min = StMin::at_least(Duration::from_millis(5)).unwrap();
    ecu.configure(slow).await.unwrap();
    // tokio's paused clock may add a millisecond to each
    assert!((9 * 5..=9 * 6).contains(&time().await.as_millis()));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_waits_does_not_touch_the_next_connection_in_its_place() {
    let (network, first, _peer) = scripted(Config::default()).await;
    first.try_send([0; 100]).unwrap();
    let mut change = Box::pin(first.configure(other()));
    assert!(poll_pinned(change.as_mut()).is_pending());
    settle().await;
    drop(change);
    // one that the driver hears of together with the end of its connection
    assert!(poll_once(first.configure(other())).is_pending());
    drop(first);
    let second = network.connect(nth_address(1), Config::default());
    let second = second.await.unwrap();
    second.send([1]).await.unwrap();
    second.configure(other()).await.unwrap();
}
