//! What happens when nobody reads.

use futures_lite::future::zip;
use isotp_driver::{Config, Event, NResult};

use crate::world::{Pair, World, eventually};

fn short(world: &World, queue: usize) -> Config {
    Config {
        queue,
        ..world.impatient()
    }
}

pub(crate) async fn a_full_queue_makes_the_peer_wait_and_then_go_on(world: World) {
    let config = short(&world, 1);
    let n_br = config.protocol.timing.n_br;
    let Pair {
        network,
        tester,
        ecu,
    } = world.pair(Config::default(), config).await;
    let tap = network.tap(100).unwrap();
    tester.send([1; 20]).await.unwrap();
    let reader = async {
        let mut waits = Vec::new();
        while waits.len() < 4 {
            let tapped = tap.recv().await.unwrap();
            if tapped.sent && tapped.frame.view().data[0] == 0x31 {
                waits.push(tapped.at);
            }
        }
        for pair in waits.windows(2) {
            assert!(pair[1] - pair[0] >= n_br, "paced by N_Br: {waits:?}");
        }
        assert_eq!(ecu.recv().await.unwrap(), [1; 20]);
        assert_eq!(ecu.recv().await.unwrap(), [2; 20]);
    };
    zip(tester.send([2; 20]), reader).await.0.unwrap();
}

pub(crate) async fn a_queue_that_stays_full_fails_the_peer_and_loses_nothing_confirmed(
    world: World,
) {
    let mut config = short(&world, 2);
    config.protocol.receive.max_wait = 2;
    let Pair { tester, ecu, .. } = world.pair(world.hasty(), config).await;
    let mut confirmed = Vec::new();
    for n in 0..4 {
        match tester.send([n; 20]).await {
            Ok(()) => confirmed.push(n),
            Err(error) => assert_eq!(error.result(), Some(NResult::TimeoutBs)),
        }
    }
    assert_eq!(confirmed, [0, 1]);
    for n in confirmed {
        assert_eq!(ecu.recv().await.unwrap(), [n; 20]);
    }
    assert_eq!(ecu.try_recv().unwrap(), None);
    let overruns = [(NResult::WaitOverrun { limit: 2 }, 2)];
    assert_eq!(ecu.statistics().failed_to_receive, overruns);
}

/// So many WAITs, then N_WFT_OVRN here and silence there.
pub(crate) async fn after_n_wftmax_waits_there_is_silence(world: World) {
    let mut config = short(&world, 1);
    config.protocol.receive.max_wait = 3;
    let (_network, connection, mut peer) = world.scripted(config).await;
    peer.play(&[1, 7]);
    peer.play(&[0x10, 20, 1, 2, 3, 4, 5, 6]);
    for _ in 0..3 {
        assert_eq!(peer.heard().await, [0x31, 0, 0]);
    }
    eventually(|| !connection.statistics().failed_to_receive.is_empty()).await;
    connection.send([9]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 9]);
    assert_eq!(connection.recv().await.unwrap(), [7]);
    let begun = connection.next_event().await.unwrap();
    assert!(
        matches!(begun, Event::FirstFrame { size: 20, .. }),
        "{begun:?}"
    );
    let failed = connection.next_event().await.unwrap();
    assert_eq!(failed, Event::Failed(NResult::WaitOverrun { limit: 3 }));
    // the place is free again
    peer.play(&[0x10, 8, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
}

pub(crate) async fn single_frames_that_find_no_room_are_told_as_lost(world: World) {
    let (_network, connection, mut peer) = world.scripted(short(&world, 2)).await;
    for n in 0..5 {
        peer.play(&[1, n]);
    }
    eventually(|| connection.statistics().messages_lost == 3).await;
    for n in 0..2 {
        let event = connection.next_event().await.unwrap();
        let message = matches!(&event, Event::Message(message) if *message == [n]);
        assert!(message, "{event:?}");
    }
    assert_eq!(connection.next_event().await.unwrap(), Event::Lagged(3));
    peer.play(&[1, 9]);
    assert_eq!(connection.recv().await.unwrap(), [9]);
}

/// Clear to send is given for a place in the queue, and no other message gets it: not a functional one, which
/// may come in the middle.
pub(crate) async fn an_announced_message_keeps_its_place(world: World) {
    let network = world.network().await;
    let functional = world.address(1).rx().id();
    let address = world.address(0).with_functional_rx(functional).unwrap();
    let connection = network.connect(address, short(&world, 1)).await.unwrap();
    let mut peer = world.peer();
    for n in 0..3 {
        peer.play(&[0x10, 8, n, n, n, n, n, n]);
        assert_eq!(peer.heard().await, [0x30, 0, 0]);
        peer.play_on(functional, &[1, 0xFF]);
        peer.play(&[0x21, n, n]);
        assert_eq!(connection.recv().await.unwrap(), [n; 8]);
        assert_eq!(connection.statistics().messages_lost, u64::from(n) + 1);
    }
}

pub(crate) async fn a_peer_that_only_waits_is_given_up(world: World) {
    let mut config = world.config();
    config.protocol.transmit.max_wait = Some(3);
    let (_network, connection, mut peer) = world.scripted(config).await;
    let script = async {
        assert_eq!(peer.heard().await[..2], [0x10, 20]);
        for _ in 0..4 {
            peer.play(&[0x31, 0, 0]);
        }
    };
    let (sent, ()) = zip(connection.send([0; 20]), script).await;
    let overrun = NResult::WaitOverrun { limit: 3 };
    assert_eq!(sent.unwrap_err().result(), Some(overrun));
}
