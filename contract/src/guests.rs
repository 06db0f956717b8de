//! What a bridge promises to its TCP clients, and to whoever talks to them on the bus.

use core::net::SocketAddr;
use core::time::Duration;
use std::net::TcpStream;

use async_io::{Async, Timer};
use futures_lite::future::{or, zip};
use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use isotp_driver::isotpserver::{Bridge, BridgeOptions, MAX_MESSAGE};
use isotp_driver::{Config, Connection, Id, NResult, Network, StMin};

use crate::peer::Peer;
use crate::world::{World, eventually, wide};

type Client = BufReader<Async<TcpStream>>;

/// A bridge whose connection is so configured, and the network that the connection is on.
async fn bridge(world: &World, config: Config, options: BridgeOptions) -> (Bridge, Network) {
    let network = world.bus_network();
    let connection = network.connect(world.address(0), config).await;
    let bridge = (world.runner.listen)(connection.unwrap(), options).await;
    (bridge.unwrap(), network)
}

/// The same, with an ECU at the other end of the connection.
async fn bridge_to_ecu(world: &World, ecu: Config) -> (Bridge, Connection, Network) {
    let config = wide(Config::default());
    let (bridge, network) = bridge(world, config, BridgeOptions::default()).await;
    let ecu = network.connect(world.address(0).reversed(), ecu).await;
    (bridge, ecu.unwrap(), network)
}

async fn client(bridge: &Bridge) -> Client {
    let address: SocketAddr = bridge.address().parse().unwrap();
    BufReader::new(Async::<TcpStream>::connect(address).await.unwrap())
}

/// Two, which the bridge has let in.
async fn two_clients(bridge: &Bridge, peer: &mut Peer) -> [Client; 2] {
    let mut clients = [client(bridge).await, client(bridge).await];
    for client in &mut clients {
        says(client, "<01>").await;
        assert_eq!(peer.heard().await, [1, 1]);
    }
    clients
}

async fn says(client: &mut Client, text: &str) {
    client.write_all(text.as_bytes()).await.unwrap();
}

/// The next line; empty at the end.
async fn line(client: &mut Client) -> String {
    let mut line = String::new();
    // closed, or reset
    client.read_line(&mut line).await.unwrap_or(0);
    line.trim_end().to_owned()
}

/// An ECU that takes its time, so that messages wait in TCP.
fn slow() -> Config {
    let mut config = wide(Config::default());
    let gap = StMin::at_least(Duration::from_micros(200));
    config.protocol.receive.st_min = gap.unwrap();
    config
}

/// What fails does so soon.
fn hasty() -> Config {
    let mut config = Config::default();
    config.protocol.timing.n_bs = Duration::from_millis(200);
    config.protocol.timing.n_cr = Duration::from_millis(200);
    config
}

/// What TCP took arrives, though nobody reads any more what the ECU answers.
pub(crate) async fn a_client_that_closes_has_sent_everything(world: World) {
    for through_network in [false, true] {
        let (bridge, ecu, _far) = bridge_to_ecu(&world, slow()).await;
        let string = format!("isotpserver:{}", bridge.address());
        let network = (world.runner.open)(string).await.unwrap();
        let near = network.connect(world.address(0), wide(Config::default()));
        let near = near.await.unwrap();
        for n in 0..20 {
            near.try_send([n; 400]).unwrap();
        }
        let echo = async {
            for n in 0..20 {
                assert_eq!(ecu.recv().await.unwrap(), [n; 400]);
                ecu.send([n; 400]).await.unwrap();
            }
        };
        let close = async {
            if through_network {
                network.close().await;
            } else {
                near.close().await;
            }
        };
        zip(echo, close).await;
    }
}

/// Nor does a plain client lose anything that is gone at once.
pub(crate) async fn a_client_that_goes_at_once_has_sent_everything(world: World) {
    let (bridge, ecu, _network) = bridge_to_ecu(&world, slow()).await;
    let mut client = client(&bridge).await;
    for n in 0..20 {
        says(&mut client, &format!("<{}>", hex(n, 400))).await;
    }
    drop(client);
    for n in 0..20 {
        assert_eq!(ecu.recv().await.unwrap(), [n; 400]);
        ecu.send([n; 8]).await.unwrap();
    }
}

