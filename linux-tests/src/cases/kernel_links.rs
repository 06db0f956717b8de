//! Many links on one interface, some of the kernel's and some of our own stack's.

use core::time::Duration;
use std::time::Instant;

use isotp_core::Id;
use isotp_tokio::{Address, Config, ConnectError, Connection, Network};
use tokio::time::timeout;

use super::kernel_channel::{address, connect, open};
use super::{Named, block_on, ensure, said, same};
use crate::deadline::message;

pub(super) const CASES: &[Named] = &[
    ("kernel links/a second one on a pair is refused", pairs),
    ("kernel links/formats of addresses", formats),
    ("kernel links/hundreds at once", many),
    (
        "kernel links/hundreds that are dropped in the middle",
        dropped,
    ),
    ("kernel links/hundreds that are closed", closed),
    ("socketcan/each link goes the way that honours it", paths),
    (
        "socketcan/links of both ways hear each other once",
        both_ways,
    ),
    ("socketcan/a second link on a pair is refused", both_pairs),
];

pub(super) fn is_in_use<T>(answer: &Result<T, ConnectError>) -> bool {
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
                same("the size", message(&server).await?.len(), size)?;
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
                let (sent, received) = tokio::join!(client.send(bytes.clone()), message(&server));
                sent.map_err(said)?;
                ensure(received? == bytes, "another message")
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(said)??;
        }
        Ok(String::new())
    })
}

/// Links on pairs of ids of their own.
async fn hundreds(network: &Network) -> Result<Vec<Connection>, String> {
    let mut links = Vec::new();
    for number in 0..HUNDREDS {
        let id = |value: u16| Id::standard(value).expect("11 bits");
        let address = Address::normal(id(number), id(0x400 + number)).map_err(said)?;
        links.push(connect(network, address).await?);
    }
    Ok(links)
}

/// Each waits for a flow control that nobody sends, and so does whoever closes its socket.
fn dropped(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("kernel:{interface}")).await;
        let network = network.map_err(said)?;
        let links = hundreds(&network).await?;
        let peer = isotp_socketcan::RawSocket::open(interface).map_err(said)?;
        for link in &links {
            link.try_send(vec![1; 100]).map_err(said)?;
        }
        let begun = tokio::task::spawn_blocking(move || {
            let mut frame = isotp_core::Frame::new();
            (0..HUNDREDS).try_for_each(|_| peer.receive(&mut frame, Some(SECOND)).map(drop))
        });
        begun.await.map_err(said)?.map_err(said)?;
        let before = crate::sys::threads()?;
        let addresses: Vec<_> = links.iter().map(|link| *link.address()).collect();
        let start = Instant::now();
        drop(links);
        let in_the_middle = connect(&network, addresses[0]);
        let soon = timeout(Duration::from_millis(200), in_the_middle).await;
        ensure(soon.is_err(), "it was closed in the middle of a message")?;
        let blocked = start.elapsed();
        let meanwhile = crate::sys::threads()?;
        // all at once: each waits for the end of its own
        let mut again = tokio::task::JoinSet::new();
        for address in addresses {
            let network = network.clone();
            again.spawn(async move { connect(&network, address).await });
        }
        let again = again.join_all().await;
        again.into_iter().collect::<Result<Vec<_>, _>>()?;
        let took = start.elapsed();
        let after = crate::sys::threads()?;
        let text = format!(
            "threads {before}, {meanwhile} while {HUNDREDS} links were closed, {after} at the end; the \
             runtime went on after {blocked:?}, the last was gone after {took:?}"
        );
        ensure(meanwhile.max(after) <= before + CLOSERS, text.clone())?;
        ensure(blocked < Duration::from_millis(600), text.clone())?;
        Ok(text)
    })
}

/// Nobody answers first frames to these.
fn unanswered(interface: &str, addresses: &[Address]) -> Result<(), String> {
    let peer = isotp_socketcan::RawSocket::open(interface).map_err(said)?;
    let mut frame = isotp_core::Frame::new();
    for address in addresses {
        let first = isotp_core::FrameView {
            id: address.rx().id(),
            kind: isotp_core::FrameKind::Classic,
            data: &[0x10, 0x14, 0, 1, 2, 3, 4, 5],
        };
        peer.send(first, Some(SECOND)).map_err(said)?;
        let echo = peer.receive(&mut frame, Some(SECOND)).map_err(said)?;
        ensure(echo.is_echo(), format!("{frame} came"))?;
    }
    match peer.receive(&mut frame, Some(Duration::from_millis(200))) {
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Ok(()),
        other => Err(format!("{frame} came: {other:?}")),
    }
}

/// Whoever closes one waits until it is gone.
fn closed(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("kernel:{interface}")).await;
        let network = network.map_err(said)?;
        let mut took = Vec::new();
        for busy in [false, true] {
            let links = hundreds(&network).await?;
            if busy {
                links
                    .iter()
                    .try_for_each(|link| link.try_send(vec![1; 100]).map_err(said))?;
                tokio::task::yield_now().await;
            }
            let idle = crate::sys::threads()?;
            let addresses: Vec<_> = links.iter().map(|link| *link.address()).collect();
            let start = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for link in links {
                tasks.spawn(async move { link.close().await });
            }
            let mut most = 0;
            while let Some(done) = tasks.join_next().await {
                done.map_err(said)?;
                most = most.max(crate::sys::threads()?);
            }
            took.push(format!("{:?}, {idle} to {most} threads", start.elapsed()));
            ensure(most <= idle + CLOSERS, took.join(", "))?;
            unanswered(interface, &addresses)?;
        }
        Ok(took.join("; in the middle "))
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
                let (sent, received) = tokio::join!(from.send(vec![3; size]), message(to));
                sent.map_err(said)?;
                same("the size", received?.len(), size)?;
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
/// The most threads that close sockets.
const CLOSERS: usize = 4;
const HUNDREDS: u16 = 200;
