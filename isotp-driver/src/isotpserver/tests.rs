//! Client and server, with a peer that misbehaves.

mod still;

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use isotp_core::{Cause, NResult};

use self::still::{Still, Woke};
use crate::{Config, Incoming, MessageChannel};

#[test]
fn a_server_that_sends_no_end_of_garbage_lets_other_tasks_run() {
    let runtime = Still::default();
    runtime.state().text = b"garbage";
    let (woke, mut channel) = (Arc::new(Woke::default()), runtime.channel("still:1"));
    let waker = woke.clone().into();
    let mut context = Context::from_waker(&waker);
    for turn in 1..4 {
        let received = channel.poll_receive(&mut context, &mut Vec::new());
        assert!(received.is_pending(), "{received:?}");
        assert_eq!(woke.count(), turn, "it goes on with its next turn");
    }
    // and what comes at last is not lost
    runtime.state().text = b"<0102>";
    let mut message = Vec::new();
    let received = channel.poll_receive(&mut context, &mut message);
    assert!(matches!(received, Poll::Ready(Ok(Incoming::Message))));
    assert_eq!(message, [1, 2]);
}

#[test]
fn a_server_that_sends_no_end_of_messages_lets_other_tasks_run() {
    let runtime = Still::default();
    runtime.state().text = b"<0102>";
    let config = Config {
        queue: 100_000,
        ..Config::default()
    };
    let (_network, connection) = runtime.client(config);
    let before = runtime.state().reads;
    assert!(!runtime.run(10), "it never sleeps");
    let reads = runtime.state().reads - before;
    assert!((10..1000).contains(&reads), "{reads} in ten turns");
    let message = runtime.finish(connection.recv());
    assert_eq!(message.unwrap(), [1, 2]);
}

#[test]
fn what_finds_no_place_is_not_read_until_there_is_one() {
    let runtime = Still::default();
    runtime.state().text = b"<0102>";
    let (_network, connection) = runtime.client(Config::default());
    let mut taken = 0;
    for _ in 0..3 {
        assert!(runtime.run(1000), "it does not sleep");
        let received = connection.statistics().messages_received;
        assert_eq!(received, taken + 16, "as the queue holds");
        while connection.try_recv().unwrap().is_some() {
            taken += 1;
        }
        assert_eq!(taken, received);
    }
    assert_eq!(connection.statistics().messages_lost, 0);
}

/// It is connected with again after 100 ms, and after twice as long each time that fails, up to 5 s.
#[test]
fn a_server_that_is_gone_is_asked_for_after_pauses() {
    let runtime = Still::default();
    let (woke, mut channel) = (
        Arc::new(Woke::default()),
        runtime.channel("still:1?reconnect"),
    );
    let waker = woke.into();
    let mut context = Context::from_waker(&waker);
    let mut poll = |channel: &mut Box<dyn MessageChannel>| {
        let mut message = Vec::new();
        let received = channel.poll_receive(&mut context, &mut message);
        received.map(|received| (received.unwrap(), message))
    };
    assert_eq!(runtime.state().connected, 1);
    runtime.state().refuses = 8;
    // it gives no bytes, which is its end
    let lost = Incoming::Failed(NResult::Error(Cause::Refused));
    assert_eq!(poll(&mut channel), Poll::Ready((lost, vec![])));
    let pauses = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000];
    for (pause, connected) in pauses.into_iter().zip(1..) {
        assert_eq!(poll(&mut channel), Poll::Pending);
        runtime.pass(Duration::from_millis(pause - 1));
        assert_eq!(poll(&mut channel), Poll::Pending);
        assert_eq!(runtime.state().connected, connected, "before {pause} ms");
        runtime.state().text = b"<01>";
        runtime.pass(Duration::from_millis(1));
        if connected < pauses.len() {
            assert_eq!(poll(&mut channel), Poll::Pending);
        } else {
            let message = (Incoming::Message, vec![1]);
            assert_eq!(poll(&mut channel), Poll::Ready(message));
        }
        assert_eq!(runtime.state().connected, connected + 1);
    }
}

#[test]
fn a_client_that_sends_without_end_lets_other_tasks_run() {
    for text in [&b"garbage"[..], b"<0102>", b"<>x<0102>", b"<01"] {
        let runtime = Still::default();
        runtime.state().text = text;
        runtime.state().accepts.push_back(Ok(()));
        let (_bridge, _network) = runtime.bridge();
        for _ in 0..10 {
            let before = runtime.state().reads;
            assert!(!runtime.run(10), "it never sleeps");
            let reads = runtime.state().reads - before;
            assert!((1..1000).contains(&reads), "{reads} in ten turns");
        }
        let sends = text.ends_with(b"2>");
        assert_eq!(runtime.state().frames > 0, sends, "{text:?}");
    }
}

