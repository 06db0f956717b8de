//! What a send promises.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;

use futures_lite::future::{or, zip};
use isotp_driver::{Cause, Config, Event, NResult, StMin, TrySendError};

use crate::buses::Cable;
use crate::points::Begun;
use crate::world::{Pair, World, eventually, wide};

pub(crate) async fn outcomes_are_those_of_their_messages(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    let failed = connection.send([1; 9]).await.unwrap_err();
    assert_eq!(failed.result(), Some(NResult::TimeoutBs));
    connection.send([2]).await.unwrap();
    assert_eq!(peer.heard().await[..2], [0x10, 9]);
    assert_eq!(peer.heard().await, [1, 2]);
    let answered = async {
        peer.heard().await;
        peer.play(&[0x32, 0, 0]);
    };
    let (overflow, ()) = zip(connection.send([3; 9]), answered).await;
    let overflow = overflow.unwrap_err().result();
    assert_eq!(overflow, Some(NResult::BufferOverflow));
    connection.send([4]).await.unwrap();
}

pub(crate) async fn a_send_is_over_when_its_last_frame_is_on_the_bus(world: World) {
    let cable = Cable::default();
    cable.hold();
    let network = world.start(cable.clone());
    let connection = network
        .connect(world.address(0), Config::default())
        .await
        .unwrap();
    let sending = Begun::new(connection.send([1]));
    eventually(|| cable.held() == 1).await;
    // the driver looks at everything once more
    network
        .connect(world.address(1), Config::default())
        .await
        .unwrap();
    assert!(!sending.is_woken(), "the bus has not confirmed it");
    cable.let_go();
    sending.end().await.unwrap();
}

pub(crate) async fn messages_leave_in_the_order_in_which_they_were_sent(world: World) {
    let config = wide(world.config());
    let Pair { tester, ecu, .. } = world.pair(config.clone(), config).await;
    for n in 0..100 {
        // single frames and segmented messages in turn
        let len = if n % 2 == 0 { 3 } else { 30 };
        tester.try_send(vec![n; len]).unwrap();
    }
    for n in 0..100 {
        assert_eq!(ecu.recv().await.unwrap()[0], n);
    }
}

