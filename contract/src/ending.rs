//! How connections and networks end.

use core::future::Future;
use core::time::Duration;

use futures_lite::StreamExt;
use futures_lite::io::AsyncReadExt;
use isotp_driver::{
    Backend, Config, ConnectError, Connection, ConnectionError, Network, Path, SendError,
    ServerEnd, TrySendError,
};

use crate::buses::{Cable, PULLED};
use crate::points::Begun;
use crate::streams::flush;
use crate::world::{Pair, World, eventually, wide};

pub(crate) async fn close_sends_what_is_queued(world: World) {
    let Pair { tester, ecu, .. } = world.pair(world.config(), wide(world.config())).await;
    for n in 0..10 {
        tester.try_send([n; 20]).unwrap();
    }
    tester.close().await;
    for n in 0..10 {
        assert_eq!(ecu.recv().await.unwrap(), [n; 20]);
    }
}

pub(crate) async fn a_network_that_closes_sends_what_is_queued(world: World) {
    let (near, far) = (world.network().await, world.network().await);
    let (mut senders, mut receivers) = (Vec::new(), Vec::new());
    for n in 0..3 {
        let (address, config) = (world.address(n), wide(world.config()));
        receivers.push(
            far.connect(address.reversed(), config.clone())
                .await
                .unwrap(),
        );
        senders.push(near.connect(address, config).await.unwrap());
    }
    // neither the first nor the last of them is the last to have sent all
    let queued = [1, 5, 2];
    for (sender, messages) in senders.iter().zip(queued) {
        for n in 0..messages {
            sender.try_send([n; 20]).unwrap();
        }
    }
    near.close().await;
    for (receiver, messages) in receivers.iter().zip(queued) {
        for n in 0..messages {
            assert_eq!(receiver.recv().await.unwrap(), [n; 20]);
        }
    }
    for sender in &senders {
        assert_eq!(sender.queued(), 0);
        assert!(is_closed(&sender.recv().await.unwrap_err()));
    }
    // and again, and it is over at once
    near.close().await;
}

/// None leaves before the last of them has sent what it has.
pub(crate) async fn a_network_that_closes_sends_what_its_connections_have_for_each_other(
    world: World,
) {
    let network = world.network().await;
    let mut connections = Vec::new();
    for n in 0..3 {
        for address in [world.address(n), world.address(n).reversed()] {
            let config = wide(world.config());
            connections.push(network.connect(address, config).await.unwrap());
        }
    }
    for connection in &connections {
        for n in 0..5 {
            connection.try_send([n; 20]).unwrap();
        }
    }
    network.close().await;
    for connection in &connections {
        for n in 0..5 {
            assert_eq!(connection.recv().await.unwrap(), [n; 20]);
        }
        assert!(is_closed(&connection.recv().await.unwrap_err()));
    }
}

fn is_closed(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::Closed)
}

pub(crate) async fn a_closed_network_ends_every_call_that_waits(world: World) {
    let Pair {
        network,
        tester,
        ecu,
    } = world.pair(world.config(), world.config()).await;
    let (again, third) = (Begun::new(tester.next_event()), Begun::new(tester.recv()));
    let timed = Begun::new(tester.recv_timeout(LONG));
    let mut stream = ecu;
    let streamed = (world.way.guarantees().address).then(|| Begun::new(stream.next()));
    network.close().await;
    assert!(is_closed(&again.end().await.unwrap_err()));
    assert!(is_closed(&third.end().await.unwrap_err()));
    let timed = timed.end().await.unwrap_err();
    assert_eq!(timed.to_string(), ConnectionError::Closed.to_string());
    if let Some(streamed) = streamed {
        assert!(streamed.end().await.is_none());
    }
    let late = tester.send([1]).await;
    assert!(
        matches!(late, Err(SendError::Connection(ConnectionError::Closed))),
        "{late:?}"
    );
    let late = tester.try_send([1]);
    let closed = matches!(
        late,
        Err(TrySendError::Connection(ConnectionError::Closed, _))
    );
    assert!(closed, "{late:?}");
    let late = network.connect(world.address(1), world.config()).await;
    let closed = matches!(late, Err(ConnectError::Network(ConnectionError::Closed)));
    assert!(closed, "{late:?}");
}

