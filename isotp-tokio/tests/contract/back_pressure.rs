use core::time::Duration;

use isotp_tokio::{Cause, Config, Event, NResult};

use crate::support::*;

fn small_queue(queue: usize) -> Config {
    Config {
        queue,
        ..Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_the_peer_wait_and_then_go_on() {
    let Pair {
        tester, ecu, bus, ..
    } = pair(Config::default(), small_queue(1)).await;
    let (_tap, frames) = record(&bus);
    tester.send([1; 20]).await.unwrap();
    let waits = || {
        let frames = frames.lock().unwrap();
        frames.iter().filter(|frame| *frame == "7E8#310000").count()
    };
    let reader = async {
        tokio::time::sleep(Duration::from_millis(450)).await;
        assert_eq!(waits(), 4, "paced by N_Br");
        assert_eq!(ecu.recv().await.unwrap(), [1; 20]);
        assert_eq!(ecu.recv().await.unwrap(), [2; 20]);
    };
    let start = tokio::time::Instant::now();
    let (sent, ()) = tokio::join!(tester.send([2; 20]), reader);
    sent.unwrap();
    // the place that came free was used at once, not at the next N_Br
    assert_eq!(start.elapsed().as_millis(), 450);
    assert_eq!(waits(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stays_full_ends_in_n_wft_ovrn_and_loses_nothing_confirmed() {
    let Pair {
        tester, ecu, bus, ..
    } = pair(Config::default(), small_queue(2)).await;
    let (_tap, frames) = record(&bus);
    let mut confirmed = 0;
    for n in 0..4 {
        match tester.send([n; 20]).await {
            Ok(()) => confirmed += 1,
            Err(error) => assert_eq!(error.result(), Some(NResult::TimeoutBs)),
        }
    }
    assert_eq!(confirmed, 2);
    let frames = frames.lock().unwrap().clone();
    let waits = frames.iter().filter(|frame| *frame == "7E8#310000").count();
    assert_eq!(waits, 2 * 16, "N_WFTmax for each of the two that failed");
    assert_eq!(ecu.recv().await.unwrap(), [0; 20]);
    assert_eq!(ecu.recv().await.unwrap(), [1; 20]);
    assert_eq!(ecu.try_recv().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn without_wait_a_full_queue_ends_the_reception_at_the_first_n_br() {
    let mut config = small_queue(1);
    config.protocol.receive.max_wait = 0;
    let Pair { tester, ecu, .. } = pair(Config::default(), config).await;
    tester.send([1]).await.unwrap();
    let error = tester.send([2; 20]).await.unwrap_err();
    assert_eq!(error.result(), Some(NResult::TimeoutBs));
    assert_eq!(ecu.recv().await.unwrap(), [1]);
    let announced = ecu.next_event().await.unwrap();
    assert_eq!(
        announced,
        Event::FirstFrame {
            size: 20,
            source: 0xE0
        }
    );
    let failed = ecu.next_event().await.unwrap();
    assert_eq!(failed, Event::Failed(NResult::WaitOverrun { limit: 0 }));
    // the place is free again
    tester.send([3; 20]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [3; 20]);
}

#[tokio::test(start_paused = true)]
async fn single_frames_that_find_the_queue_full_are_dropped_and_counted() {
    let Pair { tester, ecu, .. } = pair(Config::default(), small_queue(2)).await;
    for n in 0..5 {
        tester.send([n]).await.unwrap();
    }
    for n in 0..2 {
        let Event::Message(message) = ecu.next_event().await.unwrap() else {
            panic!("expected message {n}");
        };
        assert_eq!(message, [n]);
    }
    assert_eq!(ecu.next_event().await.unwrap(), Event::Lagged(3));
    tester.send([9]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [9]);
}

#[tokio::test(start_paused = true)]
async fn an_announced_message_keeps_its_place_against_single_frames() {
    let (_network, connection, mut peer) = scripted(small_queue(1)).await;
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300000"]);
    play(&mut peer, &[0x21, 7, 8]);
    play(&mut peer, &[0x01, 0xFF]);
    settle().await;
    let first = connection.next_event().await.unwrap();
    assert_eq!(
        first,
        Event::FirstFrame {
            size: 8,
            source: 0xE8
        }
    );
    assert_eq!(connection.recv().await.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(connection.next_event().await.unwrap(), Event::Lagged(1));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_only_waits_is_given_up() {
    let mut config = Config::default();
    config.protocol.transmit.max_wait = Some(3);
    let (_network, connection, mut peer) = scripted(config).await;
    let script = async {
        for _ in 0..4 {
            settle().await;
            play(&mut peer, &[0x31, 0, 0]);
        }
    };
    let (sent, ()) = tokio::join!(connection.send([0; 20]), script);
    let overrun = NResult::WaitOverrun { limit: 3 };
    assert_eq!(sent.unwrap_err().result(), Some(overrun));
}

#[tokio::test(start_paused = true)]
async fn an_aborted_reception_is_over_and_the_next_message_comes() {
    let (_network, connection, mut peer) = scripted(small_queue(1)).await;
    connection.abort_receive();
    settle().await;
    play(&mut peer, &[0x10, 20, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300000"]);
    connection.abort_receive();
    settle().await;
    for frame in [[0x21; 8], [0x22; 8]] {
        play(&mut peer, &frame);
    }
    settle().await;
    let begun = connection.next_event().await.unwrap();
    assert!(matches!(begun, Event::FirstFrame { size: 20, .. }));
    let failed = connection.next_event().await.unwrap();
    assert_eq!(failed, Event::Failed(NResult::Error(Cause::Aborted)));
    // the only place of the queue is free again
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300000"]);
    play(&mut peer, &[0x21, 7, 8]);
    assert_eq!(connection.recv().await.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
}
