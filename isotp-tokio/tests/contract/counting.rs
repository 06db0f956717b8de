use isotp_tokio::driver::Ignored;
use isotp_tokio::{Config, NResult, Statistics};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn both_ends_count_the_same_messages_and_frames() {
    let Pair {
        network,
        tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    tester.send([1; 20]).await.unwrap();
    tester.send([2; 3]).await.unwrap();
    settle().await;
    let (sent, received) = (tester.statistics(), ecu.statistics());
    // first frame, two consecutive frames, a single frame; and one flow control back
    assert_eq!((sent.frames_sent, sent.frames_received), (4, 1));
    assert_eq!((received.frames_sent, received.frames_received), (1, 4));
    assert_eq!((sent.messages_sent, sent.bytes_sent), (2, 23));
    assert_eq!(
        (received.messages_received, received.bytes_received),
        (2, 23)
    );
    drop((tester, ecu));
    settle().await;
    let all = network.statistics();
    assert_eq!((all.frames_sent, all.frames_received), (5, 5));
    assert_eq!((all.messages_sent, all.messages_received), (2, 2));
    assert!(all.failed_to_send.is_empty() && all.ignored.is_empty());
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_by_kind() {
    let (network, connection, mut peer) = scripted(Config::default()).await;
    for _ in 0..2 {
        let error = connection.send([1; 9]).await.unwrap_err();
        assert_eq!(error.result(), Some(NResult::TimeoutBs));
    }
    play(&mut peer, &[0x10, 20, 1, 2, 3, 4, 5, 6]);
    settle().await;
    play(&mut peer, &[0x22, 7, 8, 9, 10, 11, 12, 13]);
    settle().await;
    let wrong = NResult::WrongSn {
        expected: 1,
        received: 2,
    };
    for counted in [connection.statistics(), network.statistics()] {
        assert_eq!(counted.failed_to_send, [(NResult::TimeoutBs, 2)]);
        assert_eq!(counted.failed_to_receive, [(wrong, 1)]);
        assert_eq!(counted.messages_sent, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn ignored_frames_are_counted_by_reason_and_foreign_ones_by_the_network() {
    let (network, connection, mut peer) = scripted(Config::default()).await;
    for _ in 0..3 {
        play(&mut peer, &[0x40]);
    }
    play(&mut peer, &[0x21, 1]);
    let foreign = isotp_tokio::driver::FrameView {
        id: id(0x123),
        kind: isotp_tokio::FrameKind::Classic,
        data: &[1, 2],
    };
    assert!(peer.send_frame(foreign));
    settle().await;
    let counted = connection.statistics();
    let expected = [
        (Ignored::ReservedPci, 3),
        (Ignored::UnexpectedConsecutiveFrame, 1),
    ];
    assert_eq!(counted.ignored, expected);
    assert_eq!((counted.frames_received, counted.frames_unclaimed), (4, 0));
    let all = network.statistics();
    assert_eq!((all.frames_received, all.frames_unclaimed), (4, 1));
    assert_eq!(all.ignored, expected);
}

#[tokio::test(start_paused = true)]
async fn messages_that_find_no_room_are_counted_as_lost_and_not_as_received() {
    let config = Config {
        queue: 2,
        ..Config::default()
    };
    let (_network, connection, mut peer) = scripted(config).await;
    for byte in 0..5 {
        play(&mut peer, &[1, byte]);
    }
    settle().await;
    let counted = connection.statistics();
    assert_eq!((counted.messages_received, counted.messages_lost), (2, 3));
    assert_eq!(counted.bytes_received, 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_counts_from_nothing() {
    let (network, connection, mut peer) = scripted(Config::default()).await;
    play(&mut peer, &[1, 7]);
    settle().await;
    drop(connection);
    settle().await;
    let again = network.connect(address(), Config::default()).await.unwrap();
    assert_eq!(again.statistics(), Statistics::default());
    assert_eq!(network.statistics().messages_received, 1);
}