pub(crate) async fn a_bus_that_breaks_ends_every_call_that_waits(world: World) {
    let cable = Cable::default();
    let network = world.start(cable.clone());
    all_that_wait(&world, network, &cable, || cable.pull(), PULLED).await;
}

/// What waits is driven by the case's own runtime, and goes on to be.
pub(crate) async fn a_stopped_runtime_ends_every_call_that_waits(world: World) {
    let cable = Cable::default();
    let backend = Backend::bus(Path::new("contract"), cable.clone());
    let (network, stop) = (world.runner.stoppable)(backend);
    all_that_wait(&world, network, &cable, stop, "is gone").await;
}

/// Begins each call that waits, lets the end come, and looks for its reason in what each says. Each must be
/// woken by the end alone.
pub(crate) async fn all_that_wait(
    world: &World,
    network: Network,
    cable: &Cable,
    end: impl FnOnce(),
    reason: &str,
) {
    let mut config = Config::default();
    // longer than the case
    config.protocol.timing.n_as = LONG;
    let mut connections = Vec::new();
    for n in 0..5 {
        connections.push(
            network
                .connect(world.address(n), config.clone())
                .await
                .unwrap(),
        );
    }
    let [sends, reads, mut stream, mut sink, closes] = connections.try_into().unwrap();
    let bytes = network
        .connect(world.address(5), config.clone())
        .await
        .unwrap();
    let mut bytes = (world.runner.bytes)(bytes);
    let server = network
        .serve(world.address(6), config.clone(), |_, _| async {})
        .await
        .unwrap();
    let responders = [world.address(7)];
    let request = network
        .request_functional(responders, config.clone(), [1], LONG)
        .await;
    let mut responses = request.unwrap();
    let tap = network.tap(1).unwrap();
    cable.fill();
    let mut room = [0; 1];
    let offered = cable.offered();
    let mut waits = vec![("send", failing(sends.send([1; 9])))];
    // it is on its way, and a change waits for it
    eventually(|| cable.offered() > offered).await;
    closes.try_send([1]).unwrap();
    put_in(&mut sink);
    waits.extend([
        ("send_to", failing(sends.send_to(1, [1; 9]))),
        ("send_from", failing(sends.send_from([1; 9]))),
        ("send_functional", failing(sends.send_functional([1]))),
        ("configure", failing(sends.configure(Config::uds()))),
        ("recv", failing(reads.recv())),
        ("recv_timeout", failing(reads.recv_timeout(LONG))),
        ("next_event", failing(reads.next_event())),
        ("tap.recv", failing(tap.recv())),
        ("flush", failing(flush(&mut sink))),
        ("bytes.read", failing(bytes.read(&mut room))),
    ]);
    let requests = network.request_functional([world.address(8)], config.clone(), [1], LONG);
    waits.push(("request_functional", failing(requests)));
    let ended = Begun::new(server.ended());
    let streamed = Begun::new(stream.next());
    let response = Begun::new(responses.next());
    let closing = Begun::new(closes.close());
    end();
    for (name, wait) in waits {
        let said = wait.end().await;
        assert!(said.contains(reason), "{name}: {said:?}");
    }
    match ended.end().await {
        ServerEnd::Connection(error) => assert!(error.to_string().contains(reason), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(streamed.end().await.is_none());
    assert!(response.end().await.is_none());
    closing.end().await;
    after_the_end(world, &network, &reads, reason).await;
    network.close().await;
}

/// What fails, as it says so.
pub(crate) fn failing<'a, T, E: core::fmt::Display>(
    call: impl Future<Output = Result<T, E>> + 'a,
) -> Begun<'a, String> {
    Begun::new(async {
        match call.await {
            Ok(_) => "it succeeded".to_owned(),
            Err(error) => error.to_string(),
        }
    })
}

/// A message in a sink, which is not confirmed.
fn put_in(sink: &mut Connection) {
    let sink = core::pin::Pin::new(sink);
    futures_sink::Sink::start_send(sink, vec![1; 9]).unwrap();
}

