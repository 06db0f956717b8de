//! What a way lacks, it says: each of [`Guarantees`](isotp_driver::Guarantees) holds where a connection claims
//! it, and where it does not, something else happens, or the call is refused with a reason.

use core::time::Duration;

use async_io::Timer;
use futures_lite::future::{or, pending, zip};
use isotp_driver::core::{GrowingBuffer, SendError as Misuse};
use isotp_driver::{
    Config, ConnectError, Connection, Event, NResult, RecvTimeoutError, RequestError, SendError,
};

use crate::peer::Peer;
use crate::world::{Way, World, eventually};

pub(crate) async fn guarantees_are_those_of_the_documents(world: World) {
    let (_network, connection, _peer) = world.scripted(world.config()).await;
    assert_eq!(connection.guarantees(), world.way.guarantees());
}

/// Nobody answers: that is told, or the send was over before.
pub(crate) async fn confirmation_is_as_told(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.hasty()).await;
    let sent = connection.send([1; 9]).await;
    assert_eq!(peer.heard().await[..2], [0x10, 9]);
    if connection.guarantees().confirmation {
        assert_eq!(sent.unwrap_err().result(), Some(NResult::TimeoutBs));
    } else {
        sent.unwrap();
    }
}

/// The second message waits for its place, or is confirmed to its sender: then it waits in TCP, or is lost.
pub(crate) async fn back_pressure_is_as_told(world: World) {
    let one = Config {
        queue: 1,
        ..world.impatient()
    };
    let (_network, connection, mut peer) = world.scripted(one).await;
    let waits_in_tcp = world.way == Way::Isotpserver;
    for n in 0..3 {
        peer.play(&[0x10, 8, n, n, n, n, n, n]);
        let mut answer = peer.heard().await;
        if connection.guarantees().back_pressure && n > 0 {
            assert_eq!(answer, [0x31, 0, 0]);
            assert_eq!(connection.recv().await.unwrap(), [n - 1; 8]);
            while answer == [0x31, 0, 0] {
                answer = peer.heard().await;
            }
        }
        assert_eq!(answer, [0x30, 0, 0]);
        peer.play(&[0x21, n, n]);
        if waits_in_tcp && n > 0 {
            continue;
        }
        eventually(|| {
            let counted = connection.statistics();
            counted.messages_received + counted.messages_lost > u64::from(n)
        })
        .await;
    }
    if waits_in_tcp {
        for n in 0..3 {
            assert_eq!(connection.recv().await.unwrap(), [n; 8]);
        }
        return assert_eq!(connection.statistics().messages_lost, 0);
    }
    let (left, lost) = match connection.guarantees().back_pressure {
        true => (2, None),
        false => (0, Some(Event::Lagged(2))),
    };
    loop {
        match connection.next_event().await.unwrap() {
            Event::FirstFrame { .. } => {}
            Event::Message(message) => break assert_eq!(message, [left; 8]),
            other => panic!("{other:?}"),
        }
    }
    match lost {
        Some(lost) => assert_eq!(connection.next_event().await.unwrap(), lost),
        None => assert_eq!(connection.statistics().messages_lost, 0),
    }
}

/// What is given up in the middle is over, or goes on to its end: a dropped send, and a dropped connection.
pub(crate) async fn abort_is_as_told(world: World) {
    let (network, connection, mut peer) = world.scripted(world.config()).await;
    let told = connection.guarantees().abort;
    begin(&connection, &mut peer).await;
    if told {
        world.is_served(&network).await;
    }
    peer.play(&[0x30, 0, 0]);
    if !told {
        assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
    }
    connection.send([2]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 2]);
    // the flow control too: it must not be taken for that of the next
    peer.is_heard_by(&connection).await;

    begin(&connection, &mut peer).await;
    drop(connection);
    let again = || network.connect(world.address(0), world.config());
    let early = if told { Some(again().await) } else { None };
    peer.play(&[0x30, 0, 0]);
    if !told {
        assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
    }
    let connection = match early {
        Some(connection) => connection,
        None => again().await,
    };
    connection.unwrap().send([3]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 3]);
}

/// Begins to send, and drops that.
async fn begin(connection: &Connection, peer: &mut Peer) {
    let sending = async {
        connection.send([1; 9]).await.unwrap();
        // where it is over at once
        pending::<()>().await;
    };
    let begun = async {
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
    };
    or(sending, begun).await;
}

/// A limit of WAITs is kept, or counts for nothing, or is refused.
pub(crate) async fn timing_is_as_told(world: World) {
    let network = world.network().await;
    let told = world.way.guarantees();
    let mut config = world.config();
    config.protocol.transmit.max_wait = Some(1);
    let connected = network.connect(world.address(0), config).await;
    if !told.timing && told.address {
        // the kernel has its own timers, and says which field it cannot honour
        refused(connected.map(drop), "max_wait is 1");
        let fields: [(&str, Change); 5] = [
            ("n_as", |config| config.protocol.timing.n_as = ODD),
            ("n_bs", |config| config.protocol.timing.n_bs = ODD),
            ("n_ar", |config| config.protocol.timing.n_ar = ODD),
            ("n_cr", |config| config.protocol.timing.n_cr = ODD),
            ("max_wait", |config| config.protocol.receive.max_wait = 3),
        ];
        for (name, change) in fields {
            let mut config = world.config();
            change(&mut config);
            let connected = network.connect(world.address(0), config).await;
            refused(connected.map(drop), name);
        }
        return;
    }
    let (connection, mut peer) = (connected.unwrap(), world.peer());
    let script = async {
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
        for fs in [0x31, 0x31, 0x30] {
            peer.play(&[fs, 0, 0]);
        }
    };
    let (sent, ()) = zip(connection.send([1; 9]), script).await;
    if told.timing {
        let overrun = NResult::WaitOverrun { limit: 1 };
        assert_eq!(sent.unwrap_err().result(), Some(overrun));
    } else {
        sent.unwrap();
        assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
    }
}

