//! Connections as streams and sinks, in halves, and as bytes.

use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;

use futures_lite::StreamExt;
use futures_lite::future::{or, zip};
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use futures_sink::Sink;
use isotp_driver::{
    Address, Config, ConnectError, Connection, NResult, Network, RecvHalf, Responses, SendError,
    SendHalf, Server, Tap,
};

use crate::points::Begun;
use crate::world::{Pair, World, wide};

/// Handles go to other tasks and are shared among them, and so do the futures of all their methods. Those of
/// `open` and of a bridge are boxed as such by [`Under`](crate::Under).
#[allow(dead_code, reason = "that it compiles is all")]
fn handles_are_send_and_sync(
    (connection, network): (&Connection, &Network),
    (sender, receiver): (&SendHalf, &RecvHalf),
    (server, responses, tap): (&Server, &mut Responses, &Tap),
    address: Address,
    (closed, stopped): (Connection, Server),
) {
    fn both<T: Send + Sync>() {}
    fn goes<T: Send>(_: T) {}
    both::<(Connection, Network, SendHalf, RecvHalf)>();
    both::<(Server, Tap)>();
    goes::<Option<Responses>>(None);
    let config = Config::default;
    let buffer = isotp_driver::core::GrowingBuffer::new(9);
    goes((
        network.connect(address, config()),
        network.connect_into(address, config(), buffer),
        network.serve(address, config(), |_, _| async {}),
        network.request_functional([address], config(), [1], Duration::ZERO),
        network.close(),
    ));
    goes((
        connection.send([1]),
        connection.send_to(1, [1]),
        connection.send_from([1; 1]),
        connection.send_functional([1]),
        connection.recv(),
        connection.recv_timeout(Duration::ZERO),
        connection.next_event(),
        connection.configure(config()),
        closed.close(),
    ));
    goes((
        sender.send([1]),
        sender.send_from([1; 1]),
        sender.send_functional([1]),
        receiver.recv(),
        receiver.recv_timeout(Duration::ZERO),
        receiver.next_event(),
    ));
    goes((server.ended(), stopped.close()));
    goes((responses.next(), tap.recv()));
}

pub(crate) async fn flush(
    sink: &mut (impl Sink<Vec<u8>, Error = SendError> + Unpin),
) -> Result<(), SendError> {
    poll_fn(|cx| Sink::<Vec<u8>>::poll_flush(Pin::new(&mut *sink), cx)).await
}

pub(crate) async fn ready(
    sink: &mut (impl Sink<Vec<u8>, Error = SendError> + Unpin),
) -> Result<(), SendError> {
    poll_fn(|cx| Sink::<Vec<u8>>::poll_ready(Pin::new(&mut *sink), cx)).await
}

pub(crate) async fn close(
    sink: &mut (impl Sink<Vec<u8>, Error = SendError> + Unpin),
) -> Result<(), SendError> {
    poll_fn(|cx| Sink::<Vec<u8>>::poll_close(Pin::new(&mut *sink), cx)).await
}

/// Waits for room, and puts a message in.
pub(crate) async fn feed(
    sink: &mut (impl Sink<Vec<u8>, Error = SendError> + Unpin),
    message: Vec<u8>,
) -> Result<(), SendError> {
    ready(sink).await?;
    Pin::new(sink).start_send(message)
}

pub(crate) async fn a_connection_is_a_stream_that_ends_and_a_sink_that_confirms(world: World) {
    let pair = world.pair(world.config(), wide(world.config())).await;
    let (mut tester, mut ecu) = (pair.tester, pair.ecu);
    let lengths = [1_usize, 100, 7, 4095];
    for len in lengths {
        feed(&mut tester, vec![9; len]).await.unwrap();
    }
    flush(&mut tester).await.unwrap();
    assert_eq!(tester.queued(), 0);
    for len in lengths {
        assert_eq!(ecu.next().await.unwrap().len(), len);
    }
    for len in lengths {
        ecu.send(vec![8; len]).await.unwrap();
    }
    for len in lengths {
        assert_eq!(tester.next().await.unwrap().len(), len);
    }
    let end = Begun::new(tester.next());
    pair.network.close().await;
    assert!(end.end().await.is_none());
}