/// Nothing hangs that begins now.
async fn after_the_end(world: &World, network: &Network, over: &Connection, reason: &str) {
    let config = Config::default();
    let said = [
        over.send([1]).await.unwrap_err().to_string(),
        over.send_functional([1]).await.unwrap_err().to_string(),
        over.try_send([1]).unwrap_err().to_string(),
        over.recv().await.unwrap_err().to_string(),
        over.try_recv().unwrap_err().to_string(),
        over.recv_timeout(LONG).await.unwrap_err().to_string(),
        over.next_event().await.unwrap_err().to_string(),
        over.configure(config.clone())
            .await
            .unwrap_err()
            .to_string(),
        network
            .connect(world.address(9), config.clone())
            .await
            .unwrap_err()
            .to_string(),
        network
            .serve(world.address(9), config.clone(), |_, _| async {})
            .await
            .unwrap_err()
            .to_string(),
        network
            .request_functional([world.address(9)], config, [1], LONG)
            .await
            .unwrap_err()
            .to_string(),
        network.tap(1).unwrap_err().to_string(),
    ];
    for text in said {
        assert!(text.contains(reason), "{text}");
    }
}

/// A connection is a handle of its network: whatever is dropped first, what is left works.
pub(crate) async fn handles_are_dropped_in_any_order(world: World) {
    let Pair {
        network,
        tester,
        ecu,
    } = world.pair(world.config(), world.config()).await;
    drop(network);
    tester.send([1; 20]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [1; 20]);
    drop(ecu);
    tester.send([2]).await.unwrap();
    drop(tester);
    let other = world.another();
    let Pair {
        network,
        tester,
        ecu,
    } = other.pair(world.config(), world.config()).await;
    drop((tester, ecu));
    let again = network
        .connect(other.address(0), world.config())
        .await
        .unwrap();
    drop(network);
    again.send([3]).await.unwrap();
}

/// Network, connections, halves, servers, requests: the driver ends with the last of them and not before.
pub(crate) async fn the_last_handle_ends_the_driver(world: World) {
    for last in 0..5 {
        let cable = Cable::default();
        let network = world.start(cable.clone());
        let config = Config::default();
        let connection = network
            .connect(world.address(0), config.clone())
            .await
            .unwrap();
        let split = network
            .connect(world.address(1), config.clone())
            .await
            .unwrap();
        let (send, recv) = split.into_split();
        let server = network
            .serve(world.address(2), config.clone(), |_, _| async {})
            .await;
        let responders = [world.address(3)];
        let responses = network
            .request_functional(responders, config, [1], LONG)
            .await;
        let witness = network.clone();
        let mut handles: Vec<Box<dyn Send>> = vec![
            Box::new(network),
            Box::new(connection),
            Box::new((send, recv)),
            Box::new(server.unwrap()),
            Box::new(responses.unwrap()),
        ];
        let kept = handles.remove(last);
        drop(handles);
        // the driver is asked, and answers
        drop(
            witness
                .connect(world.address(9), Config::default())
                .await
                .unwrap(),
        );
        drop(witness);
        assert!(!cable.is_alone(), "handle {last} keeps nothing");
        drop(kept);
        eventually(|| cable.is_alone()).await;
    }
}

pub(crate) async fn a_second_connection_on_an_address_is_refused_until_the_first_is_gone(
    world: World,
) {
    let network = world.network().await;
    for close in [false, true] {
        let first = network
            .connect(world.address(0), world.config())
            .await
            .unwrap();
        let second = network.connect(world.address(0), world.config()).await;
        let refused = second.unwrap_err();
        assert!(
            matches!(refused, ConnectError::AddressInUse { .. }),
            "{refused}"
        );
        let id = world.address(0).rx().id().to_string();
        assert!(refused.to_string().contains(&id), "{refused}");
        first.send([1]).await.unwrap();
        if close {
            first.close().await;
        }
    }
    network
        .connect(world.address(0), world.config())
        .await
        .unwrap();
}

/// Whatever it was doing.
pub(crate) async fn a_dropped_connection_leaves_the_bus_at_once(world: World) {
    let (network, mut connection, mut peer) = world.scripted(Config::default()).await;
    for _ in 0..3 {
        connection.try_send([1; 9]).unwrap();
        connection.try_send([2; 9]).unwrap();
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
        drop(connection);
        connection = network
            .connect(world.address(0), Config::default())
            .await
            .unwrap();
        // what would have made the dropped one go on
        peer.play(&[0x30, 0, 0]);
        peer.is_heard_by(&connection).await;
    }
    connection.send([3]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 3]);
}

const LONG: Duration = Duration::from_secs(1000);