/// What the ECU saw confirmed reaches the clients, whatever ends the bridge.
pub(crate) async fn clients_get_what_was_received_before_the_end(world: World) {
    for by_network in [true, false] {
        let (bridge, ecu, network) = bridge_to_ecu(&world, slow()).await;
        let (mut one, mut other) = (client(&bridge).await, client(&bridge).await);
        for client in [&mut one, &mut other] {
            says(client, "<01>").await;
            assert_eq!(ecu.recv().await.unwrap(), [1]);
        }
        for n in 0..30 {
            ecu.send([n; 20]).await.unwrap();
        }
        let address = bridge.address().to_owned();
        let mut bridge = Some(bridge);
        let reads = async |client: &mut Client| {
            for n in 0..30 {
                assert_eq!(line(client).await, format!("<{}>", hex(n, 20)));
            }
            assert_eq!(line(client).await, "");
        };
        let ends = async {
            if by_network {
                network.close().await;
            } else {
                bridge.take().unwrap().close().await;
                // it is the connection's end as well
                let again = network.connect(world.address(0), world.config()).await;
                drop(again.unwrap());
                let late = Async::<TcpStream>::connect(address.parse::<SocketAddr>().unwrap());
                assert!(late.await.is_err(), "it listens still");
            }
        };
        // the one stays, and reads later
        zip(reads(&mut other), ends).await;
        reads(&mut one).await;
    }
}

/// Whatever it says meanwhile.
pub(crate) async fn a_client_that_speaks_while_the_network_closes_gets_everything(world: World) {
    let mut slow = Config::default();
    slow.protocol.receive.st_min = StMin::at_least(Duration::from_millis(100)).unwrap();
    let (bridge, network) = bridge(&world, slow, BridgeOptions::default()).await;
    let ecu = network.connect(world.address(0).reversed(), Config::default());
    let (ecu, mut client) = (ecu.await.unwrap(), client(&bridge).await);
    says(&mut client, "<01>").await;
    assert_eq!(ecu.recv().await.unwrap(), [1]);
    ecu.try_send([0x55; 30]).unwrap();
    let speaks = async {
        // it has begun to close
        let later = async || network.connect(world.address(1), world.config()).await;
        while later().await.is_ok() {}
        says(&mut client, "<02>").await;
        assert_eq!(line(&mut client).await, format!("<{}>", hex(0x55, 30)));
        assert_eq!(line(&mut client).await, "");
    };
    zip(network.close(), speaks).await;
}

/// A short queue is no reason to close a client that reads.
pub(crate) async fn a_client_that_reads_gets_every_message_of_a_burst(world: World) {
    for queue in [0, 1, 4] {
        let world = world.another();
        let mut options = BridgeOptions::default();
        options.queue = queue;
        let (bridge, _network) = bridge(&world, wide(Config::default()), options).await;
        let (mut client, mut peer) = (client(&bridge).await, world.peer());
        says(&mut client, "<01>").await;
        assert_eq!(peer.heard().await, [1, 1]);
        for n in 0..8 {
            peer.play(&[1, n]);
        }
        for n in 0..8 {
            assert_eq!(
                line(&mut client).await,
                format!("<{}>", hex(n, 1)),
                "{queue}"
            );
        }
    }
}

