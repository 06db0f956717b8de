//! What a reception promises.

use core::future::Future;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::time::Instant;

use async_io::Timer;
use futures_lite::future::zip;
use isotp_driver::{Config, Event, NResult, RecvTimeoutError};

use crate::buses::Cable;
use crate::world::{Pair, World, eventually};

pub(crate) async fn messages_keep_their_borders(world: World) {
    let Pair { tester, ecu, .. } = world.pair(world.config(), world.config()).await;
    for len in (1..70).chain([4095, 4096]) {
        let message: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let (sent, received) = zip(tester.send(message.clone()), ecu.recv()).await;
        sent.unwrap();
        assert_eq!(received.unwrap(), message);
    }
    assert_eq!(ecu.try_recv().unwrap(), None);
}

/// The application holds the connection, and does nothing else.
pub(crate) async fn flow_control_is_answered_though_nobody_reads(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    for n in 0..3 {
        peer.play(&[0x10, 8, n, n, n, n, n, n]);
        assert_eq!(peer.heard().await[..1], [0x30]);
        peer.play(&[0x21, n, n]);
    }
    for n in 0..3 {
        assert_eq!(connection.recv().await.unwrap(), [n; 8]);
    }
}

pub(crate) async fn first_frames_and_failures_are_told_in_order(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    peer.play(&[0x10, 9, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
    peer.play(&[0x21, 7, 8, 9]);
    peer.play(&[0x10, 20, 1, 2, 3, 4, 5, 6]);
    let first =
        |event: &Event, size| matches!(event, Event::FirstFrame { size: s, .. } if *s == size);
    assert!(first(&connection.next_event().await.unwrap(), 9));
    let message = connection.next_event().await.unwrap();
    assert!(matches!(&message, Event::Message(m) if *m == [1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert!(first(&connection.next_event().await.unwrap(), 20));
    let failed = connection.next_event().await.unwrap();
    assert_eq!(failed, Event::Failed(NResult::TimeoutCr));
}

/// A failed reception is no reason to end.
pub(crate) async fn recv_passes_over_what_is_no_message(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    peer.play(&[0x10, 20, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await[..1], [0x30]);
    // a wrong sequence number
    peer.play(&[0x23, 7, 8, 9, 10, 11, 12, 13]);
    let (message, ()) = zip(connection.recv(), async {
        let failed = || connection.statistics().failed_to_receive;
        eventually(|| !failed().is_empty()).await;
        assert_eq!(failed()[0].0.name(), "N_WRONG_SN");
        peer.play(&[1, 5]);
    })
    .await;
    assert_eq!(message.unwrap(), [5]);
}

pub(crate) async fn recv_timeout_ends_where_nothing_begins_and_waits_for_what_has_begun(
    world: World,
) {
    let (_network, connection, mut peer) = world.scripted(Config::default()).await;
    let (short, begin) = (Duration::from_millis(30), Instant::now());
    let nothing = connection.recv_timeout(short).await;
    assert!(
        matches!(nothing, Err(RecvTimeoutError::TimedOut(_))),
        "{nothing:?}"
    );
    assert!(begin.elapsed() >= short);
    peer.play(&[0x10, 9, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
    let slow = async {
        Timer::after(3 * short).await;
        peer.play(&[0x21, 7, 8, 9]);
    };
    let (message, ()) = zip(connection.recv_timeout(short), slow).await;
    assert_eq!(message.unwrap().len(), 9);
}

/// One that begins in time and fails says why, and a failure from before is none of a message that does not
/// begin.
pub(crate) async fn recv_timeout_tells_the_failure_of_what_began(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    let short = Duration::from_millis(30);
    peer.play(&[0x10, 9, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
    let failed = connection.recv_timeout(short).await;
    let n_cr = matches!(failed, Err(RecvTimeoutError::Failed(NResult::TimeoutCr)));
    assert!(n_cr, "{failed:?}");
    let nothing = connection.recv_timeout(short).await;
    assert!(
        matches!(nothing, Err(RecvTimeoutError::TimedOut(_))),
        "{nothing:?}"
    );
}

/// The bus lets its frames through before anybody hears that there is a connection: whoever is told of it may
/// speak at once.
pub(crate) async fn a_connection_hears_from_the_moment_at_which_it_is_there(world: World) {
    let cable = Cable::default();
    let network = world.start(cable.clone());
    for n in 0..3 {
        let looks = Arc::new(Looks(cable.clone(), AtomicBool::new(true)));
        let waker = Waker::from(looks.clone());
        let mut connect = Box::pin(network.connect(world.address(n), Config::default()));
        let polled = connect.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            connect.await.unwrap();
        }
        assert!(cable.is_filtered() && looks.1.load(Ordering::Relaxed));
        network
            .connect(world.address(100 + n), Config::default())
            .await
            .unwrap();
    }
}

/// Looks at the filter in the moment in which it is woken.
struct Looks(Cable, AtomicBool);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.1.fetch_and(self.0.is_filtered(), Ordering::Relaxed);
    }
}
