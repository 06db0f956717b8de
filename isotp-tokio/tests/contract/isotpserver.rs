//! The bridge across TCP: our server against plain TCP peers, our client against it and against a
//! scripted server.

use core::time::Duration;

use isotp_tokio::driver::isotpserver::{Bridge, BridgeOptions, MAX_MESSAGE};
use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{
    Config, ConnectError, Connection, ConnectionError, Event, Network, SendError, Tokio,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{address, outside, runtime};

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(20);
/// Messages of 4095 bytes, more than the system keeps for a peer of little memory: 4 MiB at most.
const MANY: usize = 700;

/// A bridge, and the ECU at the other end of its connection.
async fn bridge(options: BridgeOptions) -> (Bridge, Connection, Network) {
    let network = Network::with_bus(VirtualBus::default().port());
    let config = Config {
        queue: 1000,
        ..Config::default()
    };
    let ecu = network.connect(address().reversed(), config.clone()).await;
    let connection = network.connect(address(), config).await.unwrap();
    let bridge = Bridge::listen(&Tokio::current(), "127.0.0.1:0", connection, options).await;
    (bridge.unwrap(), ecu.unwrap(), network)
}

async fn peer(bridge: &Bridge) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(bridge.address()).await.unwrap())
}

async fn peer_of_little_memory(bridge: &Bridge) -> BufReader<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let connected = socket.connect(bridge.address().parse().unwrap());
    BufReader::new(connected.await.unwrap())
}

async fn line(peer: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    let read = tokio::time::timeout(LONG, peer.read_line(&mut line)).await;
    read.expect("a line in time").unwrap();
    line
}

async fn heard(connection: &Connection) -> Vec<u8> {
    let received = tokio::time::timeout(LONG, connection.recv()).await;
    received.expect("a message in time").unwrap().into_bytes()
}

#[tokio::test]
async fn clients_share_one_connection_and_all_hear_everything() {
    let (bridge, ecu, _network) = bridge(BridgeOptions::default()).await;
    let (mut a, mut b) = (peer(&bridge).await, peer(&bridge).await);
    a.write_all(b"noise<0102>\n").await.unwrap();
    assert_eq!(heard(&ecu).await, [1, 2]);
    b.write_all(b"<zz><03").await.unwrap();
    b.write_all(b"04>").await.unwrap();
    assert_eq!(heard(&ecu).await, [3, 4]);
    ecu.send([0xAB; 20]).await.unwrap();
    let expected = format!("<{}>\n", "AB".repeat(20));
    assert_eq!(line(&mut a).await, expected);
    assert_eq!(line(&mut b).await, expected);
}

#[tokio::test]
async fn a_peer_that_sends_garbage_or_disappears_costs_the_others_nothing() {
    let (bridge, ecu, _network) = bridge(BridgeOptions::default()).await;
    let mut good = peer(&bridge).await;
    let mut bad = peer(&bridge).await;
    for _ in 0..64 {
        bad.write_all(&[b'5'; 1 << 16]).await.unwrap();
    }
    bad.write_all(b"<0102").await.unwrap();
    drop(bad);
    good.write_all(b"<07>").await.unwrap();
    assert_eq!(
        heard(&ecu).await,
        [7],
        "half a message of the other is none"
    );
    ecu.send([8]).await.unwrap();
    assert_eq!(line(&mut good).await, "<08>\n");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_closed_and_the_others_lose_nothing() {
    let options = {
        let mut options = BridgeOptions::default();
        options.queue = 4;
        options
    };
    let (bridge, ecu, _network) = bridge(options).await;
    let (mut good, mut lazy) = (peer(&bridge).await, peer_of_little_memory(&bridge).await);
    // both are known to the bridge
    for peer in [&mut good, &mut lazy] {
        peer.write_all(b"<01>").await.unwrap();
        heard(&ecu).await;
    }
    // more than the buffers of the system between the two ends hold
    let long = vec![0x11; 4095];
    for _ in 0..MANY {
        ecu.send(long.clone()).await.unwrap();
        assert_eq!(line(&mut good).await.len(), 2 * 4095 + 3);
    }
    let mut rest = Vec::new();
    let end = tokio::time::timeout(LONG, lazy.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "it was not closed");
    assert!(rest.len() < MANY * (2 * 4095 + 3), "it lost nothing");
}

#[tokio::test]
async fn one_client_too_many_is_closed_at_once() {
    let options = {
        let mut options = BridgeOptions::default();
        options.clients = 1;
        options
    };
    let (bridge, ecu, _network) = bridge(options).await;
    let mut first = peer(&bridge).await;
    first.write_all(b"<01>").await.unwrap();
    heard(&ecu).await;
    let mut second = peer(&bridge).await;
    assert_eq!(line(&mut second).await, "");
    first.write_all(b"<02>").await.unwrap();
    assert_eq!(heard(&ecu).await, [2]);
}

#[tokio::test]
async fn a_dropped_bridge_closes_its_clients_and_frees_its_address() {
    let (bridge, ecu, network) = bridge(BridgeOptions::default()).await;
    let mut peer = peer(&bridge).await;
    peer.write_all(b"<01>").await.unwrap();
    heard(&ecu).await;
    drop(bridge);
    assert_eq!(line(&mut peer).await, "");
    network.connect(address(), Config::default()).await.unwrap();
}

#[tokio::test]
async fn a_closed_network_closes_the_clients() {
    let (bridge, ecu, network) = bridge(BridgeOptions::default()).await;
    let mut peer = peer(&bridge).await;
    peer.write_all(b"<01>").await.unwrap();
    heard(&ecu).await;
    network.close().await;
    assert_eq!(line(&mut peer).await, "");
    drop(bridge);
}

#[tokio::test]
async fn our_client_talks_to_our_server() {
    let (bridge, ecu, _network) = bridge(BridgeOptions::default()).await;
    let string = format!("isotpserver:{}", bridge.address());
    let network = Network::open(&string).await.unwrap();
    let client = network.connect(address(), Config::default()).await.unwrap();
    for len in [1, 7, 8, 4095, MAX_MESSAGE] {
        client.send(vec![0x5A; len]).await.unwrap();
        assert_eq!(heard(&ecu).await, vec![0x5A; len]);
        ecu.send(vec![0xC3; len]).await.unwrap();
        assert_eq!(heard(&client).await, vec![0xC3; len]);
    }
    let long = client.send(vec![0; MAX_MESSAGE + 1]).await;
    assert!(matches!(long, Err(SendError::Refused(_))));
    let second = network.connect(address().reversed(), Config::default());
    let refused = second.await.unwrap_err().to_string();
    assert!(refused.contains("one pair of addresses"), "{refused}");
    assert!(!client.guarantees().confirmation);
    drop(client);
    tokio::task::yield_now().await;
    let again = async {
        loop {
            match network.connect(address(), Config::default()).await {
                Err(ConnectError::Backend(_)) => tokio::task::yield_now().await,
                other => break other,
            }
        }
    };
    let again = tokio::time::timeout(LONG, again).await.unwrap().unwrap();
    again.send([1, 2, 3]).await.unwrap();
    assert_eq!(heard(&ecu).await, [1, 2, 3]);
}

#[tokio::test]
async fn the_end_of_the_tcp_connection_ends_the_connection_with_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let string = format!("isotpserver:{}", listener.local_addr().unwrap());
    let (network, accepted) = tokio::join!(Network::open(&string), listener.accept());
    let network = network.unwrap();
    let client = network.connect(address(), Config::default()).await.unwrap();
    let (mut server, _) = accepted.unwrap();
    server.write_all(b"garbage<aB>more<01").await.unwrap();
    assert_eq!(heard(&client).await, [0xAB]);
    drop(server);
    let ended = tokio::time::timeout(LONG, client.recv()).await.unwrap();
    let Err(ConnectionError::Bus(error)) = ended else {
        panic!("{ended:?}");
    };
    assert!(error.to_string().contains("?reconnect"), "{error}");
}