type Change = fn(&mut Config);

const ODD: Duration = Duration::from_millis(777);

pub(crate) async fn functional_is_as_told(world: World) {
    let network = world.network().await;
    let (told, mut peer) = (world.way.guarantees(), world.peer());
    let id = world.address(1).tx().id();
    let address = world.address(0);
    let functional = match address.functional_tx() {
        Some(_) => address,
        None => address.with_functional_tx(id).unwrap(),
    };
    let request = network
        .request_functional([functional], world.config(), [1], ODD)
        .await;
    if told.functional {
        drop(request.unwrap());
        assert_eq!(peer.heard().await, [1, 1]);
        let connection = network.connect(functional, world.config()).await.unwrap();
        connection.send_functional([2]).await.unwrap();
        assert_eq!(peer.heard().await, [1, 2]);
        return;
    }
    match request.map(drop) {
        Err(RequestError::Connect(error)) => {
            refused(Err(error), "has no functional requests");
        }
        other => panic!("{other:?}"),
    }
    if told.address {
        let connected = network.connect(functional, world.config()).await;
        refused(connected.map(drop), "functional");
    }
    let connection = network.connect(address, world.config()).await.unwrap();
    match connection.send_functional([1]).await {
        Err(SendError::Refused(refused)) => {
            assert_eq!(refused.error, Misuse::NoFunctionalId);
            assert_eq!(refused.payload.into_bytes(), Some(vec![1]));
        }
        other => panic!("{other:?}"),
    }
}

/// The beginning of a long message keeps `recv_timeout` waiting, or it does not.
pub(crate) async fn first_frame_is_as_told(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    let told = connection.guarantees().first_frame;
    peer.play(&[0x10, 9, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
    let short = Duration::from_millis(30);
    let timed = zip(connection.recv_timeout(short), async {
        Timer::after(3 * short).await;
        peer.play(&[0x21, 7, 8, 9]);
    });
    match timed.await.0 {
        Ok(message) => {
            assert!(told);
            assert_eq!(message.len(), 9);
        }
        Err(RecvTimeoutError::TimedOut(_)) => {
            assert!(!told, "it has begun");
            let whole = connection.next_event().await.unwrap();
            assert!(
                matches!(&whole, Event::Message(message) if message.len() == 9),
                "{whole:?}"
            );
        }
        Err(error) => panic!("{error}"),
    }
}

/// Frames have the ids of the connection, or those that somebody else chose; and no two connections have the
/// same.
pub(crate) async fn address_is_as_told(world: World) {
    let network = world.network().await;
    let connection = network
        .connect(world.address(1), world.config())
        .await
        .unwrap();
    let told = connection.guarantees().address;
    let mut peer = world.peer_of(u32::from(told));
    connection.send([1]).await.unwrap();
    assert_eq!(peer.heard().await, [1, 1]);
    peer.play(&[1, 2]);
    assert_eq!(connection.recv().await.unwrap(), [2]);
    let second = network
        .connect(world.address(1), world.config())
        .await
        .unwrap_err();
    if told {
        assert!(
            matches!(second, ConnectError::AddressInUse { .. }),
            "{second}"
        );
    } else {
        refused(Err(second), "one pair of addresses");
    }
    let other = network.connect(world.address(2), world.config()).await;
    if told {
        other.unwrap();
    } else {
        refused(other.map(drop), "one pair of addresses");
    }
}

/// The parameters are those of the connection, or those of the server.
pub(crate) async fn the_configuration_is_as_told(world: World) {
    let mut config = world.config();
    config.protocol.receive.block_size = 7;
    let (_network, connection, mut peer) = world.scripted(config).await;
    peer.play(&[0x10, 9, 1, 2, 3, 4, 5, 6]);
    let asked = if connection.guarantees().address {
        7
    } else {
        0
    };
    assert_eq!(peer.heard().await, [0x30, asked, 0]);
}

/// What only the own stack can do is refused elsewhere, with the name of the way: another configuration,
/// taps, receive buffers of the caller's.
pub(crate) async fn what_only_frames_allow_is_refused_elsewhere(world: World) {
    let (network, connection, _peer) = world.scripted(world.config()).await;
    let frames = world.way.guarantees().first_frame;
    let changed = connection.configure(world.config()).await;
    let tap = network.tap(1);
    drop(connection);
    let buffer = GrowingBuffer::new(100);
    let into = network
        .connect_into(world.address(3), world.config(), buffer)
        .await;
    if frames {
        changed.unwrap();
        tap.unwrap();
        into.unwrap();
        return;
    }
    for (call, text) in [
        (changed, "the backend is set up once"),
        (tap.map(drop), "shows no frames"),
        (
            into.map(drop),
            "whole messages do not go through a buffer of the caller's",
        ),
    ] {
        let said = call.as_ref().unwrap_err().to_string();
        assert!(said.starts_with(network.path().name()), "{said}");
        refused(call, text);
    }
}

/// With a reason.
fn refused(call: Result<(), ConnectError>, reason: &str) {
    match call {
        Err(ConnectError::Backend(error)) => {
            assert!(error.to_string().contains(reason), "{error}");
        }
        other => panic!("expected a refusal with {reason:?}, got {other:?}"),
    }
}