#[test]
fn a_bridge_whose_listener_failed_accepts_again_after_a_pause() {
    let runtime = Still::default();
    let full = || Err(io::Error::other("no descriptors left"));
    runtime.state().accepts.extend([full(), full(), Ok(())]);
    runtime.state().text = b"<0102>";
    let (_bridge, _network) = runtime.bridge();
    for asked in 1..3 {
        assert!(runtime.run(1000), "it does not sleep");
        assert_eq!(runtime.state().asked, asked);
        runtime.pass(Duration::from_millis(99));
        assert!(runtime.run(1000), "it does not sleep");
        assert_eq!(runtime.state().asked, asked, "it was asked again too soon");
        runtime.pass(Duration::from_millis(1));
    }
    runtime.run(1000);
    assert!(runtime.state().frames > 0, "the client was not let in");
}

/// A client of ours, whose server takes nothing any more.
#[test]
fn what_a_server_sent_before_it_went_deaf_is_read() {
    let runtime = Still::default();
    let mut channel = runtime.channel("still:1");
    runtime.state().deaf = true;
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        let sent = channel.poll_send(&mut context, &[1]);
        let failed = NResult::Error(Cause::Refused);
        assert!(matches!(sent, Poll::Ready(Ok(result)) if result == failed));
    }
    runtime.state().text = b"<0102>";
    let mut message = Vec::new();
    let received = channel.poll_receive(&mut context, &mut message);
    assert!(matches!(received, Poll::Ready(Ok(Incoming::Message))));
    assert_eq!(message, [1, 2]);
    runtime.state().text = b"";
    let Poll::Ready(Err(lost)) = channel.poll_receive(&mut context, &mut message) else {
        panic!("it goes on");
    };
    assert!(lost.to_string().contains("broken pipe"), "{lost}");
}

#[test]
fn a_connection_that_closes_waits_for_its_server_so_long() {
    for silent in [true, false] {
        let runtime = Still::default();
        let channel = runtime.channel("still:1");
        runtime.state().silent = silent;
        let (mut closing, mut context) = (channel.close(), Context::from_waker(Waker::noop()));
        if silent {
            assert!(closing.as_mut().poll(&mut context).is_pending());
            runtime.pass(Duration::from_millis(9_999));
            assert!(closing.as_mut().poll(&mut context).is_pending());
            runtime.pass(Duration::from_millis(1));
        }
        assert!(closing.as_mut().poll(&mut context).is_ready());
        assert!(runtime.state().closed > 0, "the server does not know");
    }
}

/// And a bridge, whose client takes nothing any more.
#[test]
fn what_a_client_sent_before_it_went_deaf_is_sent() {
    let runtime = Still::default();
    runtime.state().accepts.push_back(Ok(()));
    runtime.state().silent = true;
    let (_bridge, _network) = runtime.bridge();
    assert!(runtime.run(1000));
    {
        let mut state = runtime.state();
        (state.silent, state.deaf, state.text) = (false, true, b"<0102>");
    }
    runtime.hears(1);
    runtime.run(100);
    assert!(runtime.state().frames > 0);
}

#[test]
fn a_bridge_that_closes_waits_for_its_clients_so_long() {
    for (arrives, patience) in [(0, 1), (1, 10)] {
        let runtime = Still::default();
        runtime.state().accepts.push_back(Ok(()));
        runtime.state().silent = true;
        runtime.state().stuck = true;
        let (bridge, _network) = runtime.bridge();
        assert!(runtime.run(1000));
        runtime.hears(arrives);
        assert!(runtime.run(1000));
        let (mut closing, mut context) = (pin!(bridge.close()), Context::from_waker(Waker::noop()));
        assert!(closing.as_mut().poll(&mut context).is_pending());
        assert!(runtime.run(1000));
        runtime.pass(Duration::from_secs(patience) - Duration::from_millis(1));
        assert!(runtime.run(1000));
        assert!(closing.as_mut().poll(&mut context).is_pending());
        assert_eq!(
            runtime.state().closed,
            1 - arrives,
            "it has all, and knows it"
        );
        runtime.pass(Duration::from_millis(1));
        assert!(runtime.run(1000));
        assert!(closing.as_mut().poll(&mut context).is_ready());
    }
}

#[test]
fn a_client_that_goes_before_it_is_accepted_holds_up_nobody() {
    let runtime = Still::default();
    let gone = Err(io::ErrorKind::ConnectionAborted.into());
    runtime.state().accepts.extend([gone, Ok(())]);
    runtime.state().text = b"<0102>";
    let (_bridge, _network) = runtime.bridge();
    runtime.run(1000);
    assert!(runtime.state().frames > 0, "the client was not let in");
}
