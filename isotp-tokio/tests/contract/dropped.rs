//! Every future, dropped at every await point.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Config, ConnectionError, Event, NResult, Network, RxBuffer};

use crate::support::*;

/// Polls so many times while the other tasks go on, then drops. Gives the output if it came to that.
async fn drop_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for poll in 0..polls {
        if poll > 0 {
            tokio::task::yield_now().await;
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// Stops after each frame for a flow control, so that there are many points.
fn slow() -> Config {
    let mut config = Config::default();
    config.protocol.receive.block_size = 1;
    config
}

#[tokio::test(start_paused = true)]
async fn next_event_loses_nothing_and_keeps_the_order() {
    for polls in 1..8 {
        let Pair { tester, ecu, .. } = pair(slow(), slow()).await;
        for n in 0..3 {
            tester.try_send([n; 20]).unwrap();
        }
        let mut events = Vec::new();
        for _ in 0..400 {
            events.extend(drop_after(polls, ecu.next_event()).await);
            tokio::task::yield_now().await;
        }
        let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
        assert_eq!(events.len(), 6, "{events:?}");
        for (n, told) in events.chunks(2).enumerate() {
            assert!(matches!(told[0], Event::FirstFrame { size: 20, .. }));
            assert!(matches!(&told[1], Event::Message(message) if *message == [n as u8; 20]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn send_functional_leaves_the_next_one_whole() {
    let mut outcomes = [0; 2];
    for polls in 0..20 {
        let network = Network::with_bus(VirtualBus::default().port());
        let from = address().with_functional_tx(id(0x7DF)).unwrap();
        let tester = network.connect(from, Config::default()).await.unwrap();
        let to = nth_address(0).with_functional_rx(id(0x7DF)).unwrap();
        let ecu = network.connect(to, Config::default()).await.unwrap();
        let sent = drop_after(polls, tester.send_functional([1])).await;
        tester.send_functional([2]).await.unwrap();
        settle().await;
        let mut heard = Vec::new();
        while let Some(message) = ecu.try_recv().unwrap() {
            heard.push(message[0]);
        }
        assert!(heard == [2] || heard == [1, 2], "{heard:?}");
        assert!(sent.is_none() || heard.len() == 2);
        assert!(polls > 1 || heard == [2], "dropped before its turn");
        outcomes[usize::from(sent.is_some())] += 1;
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn send_from_leaves_the_next_one_whole() {
    let mut outcomes = [0; 2];
    for polls in 0..80 {
        let Pair { tester, ecu, .. } = pair(slow(), slow()).await;
        let sent = drop_after(polls, tester.send_from(vec![1; 100])).await;
        outcomes[usize::from(sent.is_some())] += 1;
        tester.send_from(vec![2; 100]).await.unwrap();
        let mut heard = Vec::new();
        while heard.last() != Some(&2) {
            match ecu.next_event().await.unwrap() {
                Event::Message(message) => heard.push(message[0]),
                Event::Failed(result) => assert_eq!(result, NResult::UnexpectedPdu),
                _ => {}
            }
        }
        assert!(heard == [2] || heard == [1, 2], "{heard:?}");
        assert!(sent.is_none() || heard.len() == 2);
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn close_of_a_connection_gives_its_address_free_and_cuts_no_message() {
    let mut outcomes = [0; 2];
    for polls in 0..80 {
        let Pair {
            tester,
            ecu,
            network,
            ..
        } = pair(slow(), slow()).await;
        tester.try_send([1; 50]).unwrap();
        tester.try_send([2; 50]).unwrap();
        let closed = drop_after(polls, tester.close()).await;
        outcomes[usize::from(closed.is_some())] += 1;
        let again = network.connect(address(), slow()).await.unwrap();
        again.send([3; 50]).await.unwrap();
        let mut heard = Vec::new();
        while heard.last() != Some(&3) {
            let message = ecu.recv().await.unwrap();
            assert!(message == [message[0]; 50]);
            heard.push(message[0]);
        }
        assert!(
            [1, 2, 3].starts_with(heard.split_last().unwrap().1),
            "{heard:?}"
        );
        assert!(closed.is_none() || heard == [1, 2, 3], "{heard:?}");
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn close_of_a_network_goes_on() {
    let mut outcomes = [0; 2];
    for polls in 1..60 {
        let Pair {
            tester,
            ecu,
            network,
            ..
        } = pair(slow(), slow()).await;
        tester.try_send([1; 50]).unwrap();
        let closed = drop_after(polls, network.close()).await;
        outcomes[usize::from(closed.is_some())] += 1;
        assert_eq!(ecu.recv().await.unwrap(), [1; 50]);
        for connection in [&tester, &ecu] {
            assert!(matches!(
                connection.recv().await,
                Err(ConnectionError::Closed)
            ));
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

/// Keeps nothing but itself.
struct Kept(#[allow(dead_code, reason = "its count tells")] Arc<()>);

impl RxBuffer for Kept {
    fn limit(&self) -> u32 {
        100
    }

    fn start(&mut self, _: u32) {}

    fn write(&mut self, _: u32, _: &[u8]) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn connect_into_leaves_neither_connection_nor_buffer() {
    let mut outcomes = [0; 2];
    for polls in 0..6 {
        let network = Network::with_bus(VirtualBus::default().port());
        let buffer = Arc::new(());
        let into = Kept(buffer.clone());
        let connect = network.connect_into(address(), Config::default(), into);
        let connected = drop_after(polls, connect).await;
        outcomes[usize::from(connected.is_some())] += 1;
        drop(connected);
        let again = network.connect(address(), Config::default()).await;
        drop(again.unwrap());
        assert_eq!(Arc::strong_count(&buffer), 1);
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}