pub(crate) async fn a_sink_has_so_much_room_and_tells_each_failure_once(world: World) {
    let config = Config {
        send_queue: 2,
        ..world.hasty()
    };
    let (_network, mut sink, mut peer) = world.scripted(config).await;
    feed(&mut sink, vec![1; 9]).await.unwrap();
    feed(&mut sink, vec![2; 3]).await.unwrap();
    let full = Begun::new(ready(&mut sink));
    // nobody answers the first
    assert_eq!(peer.heard().await[..2], [0x10, 9]);
    let failed = full.end().await.unwrap_err();
    assert_eq!(failed.result(), Some(NResult::TimeoutBs));
    flush(&mut sink).await.unwrap();
    assert_eq!(peer.heard().await, [3, 2, 2, 2]);
}

/// Closing one flushes, and leaves the bus.
pub(crate) async fn a_closed_sink_has_sent_everything(world: World) {
    let pair = world.pair(world.config(), wide(world.config())).await;
    let mut tester = pair.tester;
    for n in 0..5 {
        feed(&mut tester, vec![n; 20]).await.unwrap();
    }
    close(&mut tester).await.unwrap();
    for n in 0..5 {
        assert_eq!(pair.ecu.recv().await.unwrap(), [n; 20]);
    }
    pair.network
        .connect(world.address(0), world.config())
        .await
        .unwrap();
}

pub(crate) async fn halves_work_apart_and_the_last_one_leaves_the_bus(world: World) {
    let Pair {
        network,
        tester,
        ecu,
    } = world.pair(world.config(), world.config()).await;
    let (send, recv) = tester.into_split();
    let echo = async {
        let message = ecu.recv().await.unwrap();
        ecu.send(message).await.unwrap();
        core::future::pending::<()>().await;
    };
    let there_and_back = async {
        let (sent, back) = zip(send.send([5; 50]), recv.recv()).await;
        sent.unwrap();
        assert_eq!(back.unwrap(), [5; 50]);
    };
    or(there_and_back, echo).await;
    drop(recv);
    let taken = network.connect(world.address(0), world.config()).await;
    assert!(
        matches!(taken, Err(ConnectError::AddressInUse { .. })),
        "the sending half has it"
    );
    drop(send);
    network
        .connect(world.address(0), world.config())
        .await
        .unwrap();
}

/// Each write is a message; reads know no borders, and end with the connection.
pub(crate) async fn bytes_are_written_as_messages_and_read_as_they_come(world: World) {
    let Pair {
        network,
        tester,
        ecu,
    } = world.pair(world.config(), world.config()).await;
    let mut bytes = (world.runner.bytes)(tester);
    assert_eq!(bytes.write(&[1; 30]).await.unwrap(), 30);
    assert_eq!(bytes.write(&[2; 3]).await.unwrap(), 3);
    bytes.flush().await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [1; 30]);
    assert_eq!(ecu.recv().await.unwrap(), [2; 3]);
    ecu.send([3; 5]).await.unwrap();
    ecu.send([4; 20]).await.unwrap();
    let mut room = [0; 4];
    assert_eq!(bytes.read(&mut room).await.unwrap(), 4);
    assert_eq!(room, [3; 4]);
    let mut room = [0; 21];
    bytes.read_exact(&mut room).await.unwrap();
    assert_eq!((room[0], &room[1..]), (3, &[4; 20][..]));
    let mut rest = Vec::new();
    let end = Begun::new(bytes.read_to_end(&mut rest));
    network.close().await;
    assert_eq!(end.end().await.unwrap(), 0);
    let broken = bytes.write(&[0]).await.unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::BrokenPipe);
}
