//! Many links on one interface, some of the kernel's and some of our own stack's.

use core::time::Duration;

use isotp_core::Id;
use isotp_tokio::{Address, Config, ConnectError, Network};
use tokio::time::timeout;

use super::kernel_channel::{address, connect, open};
use super::{Named, block_on, ensure, said, same};

pub(super) const CASES: &[Named] = &[
    ("kernel links/a second one on a pair is refused", pairs),
    ("kernel links/formats of addresses", formats),
    ("kernel links/hundreds at once", many),
    ("socketcan/each link goes the way that honours it", paths),
    (
        "socketcan/links of both ways hear each other once",
        both_ways,
    ),
    ("socketcan/a second link on a pair is refused", both_pairs),
];

fn is_in_use<T>(answer: &Result<T, ConnectError>) -> bool {
    matches!(answer, Err(ConnectError::AddressInUse { .. }))
}

fn pairs(interface: &str) -> Result<String, String> {
    block_on(async {
        let (network, client) = open(interface).await?;
        let (other, _) = (Network::open(&format!("kernel:{interface}")).await, ());
        let other = other.map_err(said)?;
        for network in [&network, &other] {
            let again = network.connect(address(), Config::linux_kernel()).await;
            ensure(is_in_use(&again), format!("{again:?}"))?;
        }
        client.close().await;
        let again = connect(&other, address()).await?;
        again.send(vec![1; 3]).await.map_err(said)?;
        Ok(String::new())
    })
}

fn formats(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("kernel:{interface}")).await;
        let network = network.map_err(said)?;
        let id = |value| Id::standard(value).expect("11 bits");
        let wide = |value| Id::extended(value).expect("29 bits");
        for address in [
            Address::normal(id(0x123), id(0x321)),
            Address::normal(wide(0x18DA_0102), wide(0x123)),
            Address::normal_fixed(0xF1, 0x10),
            Address::extended(id(0x600), 0x10, id(0x610), 0xF1),
            Address::mixed_11(id(0x700), id(0x701), 0x99),
            Address::mixed_29(0xF1, 0x10, 0x99),
        ] {
            let address = address.map_err(said)?;
            let client = connect(&network, address).await?;
            let server = connect(&network, address.reversed()).await?;
            for size in [1, 5, 6, 7, 8, 100] {
                client.send(vec![9; size]).await.map_err(said)?;
                let message = timeout(SECOND, server.recv()).await;
                let message = message.map_err(|_| format!("{address:?}: nothing came"))?;
                same("the size", message.map_err(said)?.len(), size)?;
            }
        }
        Ok(String::new())
    })
}

fn many(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("kernel:{interface}")).await;
        let network = network.map_err(said)?;
        let mut ends = Vec::new();
        for number in 0..100 {
            let id = |value: u16| Id::standard(value).expect("11 bits");
            let address = Address::normal(id(number), id(0x400 + number)).map_err(said)?;
            let client = connect(&network, address).await?;
            ends.push((client, connect(&network, address.reversed()).await?));
        }
        let mut tasks = tokio::task::JoinSet::new();
        for (number, (client, server)) in ends.into_iter().enumerate() {
            tasks.spawn(async move {
                let bytes = vec![number as u8; 500 + number];
                let (sent, received) = tokio::join!(client.send(bytes.clone()), server.recv());
                sent.map_err(said)?;
                ensure(received.map_err(said)? == bytes, "another message")
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(said)??;
        }
        Ok(String::new())
    })
}

fn paths(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("socketcan:{interface}")).await;
        let network = network.map_err(said)?;
        let kernel = network.connect(address(), Config::linux_kernel()).await;
        let kernel = kernel.map_err(said)?;
        same("path", kernel.path().name(), &format!("kernel:{interface}"))?;
        ensure(!kernel.guarantees().abort, "the kernel cannot abort")?;
        let own = network
            .connect(address().reversed(), Config::default())
            .await;
        let own = own.map_err(said)?;
        same("path", own.path().name(), &format!("socketcan:{interface}"))?;
        ensure(own.guarantees().back_pressure, "our own stack")?;
        let reason = own.path().reason().unwrap_or_default();
        for field in ["receive.max_wait is 16", "transmit.max_wait is 32"] {
            ensure(reason.contains(field), format!("{field}: {reason}"))?;
        }
        Ok(format!("{}, {}", kernel.path(), own.path()))
    })
}

fn both_ways(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("socketcan:{interface}")).await;
        let network = network.map_err(said)?;
        let kernel = connect(&network, address()).await?;
        let own = network
            .connect(address().reversed(), Config::default())
            .await;
        let own = own.map_err(said)?;
        for size in [1, 7, 8, 4095, 20_000] {
            for (from, to) in [(&kernel, &own), (&own, &kernel)] {
                let (sent, received) = tokio::join!(from.send(vec![3; size]), to.recv());
                sent.map_err(said)?;
                same("the size", received.map_err(said)?.len(), size)?;
                let again = timeout(Duration::from_millis(50), to.recv()).await;
                ensure(
                    again.is_err(),
                    format!("{size} bytes came twice: {again:?}"),
                )?;
                let own_echo = timeout(Duration::from_millis(10), from.recv()).await;
                ensure(own_echo.is_err(), format!("its own message: {own_echo:?}"))?;
            }
        }
        Ok(String::new())
    })
}

fn both_pairs(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("socketcan:{interface}")).await;
        let network = network.map_err(said)?;
        for (first, second) in [
            (Config::linux_kernel(), Config::linux_kernel()),
            (Config::linux_kernel(), Config::default()),
            (Config::default(), Config::linux_kernel()),
            (Config::default(), Config::default()),
        ] {
            let held = network.connect(address(), first).await.map_err(said)?;
            let again = network.connect(address(), second).await;
            ensure(is_in_use(&again), format!("{}: {again:?}", held.path()))?;
            let buffer = isotp_core::GrowingBuffer::new(4095);
            let config = Config::default();
            let into = network.connect_into(address(), config, buffer).await;
            ensure(is_in_use(&into), format!("{}: {into:?}", held.path()))?;
            held.send(vec![1; 3]).await.map_err(said)?;
            held.close().await;
        }
        Ok(String::new())
    })
}

const SECOND: Duration = Duration::from_secs(1);
