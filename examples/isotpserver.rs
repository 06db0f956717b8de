//! ISO-TP across TCP, as `isotpserver` of can-utils speaks it: both ends.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo run --example isotpserver` | both ends in one process, an ECU on a virtual bus, and checks |
//! | `.. isotpserver -- server CONNECTION HOST:PORT` | lets TCP clients be the tester (7E0, 7E8) on a bus |
//! | `.. isotpserver -- client HOST:PORT BYTE..` | sends bytes to such a server, or to that of can-utils |
use core::time::Duration;

use isotp_examples::Outcome;
use isotp_tokio::isotpserver::{Bridge, BridgeOptions};
use isotp_tokio::{Address, Config, Connection, Id, Message, Network, Tokio};

const USAGE: &str = "isotpserver [server CONNECTION HOST:PORT | client HOST:PORT BYTE..]";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    isotp_examples::exit(run().await)
}

async fn run() -> Outcome {
    let words = isotp_examples::words(USAGE);
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => both().await,
        ["server", bus, listen] => serve(bus, listen).await,
        ["client", server, ref bytes @ ..] if !bytes.is_empty() => ask(server, bytes).await,
        _ => Err(format!("expected {USAGE}").into()),
    }
}

async fn both() -> Outcome {
    let network = Network::open("virtual:isotpserver").await?;
    let ecu = network.connect(tester()?.reversed(), Config::uds()).await?;
    tokio::spawn(async move {
        while let Ok(message) = ecu.recv().await {
            ecu.send(message).await.ok();
        }
    });
    let bridge = bridge(&network, "127.0.0.1:0").await?;
    println!("listening on {}", bridge.address());

    // all clients share the one address on the bus: each of them hears every message
    let one = client(bridge.address()).await?;
    let two = client(bridge.address()).await?;
    for message in [vec![0x3E, 0x00], vec![0x55; 6000]] {
        one.send(message.clone()).await?;
        assert_eq!(within_a_second(&one).await?, message);
        assert_eq!(within_a_second(&two).await?, message);
        println!("{} bytes went out and came back", message.len());
    }
    // what the string cannot promise: `send` resolves when TCP has the message
    assert!(!one.guarantees().confirmation);

    drop(bridge);
    let lost = one.recv().await.expect_err("the server is gone");
    println!("without the server: {lost}");
    Ok(())
}

async fn serve(bus: &str, listen: &str) -> Outcome {
    let network = Network::open(bus).await?;
    let bridge = bridge(&network, listen).await?;
    println!("{} is on {bus}; end it with Ctrl-C", bridge.address());
    core::future::pending().await
}

async fn ask(server: &str, bytes: &[&str]) -> Outcome {
    let bytes = isotp_examples::bytes(bytes)?;
    let client = client(server).await?;
    client.send(bytes).await?;
    println!("answer: {:02X?}", &within_a_second(&client).await?[..]);
    Ok(())
}

/// A server whose clients are the tester on this network.
async fn bridge(network: &Network, listen: &str) -> Outcome<Bridge> {
    let connection = network.connect(tester()?, Config::uds()).await?;
    let options = BridgeOptions::default();
    Ok(Bridge::listen(&Tokio::current(), listen, connection, options).await?)
}

/// A client. The address counts for nothing: the server has chosen it.
async fn client(server: &str) -> Outcome<Connection> {
    let network = Network::open(&format!("isotpserver:{server}")).await?;
    Ok(network.connect(tester()?, Config::default()).await?)
}

async fn within_a_second(client: &Connection) -> Outcome<Message> {
    Ok(client.recv_timeout(Duration::from_secs(1)).await?)
}

fn tester() -> Outcome<Address> {
    Ok(Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?)
}
