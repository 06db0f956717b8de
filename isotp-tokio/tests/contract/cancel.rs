use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex, mpsc};

use isotp_tokio::{Config, Connection, Event, NResult, Payload};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_send_dropped_before_its_first_frame_sends_nothing() {
    let Pair {
        tester, ecu, bus, ..
    } = pair(Config::default(), Config::default()).await;
    let (_tap, frames) = record(&bus);
    drop(tester.send([1; 20]));
    assert!(poll_once(tester.send([2; 20])).is_pending());
    settle().await;
    assert_eq!(*frames.lock().unwrap(), [""; 0]);
    tester.send([3; 20]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [3; 20]);
    assert_eq!(frames.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_waits_for_its_turn_and_is_dropped_sends_nothing() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    let mut first = pin!(connection.send([1; 8]));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut cx).is_pending());
    settle().await;
    assert!(poll_once(connection.send([2])).is_pending());
    play(&mut peer, &[0x30, 0, 0]);
    settle().await;
    assert!(matches!(first.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
    assert_eq!(heard(&mut peer), ["7E0#1008010101010101", "7E0#210101"]);
}

/// Drops the send after each number of polls between frames, over a bus that loses nothing.
#[tokio::test(start_paused = true)]
async fn a_send_dropped_at_any_point_leaves_the_next_one_whole() {
    let mut aborted = 0;
    for polls in 0..40 {
        let mut config = Config::default();
        config.protocol.receive.block_size = 1;
        let Pair { tester, ecu, .. } = pair(config.clone(), config).await;
        let finished = {
            let mut send = pin!(tester.send([1; 100]));
            let mut cx = Context::from_waker(Waker::noop());
            let mut finished = false;
            for _ in 0..polls {
                finished |= send.as_mut().poll(&mut cx).is_ready();
                if finished {
                    break;
                }
                tokio::task::yield_now().await;
            }
            finished
        };
        aborted += u32::from(!finished);
        tester.send([2; 100]).await.unwrap();
        let mut events = Vec::new();
        while events.last() != Some(&2) {
            match ecu.next_event().await.unwrap() {
                Event::Message(message) => events.push(message[0]),
                Event::Failed(result) => assert_eq!(result, NResult::UnexpectedPdu),
                _ => {}
            }
        }
        assert!(events == [2] || events == [1, 2], "{events:?}");
    }
    assert!(aborted > 1);
}

#[tokio::test(start_paused = true)]
async fn a_send_dropped_between_frames_is_aborted() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    assert!(
        {
            let mut send = pin!(connection.send([1; 20]));
            let pending = send.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            settle().await;
            pending
        }
        .is_pending()
    );
    settle().await;
    play(&mut peer, &[0x30, 0, 0]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#1014010101010101"]);
    connection.send([5]).await.unwrap();
    assert_eq!(heard(&mut peer), ["7E0#0105"]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_recv_takes_no_message() {
    let Pair { tester, ecu, .. } = pair(Config::default(), Config::default()).await;
    assert!(poll_once(ecu.recv()).is_pending());
    let mut waiting = pin!(ecu.recv());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    for n in 0..3 {
        tester.send([n; 10]).await.unwrap();
    }
    // the one that waited was woken, and another comes first
    let mut other = pin!(ecu.recv());
    assert!(matches!(other.as_mut().poll(&mut cx), Poll::Ready(Ok(message)) if message == [0; 10]));
    assert!(matches!(waiting.poll(&mut cx), Poll::Ready(Ok(message)) if message == [1; 10]));
    assert_eq!(ecu.recv().await.unwrap(), [2; 10]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connect_leaves_no_connection_behind() {
    let Pair { network, .. } = pair(Config::default(), Config::default()).await;
    for polled in [false, true] {
        let connect = network.connect(nth_address(1), Config::default());
        if polled {
            assert!(poll_once(connect).is_pending());
            settle().await;
        } else {
            drop(connect);
        }
        let again = network.connect(nth_address(1), Config::default()).await;
        drop(again.unwrap());
    }
}

/// A message that uses its connection when it is dropped.
struct Clinging(std::sync::Weak<Connection>);

impl Payload for Clinging {
    fn size(&self) -> u32 {
        20
    }
    fn copy_to(&mut self, _offset: u32, out: &mut [u8]) -> Option<usize> {
        Some(out.len())
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        if let Some(connection) = self.0.upgrade() {
            let _ = connection.queued();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_message_is_dropped_without_a_lock() {
    let (_network, connection, _peer) = scripted(Config::default()).await;
    let connection = Arc::new(connection);
    let mut first = pin!(connection.send([1; 20]));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    let clinging = Clinging(Arc::downgrade(&connection));
    assert!(poll_once(connection.send_from(clinging)).is_pending());
    let clinging = Clinging(Arc::downgrade(&connection));
    let mut waiting = pin!(connection.send_from(clinging));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    settle().await;
    connection.abort_receive();
    assert_eq!(connection.queued(), 2, "the cancelled one is gone");
}

type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A message whose sender loses interest just when the driver looks at it, and that is then refused.
struct Regretted {
    sending: Arc<Mutex<Option<Sending>>>,
    clinging: Clinging,
}

impl Payload for Regretted {
    fn size(&self) -> u32 {
        match self.sending.lock().unwrap().take() {
            Some(_) => 0,
            None => self.clinging.size(),
        }
    }
    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        self.clinging.copy_to(offset, out)
    }
}

#[test]
fn a_refused_message_that_nobody_wants_is_dropped_without_a_lock() {
    let (done, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (_network, connection, _peer) = scripted(Config::default()).await;
            let connection = Arc::new(connection);
            let sending = Arc::new(Mutex::new(None));
            let regretted = Regretted {
                sending: sending.clone(),
                clinging: Clinging(Arc::downgrade(&connection)),
            };
            let sender = connection.clone();
            let mut send: Sending = Box::pin(async move {
                let outcome = sender.send_from(regretted).await;
                panic!("nobody waits for {outcome:?}");
            });
            assert!(poll_pinned(send.as_mut()).is_pending());
            *sending.lock().unwrap() = Some(send);
            connection.send([1]).await.unwrap();
            assert!(sending.lock().unwrap().is_none(), "it was not looked at");
        });
        done.send(()).unwrap();
    });
    let in_time = ended.recv_timeout(Duration::from_secs(20));
    assert!(in_time.is_ok(), "the driver waits for itself");
    thread.join().unwrap();
}
