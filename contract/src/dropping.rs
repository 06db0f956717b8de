//! Cancel safety of what carries messages: each future, dropped at every point.
//!
//! `isotp-blocking` has no futures of its own: under it these are those of the asynchronous handles that it
//! lends ([`inner`]), which its thread drives.
//!
//! [`inner`]: https://docs.rs/isotp-blocking

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use futures_lite::StreamExt;
use futures_lite::future::{or, zip};
use futures_lite::io::AsyncReadExt;
use isotp_driver::{Config, Connection, Event, NResult, SendError};

use crate::points::{at_every_point, dropped_at};
use crate::streams::{close, feed, flush, ready};
use crate::world::{Pair, World};

/// Stops after each frame for a flow control, so that there are many points in the life of a message.
pub(crate) fn slow(world: &World) -> Config {
    let mut config = world.config();
    config.protocol.receive.block_size = 1;
    config
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + 'a>>;

/// A message is whole or it is none, and the next one is sent whatever became of it.
pub(crate) async fn a_send_dropped_at_any_point_harms_no_other(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    let kinds: [fn(&Connection) -> Sending<'_>; 3] = [
        |connection| Box::pin(connection.send([1; 9])),
        |connection| Box::pin(connection.send_to(0, [1; 9])),
        |connection| Box::pin(connection.send_from([1; 9])),
    ];
    // where the outcome is the bus's, it does not come before the peer has had its turn
    let confirmed = connection.guarantees().confirmation;
    let least = if confirmed { 3 } else { 1 };
    for kind in kinds {
        at_every_point(least, async |point| {
            let sends = async {
                let outcome = dropped_at(point, kind(&connection)).await;
                connection.send([2]).await.unwrap();
                outcome
            };
            let hears = async {
                let mut frames = Vec::new();
                while frames.last() != Some(&0x01) {
                    let frame = peer.heard().await;
                    if frame[0] == 0x10 {
                        peer.play(&[0x30, 0, 0]);
                    }
                    frames.push(frame[0]);
                }
                frames
            };
            let (outcome, frames) = zip(sends, hears).await;
            // the flow control of what was given up is not left for the next message
            peer.is_heard_by(&connection).await;
            let whole = frames == [0x10, 0x21, 0x01];
            assert!(whole || [0x10, 0x01].ends_with(&frames), "{frames:02X?}");
            assert!(point > 0 || frames == [0x01], "it was never polled");
            assert!(point < 2 || whole, "it was confirmed, and is lost");
            if let Some(outcome) = &outcome {
                assert!(outcome.is_ok(), "{outcome:?}");
            }
            assert_eq!(connection.queued(), 0);
            outcome.is_some()
        })
        .await;
    }
}

/// It was never the one that is being sent: nothing of it is on the bus.
pub(crate) async fn a_send_dropped_before_its_turn_sends_nothing(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    for point in 0..2 {
        let first = async {
            connection.send([1; 9]).await.unwrap();
        };
        let second = async {
            assert_eq!(peer.heard().await, [0x10, 9, 1, 1, 1, 1, 1, 1]);
            assert!(dropped_at(point, connection.send([2; 9])).await.is_none());
            assert_eq!(connection.queued(), 1);
            peer.play(&[0x30, 0, 0]);
        };
        zip(first, second).await;
        assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
        connection.send([3]).await.unwrap();
        assert_eq!(peer.heard().await, [1, 3]);
    }
}

/// Between any two frames: not one more of it goes out, and the next message does.
pub(crate) async fn a_send_dropped_between_any_two_frames_is_aborted(world: World) {
    const FRAMES: u8 = 5;
    let (network, connection, mut peer) = world.scripted(world.config()).await;
    for last in 1..FRAMES {
        let sending = async {
            connection
                .send([7; 6 + 7 * (FRAMES as usize - 1)])
                .await
                .unwrap();
        };
        let script = async {
            for n in 0..last {
                let expected = if n == 0 { 0x10 } else { 0x20 + n };
                assert_eq!(peer.heard().await[0], expected);
                if n + 1 < last {
                    peer.play(&[0x30, 1, 0]);
                }
            }
        };
        or(sending, script).await;
        world.is_served(&network).await;
        // a flow control for what is no more
        peer.play(&[0x30, 1, 0]);
        connection.send([last]).await.unwrap();
        assert_eq!(peer.heard().await, [1, last], "after {last} frames");
        peer.is_heard_by(&connection).await;
    }
    let aborted = connection.statistics().failed_to_send;
    assert_eq!(aborted.len(), 1);
    assert_eq!(aborted[0].1, u64::from(FRAMES) - 1);
}

pub(crate) async fn a_functional_send_dropped_at_any_point_harms_no_other(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    at_every_point(1, async |point| {
        let sent = dropped_at(point, connection.send_functional([1])).await;
        connection.send_functional([2]).await.unwrap();
        let mut heard = peer.heard().await;
        let first = heard == [1, 1];
        if first {
            heard = peer.heard().await;
        }
        assert_eq!(heard, [1, 2], "point {point}");
        assert!(first || sent.is_none());
        assert!(!first || point > 0, "it was never polled");
        sent.is_some()
    })
    .await;
}

/// A message, however it is received.
type Receiving<'a> = Pin<Box<dyn Future<Output = Vec<u8>> + 'a>>;

/// Each of the ways to receive takes a message whole, or leaves it to the next.
pub(crate) async fn a_reception_dropped_at_any_point_loses_nothing(world: World) {
    let Pair {
        tester, mut ecu, ..
    } = world.pair(slow(&world), slow(&world)).await;
    let kinds: [fn(&mut Connection) -> Receiving<'_>; 4] = [
        |ecu| Box::pin(async { ecu.recv().await.unwrap().into_bytes() }),
        |ecu| Box::pin(async { ecu.recv_timeout(LONG).await.unwrap().into_bytes() }),
        |ecu| Box::pin(async { ecu.next().await.unwrap().into_bytes() }),
        |ecu| {
            Box::pin(async {
                loop {
                    // what is passed over is an event that was taken, and no message
                    if let Event::Message(message) = ecu.next_event().await.unwrap() {
                        return message.into_bytes();
                    }
                }
            })
        },
    ];
    for (kind, receive) in kinds.into_iter().enumerate() {
        at_every_point(3, async |point| {
            let receiving = dropped_at(point, receive(&mut ecu));
            let (received, sent) = zip(receiving, tester.send([kind as u8; 30])).await;
            sent.unwrap();
            let over = received.is_some();
            let message = match received {
                Some(message) => message,
                None => ecu.recv().await.unwrap().into_bytes(),
            };
            assert_eq!(message, [kind as u8; 30], "kind {kind}, point {point}");
            assert_eq!(ecu.try_recv().unwrap(), None, "kind {kind}, point {point}");
            over
        })
        .await;
    }
}

/// The order and the number of the events is that of one reader who drops nothing.
pub(crate) async fn next_event_dropped_at_any_point_loses_no_event(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    at_every_point(3, async |point| {
        let mut events = Vec::new();
        let script = async {
            peer.play(&[0x10, 8, 1, 2, 3, 4, 5, 6]);
            assert_eq!(peer.heard().await[0], 0x30);
            peer.play(&[0x21, 7, 8]);
        };
        let (first, ()) = zip(dropped_at(point, connection.next_event()), script).await;
        let over = first.is_some();
        events.extend(first.map(Result::unwrap));
        while events.len() < 2 {
            events.push(connection.next_event().await.unwrap());
        }
        assert!(
            matches!(events[0], Event::FirstFrame { size: 8, .. }),
            "{events:?}"
        );
        let message = matches!(&events[1], Event::Message(m) if *m == [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(message, "{events:?}");
        over
    })
    .await;
}

/// The reception itself is the driver's: dropped between any two of its frames, `recv` takes nothing of it.
pub(crate) async fn a_recv_dropped_between_any_two_frames_loses_nothing(world: World) {
    const FRAMES: u8 = 4;
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    for last in 0..FRAMES {
        let size = 6 + 7 * (FRAMES - 1);
        let mut play = async |n: u8| {
            if n == 0 {
                peer.play(&[0x10, size, last, last, last, last, last, last]);
                assert_eq!(peer.heard().await[0], 0x30);
            } else {
                peer.play(&[0x20 + n, last, last, last, last, last, last, last]);
            }
        };
        let some = async {
            for n in 0..last {
                play(n).await;
            }
        };
        let reading = async {
            connection.recv().await.unwrap();
        };
        or(reading, some).await;
        for n in last..FRAMES {
            play(n).await;
        }
        assert_eq!(connection.recv().await.unwrap(), vec![last; size.into()]);
    }
}

/// Woken and dropped, it leaves its message to another that waits.
pub(crate) async fn of_two_that_receive_the_other_gets_the_message(world: World) {
    let Pair { tester, ecu, .. } = world.pair(world.config(), world.config()).await;
    for point in 1..3 {
        let first = dropped_at(point, ecu.recv());
        let both = zip(first, ecu.recv());
        let ((first, second), sent) = zip(both, tester.send([point as u8; 30])).await;
        sent.unwrap();
        assert!(first.is_none());
        assert_eq!(second.unwrap(), [point as u8; 30]);
    }
}

pub(crate) async fn bytes_read_at_any_point_are_not_lost(world: World) {
    let Pair { tester, ecu, .. } = world.pair(world.config(), world.config()).await;
    let mut bytes = (world.runner.bytes)(ecu);
    at_every_point(3, async |point| {
        let mut room = [0; 5];
        let reading = dropped_at(point, bytes.read(&mut room));
        let (read, sent) = zip(reading, tester.send([point as u8; 5])).await;
        sent.unwrap();
        let over = read.is_some();
        if !over {
            bytes.read_exact(&mut room).await.unwrap();
        }
        assert_eq!(room, [point as u8; 5]);
        over
    })
    .await;
}

/// What is in the sink stays in it, and goes out.
pub(crate) async fn a_sink_whose_futures_are_dropped_at_any_point_loses_nothing(world: World) {
    // room for one, so that the second waits
    let one = Config {
        send_queue: 1,
        ..slow(&world)
    };
    let pair = world.pair(one, slow(&world)).await;
    let (mut tester, ecu) = (pair.tester, pair.ecu);
    at_every_point(1, async |point| {
        feed(&mut tester, vec![1; 20]).await.unwrap();
        let flushed = dropped_at(point, flush(&mut tester)).await;
        let waited = dropped_at(point, ready(&mut tester)).await;
        feed(&mut tester, vec![2; 20]).await.unwrap();
        flush(&mut tester).await.unwrap();
        assert_eq!(ecu.recv().await.unwrap(), [1; 20], "point {point}");
        assert_eq!(ecu.recv().await.unwrap(), [2; 20], "point {point}");
        assert_eq!(ecu.try_recv().unwrap(), None);
        flushed.is_some() && waited.is_some()
    })
    .await;
    feed(&mut tester, vec![3; 20]).await.unwrap();
    at_every_point(1, async |point| {
        dropped_at(point, close(&mut tester)).await.is_some()
    })
    .await;
    assert_eq!(ecu.recv().await.unwrap(), [3; 20]);
    let over = tester.send([4]).await;
    assert!(matches!(over, Err(SendError::Connection(_))), "{over:?}");
}

/// A sending half takes back what is not confirmed: the first message is cut short, and no other begins.
pub(crate) async fn a_dropped_sink_takes_back_what_waits(world: World) {
    let (network, connection, mut peer) = world.scripted(world.config()).await;
    let (mut send, recv) = connection.into_split();
    for n in 0..3 {
        feed(&mut send, vec![n; 9]).await.unwrap();
    }
    assert_eq!(peer.heard().await[..3], [0x10, 9, 0]);
    drop(send);
    world.is_served(&network).await;
    peer.play(&[0x30, 0, 0]);
    recv.connection().send([7]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 7]);
}

pub(crate) async fn a_tap_read_and_dropped_at_any_point_loses_no_frame(world: World) {
    let (network, connection, mut peer) = world.scripted(world.config()).await;
    let tap = network.tap(100).unwrap();
    world.is_served(&network).await;
    at_every_point(3, async |point| {
        let script = async { peer.play(&[1, point as u8]) };
        let (shown, ()) = zip(dropped_at(point, tap.recv()), script).await;
        let over = shown.is_some();
        let shown = match shown {
            Some(shown) => shown,
            None => tap.recv().await,
        };
        assert_eq!(shown.unwrap().frame.view().data, [1, point as u8]);
        assert_eq!(connection.recv().await.unwrap(), [point as u8]);
        over
    })
    .await;
}

/// N_TIMEOUT_Bs of a message that was given up is not told as that of the next.
pub(crate) async fn the_outcome_of_a_dropped_send_is_not_that_of_the_next(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    let begun = async {
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
    };
    let sending = async {
        connection.send([1; 9]).await.unwrap();
    };
    or(sending, begun).await;
    // where it cannot be aborted, it ends as it would have; the next waits for that
    connection.send([2]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 2]);
    let failed = connection.send([3; 9]).await.unwrap_err();
    assert_eq!(failed.result(), Some(NResult::TimeoutBs));
}

pub(crate) const LONG: Duration = Duration::from_secs(1000);
