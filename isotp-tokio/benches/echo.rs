//! Round trips of messages between two connections, under tokio: `cargo bench -p isotp-tokio`.
//!
//! Over a virtual bus on which frames take no time, so that what is measured is the driver, the queues
//! and the runtime.
use core::time::Duration;
use std::time::Instant;

use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, Config, Connection, Id, Network};

fn main() {
    let one = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let many = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    for (name, runtime) in [("one thread", one), ("many threads", many)] {
        let runtime = runtime.expect("a tokio runtime");
        for networks in [1, 2] {
            for size in [12, 4095, 1 << 20] {
                let each = runtime.block_on(async { tokio::spawn(echo(networks, size)).await });
                let each = each.expect("the echo ran");
                let mb = 2.0 * size as f64 / each.as_secs_f64() / 1e6;
                println!(
                    "{name}, networks: {networks}, {size:>8} bytes: {each:>10.2?} {mb:>8.1} MB/s"
                );
            }
        }
    }
}

/// The time of one round trip.
async fn echo(networks: usize, size: usize) -> Duration {
    let bus = VirtualBus::default();
    let first = Network::with_bus(bus.port());
    let second = match networks {
        1 => first.clone(),
        _ => Network::with_bus(bus.port()),
    };
    let id = |value| Id::standard(value).expect("an 11-bit id");
    let address = Address::normal(id(0x7E0), id(0x7E8)).expect("two ids");
    let connect = async |network: &Network, address| -> Connection {
        let connection = network.connect(address, Config::default()).await;
        connection.expect("a connection")
    };
    let client = connect(&first, address).await;
    let server = connect(&second, address.reversed()).await;
    tokio::spawn(async move {
        while let Ok(message) = server.recv().await {
            server.send(message).await.ok();
        }
    });
    let message = vec![0x55; size];
    let mut start = Instant::now();
    let rounds = (20_000_000 / (size + 1000)).max(4);
    for round in 0..rounds + rounds / 4 {
        if round == rounds / 4 {
            start = Instant::now();
        }
        client.send(message.as_slice()).await.expect("sent");
        let echo = client.recv().await.expect("an echo");
        assert_eq!(echo.len(), size);
    }
    start.elapsed() / rounds as u32
}
