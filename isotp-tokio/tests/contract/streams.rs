//! Connections as streams and sinks, in halves, and as bytes; deadlines for the beginning of a message.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use futures_util::{SinkExt, StreamExt};
use isotp_tokio::driver::RecvTimeoutError;
use isotp_tokio::{ByteStream, Config, ConnectionError, NResult, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Pair, heard, pair, play, poll_once, scripted, settle};

const P2: Duration = Duration::from_millis(50);

#[tokio::test(start_paused = true)]
async fn recv_timeout_waits_for_the_beginning_alone() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    let began = tokio::time::Instant::now();
    let slow = async {
        tokio::time::sleep(P2 - Duration::from_millis(1)).await;
        play(&mut peer, &[0x10, 20, 0, 1, 2, 3, 4, 5]);
        for (number, first) in [(1, 6), (2, 13)] {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let mut frame = vec![0x20 + number];
            frame.extend(first..first + 7);
            play(&mut peer, &frame);
        }
    };
    let (message, ()) = tokio::join!(connection.recv_timeout(P2), slow);
    assert_eq!(message.unwrap(), (0..20).collect::<Vec<u8>>());
    assert!(began.elapsed() > Duration::from_millis(800));
}

#[tokio::test(start_paused = true)]
async fn recv_timeout_ends_when_nothing_begins() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    // one that is over and failed before is no beginning
    play(&mut peer, &[0x10, 20, 0, 1, 2, 3, 4, 5]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = tokio::time::Instant::now();
    let error = connection.recv_timeout(P2).await.unwrap_err();
    assert!(
        matches!(error, RecvTimeoutError::Failed(NResult::TimeoutCr)),
        "the failure is told: {error}"
    );
    let error = connection.recv_timeout(P2).await.unwrap_err();
    assert!(matches!(error, RecvTimeoutError::TimedOut(P2)), "{error}");
    let waited = began.elapsed();
    assert!(waited >= 2 * P2 && waited < 3 * P2, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_began_in_time_and_fails_says_why() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    play(&mut peer, &[0x10, 20, 0, 1, 2, 3, 4, 5]);
    let error = connection.recv_timeout(P2).await.unwrap_err();
    assert!(matches!(
        error,
        RecvTimeoutError::Failed(NResult::TimeoutCr)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_recv_timeout_takes_nothing() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    play(&mut peer, &[0x10, 8, 0, 1, 2, 3, 4, 5]);
    settle().await;
    assert!(poll_once(connection.recv_timeout(P2)).is_pending());
    play(&mut peer, &[0x21, 6, 7]);
    assert_eq!(
        connection.recv_timeout(P2).await.unwrap(),
        [0, 1, 2, 3, 4, 5, 6, 7]
    );
}

#[tokio::test(start_paused = true)]
async fn recv_timeout_ends_with_the_connection() {
    let Pair {
        network, tester, ..
    } = pair(Config::default(), Config::default()).await;
    let (received, ()) = tokio::join!(tester.recv_timeout(Duration::MAX), network.close());
    assert!(matches!(
        received,
        Err(RecvTimeoutError::Connection(ConnectionError::Closed))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_a_stream_that_ends_and_a_sink_that_confirms() {
    let Pair {
        network,
        mut tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    let received = tokio::spawn(ecu.map(|message| message.len()).collect::<Vec<_>>());
    for len in [1_usize, 100, 7, 4095] {
        tester.feed(vec![0; len]).await.unwrap();
    }
    SinkExt::<Vec<u8>>::flush(&mut tester).await.unwrap();
    assert_eq!(tester.queued(), 0);
    network.close().await;
    assert_eq!(received.await.unwrap(), [1, 100, 7, 4095]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_has_room_for_so_many_messages_and_tells_each_failure_once() {
    let config = Config {
        send_queue: 2,
        ..Config::default()
    };
    let (_network, mut connection, mut peer) = scripted(config).await;
    let mut cx = Context::from_waker(Waker::noop());
    let mut room = |sink: &mut isotp_tokio::Connection| {
        futures_util::Sink::<Vec<u8>>::poll_ready(Pin::new(sink), &mut cx)
    };
    for len in [20, 3] {
        assert!(matches!(room(&mut connection), Poll::Ready(Ok(()))));
        futures_util::Sink::start_send(Pin::new(&mut connection), vec![1; len]).unwrap();
    }
    assert!(room(&mut connection).is_pending());
    // nobody answers the first
    let failed = SinkExt::<Vec<u8>>::flush(&mut connection).await;
    assert!(matches!(failed, Err(SendError::Failed(NResult::TimeoutBs))));
    SinkExt::<Vec<u8>>::flush(&mut connection).await.unwrap();
    assert_eq!(heard(&mut peer), ["7E0#1014010101010101", "7E0#03010101"]);
}

#[tokio::test(start_paused = true)]
async fn halves_work_apart_and_the_last_one_leaves_the_bus() {
    let Pair {
        network,
        tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    let (address, (mut send, recv)) = (*tester.address(), tester.into_split());
    let echo = tokio::spawn(async move {
        while let Ok(message) = ecu.recv().await {
            ecu.send(message).await.unwrap();
        }
    });
    send.send([5; 50]).await.unwrap();
    assert_eq!(recv.recv().await.unwrap(), [5; 50]);
    drop(recv);
    let taken = network.connect(address, Config::default()).await;
    assert!(taken.is_err(), "the sending half has it");
    SinkExt::<Vec<u8>>::close(&mut send).await.unwrap();
    network.connect(address, Config::default()).await.unwrap();
    network.close().await;
    echo.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_sink_half_sends_nothing_more() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    let (mut send, recv) = connection.into_split();
    for len in [20, 3] {
        futures_util::Sink::start_send(Pin::new(&mut send), vec![1; len]).unwrap();
    }
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#1014010101010101"]);
    drop(send);
    settle().await;
    play(&mut peer, &[0x30, 0, 0]);
    recv.connection().send([2; 2]).await.unwrap();
    assert_eq!(heard(&mut peer), ["7E0#020202"]);
}

#[tokio::test(start_paused = true)]
async fn bytes_come_in_order_and_a_write_is_a_message() {
    let Pair {
        network,
        tester,
        ecu,
        ..
    } = pair(Config::default(), Config::default()).await;
    let mut bytes = ByteStream::from(tester);
    bytes.write_all(&[1; 10]).await.unwrap();
    bytes.write_all(&[2; 3]).await.unwrap();
    bytes.flush().await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [1; 10]);
    assert_eq!(ecu.recv().await.unwrap(), [2; 3]);

    ecu.send([3; 5]).await.unwrap();
    ecu.send([4; 2]).await.unwrap();
    let mut read = [0; 4];
    assert_eq!(bytes.read(&mut read).await.unwrap(), 4);
    assert_eq!(bytes.read(&mut read).await.unwrap(), 1);
    let mut rest = Vec::new();
    let (end, ()) = tokio::join!(bytes.read_to_end(&mut rest), network.close());
    assert_eq!(end.unwrap(), 2);
    assert_eq!(rest, [4, 4]);
    let broken = bytes.write(&[0]).await.unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::BrokenPipe);
}