/// However many wait, and in whatever order they are polled afterwards.
pub(crate) async fn sends_leave_in_the_order_of_their_first_poll(world: World) {
    let config = wide(world.config());
    let Pair { tester, ecu, .. } = world.pair(config.clone(), config).await;
    let mut sends: Vec<Pin<Box<dyn Future<Output = bool> + Send>>> = Vec::new();
    for n in 0..30_u8 {
        let message = vec![n; if n % 3 == 0 { 3 } else { 20 }];
        let send = tester.send(message);
        sends.push(Box::pin(async { send.await.is_ok() }));
    }
    let mut first = true;
    poll_fn(|cx| {
        sends.retain_mut(|send| match send.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(sent) => {
                assert!(sent);
                false
            }
        });
        if core::mem::take(&mut first) {
            sends.reverse();
        }
        if sends.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    for n in 0..30 {
        assert_eq!(ecu.recv().await.unwrap()[0], n);
    }
}

pub(crate) async fn both_directions_go_at_once(world: World) {
    let Pair { tester, ecu, .. } = world.pair(world.config(), world.config()).await;
    for n in 0..20 {
        let (there, back) = zip(tester.send([n; 500]), ecu.send([n + 100; 400])).await;
        there.and(back).unwrap();
        assert_eq!(ecu.recv().await.unwrap(), [n; 500]);
        assert_eq!(tester.recv().await.unwrap(), [n + 100; 400]);
    }
}

/// Both halves of a message wait for the other side: neither is in the way of the other.
pub(crate) async fn a_reception_goes_on_while_a_message_is_sent(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    let script = async {
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
        peer.play(&[0x10, 8, 1, 2, 3, 4, 5, 6]);
        assert_eq!(peer.heard().await[0], 0x30);
        peer.play(&[0x21, 7, 8]);
        let received = connection.recv().await.unwrap();
        assert_eq!(received, [1, 2, 3, 4, 5, 6, 7, 8]);
        peer.play(&[0x30, 0, 0]);
    };
    zip(connection.send([7; 9]), script).await.0.unwrap();
}

/// None is shorter than asked for, and the runtime's own timer is not all there is: some are shorter than a
/// millisecond. On a busy machine it may take some messages until one is.
pub(crate) async fn separation_times_below_a_millisecond_are_kept(world: World) {
    let st_min = Duration::from_micros(300);
    let mut config = Config::default();
    config.protocol.receive.st_min = StMin::at_least(st_min).unwrap();
    let pair = world.pair(Config::default(), config).await;
    let tap = pair.network.tap(100).unwrap();
    let mut least = Vec::new();
    for _ in 0..20 {
        pair.tester.send([7; 6 + 7 * 40]).await.unwrap();
        pair.ecu.recv().await.unwrap();
        let (mut before, mut gaps) = (None, Vec::new());
        while let Some(tapped) = tap.try_recv().unwrap() {
            if tapped.sent && tapped.frame.view().data[0] >> 4 == 2 {
                gaps.extend(before.map(|before| tapped.at - before));
                before = Some(tapped.at);
            }
        }
        assert_eq!(gaps.len(), 39);
        let shortest = gaps.into_iter().min().unwrap();
        assert!(shortest >= st_min, "{shortest:?}");
        if shortest < Duration::from_millis(1) || cfg!(not(target_os = "linux")) {
            return;
        }
        least.push(shortest);
    }
    panic!("the shortest of each message: {least:?}");
}

pub(crate) async fn a_full_send_queue_refuses_and_gives_the_message_back(world: World) {
    let config = Config {
        send_queue: 2,
        ..world.config()
    };
    let (_network, connection, _peer) = world.scripted(config).await;
    connection.try_send([1; 9]).unwrap();
    connection.try_send([2; 9]).unwrap();
    assert_eq!(connection.queued(), 2);
    match connection.try_send([3; 9]) {
        Err(TrySendError::Full(back)) => {
            assert_eq!(back.into_bytes(), Some(vec![3; 9]));
        }
        other => panic!("{other:?}"),
    }
}

/// Between what else happened, where it happened.
pub(crate) async fn a_failed_try_send_is_told(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    peer.play(&[1, 1]);
    let first = connection.next_event().await.unwrap();
    assert!(
        matches!(&first, Event::Message(message) if *message == [1]),
        "{first:?}"
    );
    connection.try_send([2; 9]).unwrap();
    let failed = connection.next_event().await.unwrap();
    assert_eq!(failed, Event::SendFailed(NResult::TimeoutBs));
    peer.play(&[1, 3]);
    assert_eq!(connection.recv().await.unwrap(), [3]);
}

/// One goes out while a segmented one waits for its flow control, which it does not take the place of.
pub(crate) async fn a_functional_message_neither_waits_nor_is_waited_for(world: World) {
    let (_network, connection, mut peer) = world.scripted(Config::default()).await;
    let script = async {
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
        connection.send_functional([0x3E, 0]).await.unwrap();
        let functional = peer.frame().await;
        assert_eq!(functional.view().data, [2, 0x3E, 0]);
        let address = world.address(0);
        assert_eq!(functional.view().id, address.functional_tx().unwrap().id());
        peer.play(&[0x30, 0, 0]);
        assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
    };
    zip(connection.send([1; 9]), script).await.0.unwrap();
}

pub(crate) async fn another_configuration_holds_for_what_comes_after_it(world: World) {
    let (_network, connection, mut peer) = world.scripted(Config::default()).await;
    connection.try_send([1; 9]).unwrap();
    peer.heard().await;
    let changing = Begun::new(connection.configure(Config::uds()));
    peer.play(&[0x10, 9, 1, 2, 3, 4, 5, 6]);
    let answer = peer.heard().await;
    assert_eq!(
        answer,
        [0x30, 0, 0],
        "without padding: a message is on its way"
    );
    assert!(!changing.is_woken());
    peer.play(&[0x21, 7, 8, 9]);
    peer.play(&[0x30, 0, 0]);
    changing.end().await.unwrap();
    connection.send([2]).await.unwrap();
    assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
    let padded = [1, 2, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC];
    assert_eq!(peer.heard().await, padded);
}

pub(crate) async fn both_ends_count_the_same(world: World) {
    let Pair {
        network,
        tester,
        ecu,
    } = world.pair(Config::default(), Config::default()).await;
    tester.send([1; 20]).await.unwrap();
    ecu.recv().await.unwrap();
    let (sent, received) = (tester.statistics(), ecu.statistics());
    let counted = (sent.messages_sent, sent.bytes_sent, sent.frames_sent);
    assert_eq!(counted, (1, 20, 3));
    let counted = (received.messages_received, received.bytes_received);
    assert_eq!(counted, (1, 20));
    // the last frame's own count may come a moment later
    eventually(|| network.statistics().frames_received >= 4).await;
    assert_eq!(network.statistics().frames_sent, 4);
}

/// And what nobody else hears, such as a functional message that its own sender listens to.
pub(crate) async fn connections_of_a_network_hear_each_other_and_never_themselves(world: World) {
    let network = world.network().await;
    let functional = world.address(0).functional_tx().unwrap().id();
    let mut connections = Vec::new();
    for n in 0..3 {
        let address = world.address(n).with_functional_rx(functional).unwrap();
        connections.push(network.connect(address, Config::default()).await.unwrap());
    }
    for (n, sender) in connections.iter().enumerate() {
        sender.send_functional([n as u8]).await.unwrap();
        for (m, other) in connections.iter().enumerate() {
            if n != m {
                let message = other.recv().await.unwrap();
                assert!(message.is_functional());
                assert_eq!(message, [n as u8]);
            }
        }
    }
    for connection in &connections {
        assert_eq!(connection.try_recv().unwrap(), None);
    }
}

/// An aborted one is counted, as what it is.
pub(crate) async fn a_dropped_send_ends_its_transfer(world: World) {
    let (_network, connection, mut peer) = world.scripted(Config::default()).await;
    let begun = async {
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
    };
    let sending = async {
        connection.send([1; 9]).await.unwrap();
    };
    or(sending, begun).await;
    connection.send([2]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 2]);
    let aborted = NResult::Error(Cause::Aborted);
    assert_eq!(connection.statistics().failed_to_send, [(aborted, 1)]);
}