#[tokio::test]
async fn with_reconnect_the_next_server_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let string = format!("isotpserver:{}?reconnect", listener.local_addr().unwrap());
    let (network, accepted) = tokio::join!(Network::open(&string), listener.accept());
    let network = network.unwrap();
    let client = network.connect(address(), Config::default()).await.unwrap();
    let (mut server, _) = accepted.unwrap();
    server.write_all(b"<01><0").await.unwrap();
    assert_eq!(heard(&client).await, [1]);
    drop(server);
    let (mut server, _) = tokio::time::timeout(LONG, listener.accept())
        .await
        .unwrap()
        .unwrap();
    server.write_all(b"2><03>").await.unwrap();
    assert_eq!(
        heard(&client).await,
        [3],
        "half a message is over with its stream"
    );
    client.send([9, 9]).await.unwrap();
    let mut read = [0; 7];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"<0909>\n");
}

#[test]
fn a_network_is_connected_again_from_outside_its_runtime() {
    let runtime = runtime();
    let (bridge, ecu, _network) = runtime.block_on(bridge(BridgeOptions::default()));
    let string = format!("isotpserver:{}", bridge.address());
    let network = runtime.block_on(Network::open(&string)).unwrap();
    for n in 0..3 {
        let client = outside(network.connect(address(), Config::default())).unwrap();
        outside(client.send([n])).unwrap();
        assert_eq!(runtime.block_on(heard(&ecu)), [n]);
        outside(client.close());
    }
}

/// With a server that is there, and while the next one is waited for.
#[test]
fn a_runtime_that_is_shut_down_ends_every_wait_across_tcp() {
    for gone in [false, true] {
        let runtime = runtime();
        let (client, network, server) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let string = format!("isotpserver:{}?reconnect", listener.local_addr().unwrap());
            let (network, accepted) = tokio::join!(Network::open(&string), listener.accept());
            let network = network.unwrap();
            let client = network.connect(address(), Config::default()).await.unwrap();
            let (server, _) = accepted.unwrap();
            if gone {
                drop((server, listener));
                let lost = client.next_event().await.unwrap();
                assert!(matches!(lost, Event::Failed(_)), "{lost:?}");
                return (client, network, None);
            }
            (client, network, Some((server, listener)))
        });
        let waits = outside(async {
            // it waits by then
            let stop = async {
                tokio::task::yield_now().await;
                std::thread::spawn(move || drop(runtime)).join().unwrap();
            };
            let (received, event, ()) = tokio::join!(client.recv(), client.next_event(), stop);
            [received.unwrap_err(), event.unwrap_err()]
        });
        for error in waits {
            assert!(matches!(error, ConnectionError::Stopped), "{error}");
        }
        let sent = outside(client.send([1])).unwrap_err();
        assert!(sent.to_string().contains("is gone"), "{sent}");
        outside(network.close());
        drop(server);
    }
}

#[tokio::test]
async fn a_string_with_a_mistake_says_what_is_expected() {
    for (string, expected) in [
        ("isotpserver:localhost", "HOST:PORT"),
        ("isotpserver::20000", "HOST:PORT"),
        ("isotpserver:localhost:99999", "HOST:PORT"),
        ("isotpserver:localhost:1?again", "expected reconnect"),
        ("isotpserver:127.0.0.1:1", "where isotpserver should listen"),
    ] {
        let error = Network::open(string).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{string}: {error}");
    }
}