/// What nobody may send is dropped, and its client stays.
pub(crate) async fn a_client_of_a_connection_that_only_listens_stays(world: World) {
    let mut listens = wide(Config::default());
    listens.protocol.receive.listen_only = true;
    let (bridge, _network) = bridge(&world, listens, BridgeOptions::default()).await;
    let (mut client, mut peer) = (client(&bridge).await, world.peer());
    // it may not be in yet
    let known = async {
        loop {
            peer.play(&[1, 0]);
            Timer::after(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(or(line(&mut client), known).await, "<00>");
    for n in 1..20 {
        says(&mut client, "<01>").await;
        peer.play(&[1, n]);
        let expected = format!("<{}>", hex(n, 1));
        loop {
            match line(&mut client).await {
                heard if heard == expected => break,
                heard => assert_eq!(heard, "<00>"),
            }
        }
    }
}

/// What came whole before a failure is still for the clients that it closes.
pub(crate) async fn clients_get_what_came_before_the_failure_that_closes_them(world: World) {
    let network = world.bus_network();
    let functional = Id::standard(0x7DF).unwrap();
    let address = world.address(0).with_functional_rx(functional).unwrap();
    let mut options = BridgeOptions::default();
    options.close_on_error = true;
    let connection = network.connect(address, Config::default()).await.unwrap();
    let bridge = (world.runner.listen)(connection, options).await.unwrap();
    let (mut client, mut peer) = (client(&bridge).await, world.peer());
    says(&mut client, "<01>").await;
    assert_eq!(peer.heard().await, [1, 1]);
    peer.play(&[0x10, 20, 0, 0, 0, 0, 0, 0]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
    peer.play_on(functional, &[1, 2]);
    // not the one that comes next
    peer.play(&[0x25, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(line(&mut client).await, "<02>");
    assert_eq!(line(&mut client).await, "");
}

/// A client that has gone keeps its place while its message is under way: there are never more messages under
/// way than clients allowed.
pub(crate) async fn a_message_keeps_the_place_of_a_client_that_has_gone(world: World) {
    let mut options = BridgeOptions::default();
    options.clients = 1;
    let (bridge, _network) = bridge(&world, Config::default(), options).await;
    let mut peer = world.peer();
    let mut gone = client(&bridge).await;
    says(&mut gone, &format!("<{}>", hex(1, 20))).await;
    assert_eq!(peer.heard().await[..2], [0x10, 20]);
    peer.play(&[1, 2]);
    assert_eq!(line(&mut gone).await, "<02>");
    drop(gone);
    for n in 3..6 {
        // the bridge finds out when it writes
        peer.play(&[1, n]);
        let mut refused = client(&bridge).await;
        assert_eq!(line(&mut refused).await, "", "there is no place");
    }
    // nobody answers the first frame
    eventually_let_in(&bridge).await;
}

/// A client is let in, and stays: a line of its own tells.
async fn eventually_let_in(bridge: &Bridge) {
    loop {
        let mut next = client(bridge).await;
        let mut byte = [0];
        let ended = async { next.read(&mut byte).await.unwrap_or(0) == 0 };
        let stays = async {
            Timer::after(Duration::from_millis(50)).await;
            false
        };
        if !or(ended, stays).await {
            return;
        }
    }
}

/// Nobody is closed for what fails on the bus, unless that is wanted: then the client whose message it was.
pub(crate) async fn a_failed_message_closes_its_client_where_that_is_wanted(world: World) {
    for close in [false, true] {
        let world = world.another();
        let mut options = BridgeOptions::default();
        options.close_on_error = close;
        let (bridge, network) = bridge(&world, hasty(), options).await;
        let mut peer = world.peer();
        let [mut fails, mut other] = two_clients(&bridge, &mut peer).await;
        says(&mut fails, &format!("<{}>", hex(1, 20))).await;
        assert_eq!(peer.heard().await[..2], [0x10, 20]);
        eventually(|| !network.statistics().failed_to_send.is_empty()).await;
        if close {
            assert_eq!(line(&mut fails).await, "");
        } else {
            says(&mut fails, "<02>").await;
            assert_eq!(peer.heard().await, [1, 2]);
        }
        peer.play(&[1, 3]);
        assert_eq!(line(&mut other).await, "<03>");
    }
}

/// And all of them for what is not received.
pub(crate) async fn a_failed_reception_closes_all_clients_where_that_is_wanted(world: World) {
    for close in [false, true] {
        let world = world.another();
        let mut options = BridgeOptions::default();
        options.close_on_error = close;
        let (bridge, _network) = bridge(&world, hasty(), options).await;
        let mut peer = world.peer();
        let [mut one, mut other] = two_clients(&bridge, &mut peer).await;
        peer.play(&[0x10, 20, 0, 0, 0, 0, 0, 0]);
        assert_eq!(peer.heard().await, [0x30, 0, 0]);
        // another that begins in its place: the first has failed
        peer.play(&[1, 3]);
        let expected = if close { "" } else { "<03>" };
        for client in [&mut one, &mut other] {
            assert_eq!(line(client).await, expected, "{close}");
        }
    }
}

/// What no client can take, its sender is told.
pub(crate) async fn a_message_too_long_for_clients_is_refused_on_the_bus(world: World) {
    let (bridge, ecu, _network) = bridge_to_ecu(&world, Config::default()).await;
    let mut client = client(&bridge).await;
    says(&mut client, "<01>").await;
    assert_eq!(ecu.recv().await.unwrap(), [1]);
    let refused = ecu.send(vec![1; MAX_MESSAGE + 1]).await.unwrap_err();
    assert_eq!(refused.result(), Some(NResult::BufferOverflow));
    ecu.send(vec![2; MAX_MESSAGE]).await.unwrap();
    assert_eq!(
        line(&mut client).await,
        format!("<{}>", hex(2, MAX_MESSAGE))
    );
}

fn hex(byte: u8, bytes: usize) -> String {
    format!("{byte:02X}").repeat(bytes)
}
