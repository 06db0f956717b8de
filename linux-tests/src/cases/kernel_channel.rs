//! Connections whose messages the kernel sends and receives.

use core::time::Duration;
use std::time::Instant;

use isotp_core::NResult;
use isotp_tokio::{Address, Config, Connection, Event, Network, SendError};
use tokio::time::timeout;

use super::peer::{Peer, ecu, tester};
use super::{Named, block_on, ensure, said, same};
use crate::deadline::{message, within};
use crate::idle;

pub(super) const CASES: &[Named] = &[
    ("kernel connection/messages of any size go both ways", echo),
    ("kernel connection/full duplex", duplex),
    ("kernel connection/no peer, then a good message", no_peer),
    (
        "kernel connection/a dropped send is not the next one",
        dropped,
    ),
    ("kernel connection/reader errors wake", reader_errors),
    ("kernel connection/after errors nothing spins", no_spin),
    (
        "kernel connection/dropping one in the middle blocks nobody",
        parting,
    ),
    (
        "kernel connection/what it does not guarantee is told",
        lacks,
    ),
    ("kernel connection/no wake-up is lost", wakes),
    ("kernel connection/an idle one costs nothing", costs_nothing),
];

pub(super) fn address() -> Address {
    Address::normal(tester(), ecu()).expect("two ids")
}

pub(super) async fn connect(network: &Network, address: Address) -> Result<Connection, String> {
    let mut config = Config::linux_kernel();
    config.max_message = 66_000;
    within("a connection", network.connect(address, config)).await
}

pub(super) async fn open(interface: &str) -> Result<(Network, Connection), String> {
    let string = format!("kernel:{interface}");
    let network = within("a network", Network::open(&string)).await?;
    let connection = connect(&network, address()).await?;
    Ok((network, connection))
}

pub(super) async fn event(connection: &Connection) -> Result<Event, String> {
    within("an event of the connection", connection.next_event()).await
}

fn result_of(sent: Result<(), SendError>) -> String {
    match sent {
        Ok(()) => "N_OK".to_owned(),
        Err(SendError::Failed(result)) => result.name().to_owned(),
        Err(error) => error.to_string(),
    }
}

fn echo(interface: &str) -> Result<String, String> {
    block_on(async {
        let (network, client) = open(interface).await?;
        let server = connect(&network, address().reversed()).await?;
        same("path", client.path().name(), &format!("kernel:{interface}"))?;
        let guarantees = client.guarantees();
        ensure(guarantees.confirmation && guarantees.address, "guarantees")?;
        ensure(!guarantees.back_pressure && !guarantees.abort, "guarantees")?;
        for size in [1, 6, 7, 8, 62, 63, 4095, 4096, 60_000] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            client.send(bytes.clone()).await.map_err(said)?;
            let there = message(&server).await?;
            server.send(there).await.map_err(said)?;
            let back = message(&client).await?;
            ensure(back == bytes, format!("{size} bytes came back as others"))?;
        }
        match client.send(vec![7; 66_001]).await {
            Err(SendError::Refused(refused)) => {
                let max = 66_000;
                let expected = isotp_driver::core::SendError::TooLong { size: 66_001, max };
                ensure(refused.error == expected, refused.error.to_string())?;
                let back = refused.payload.into_bytes();
                ensure(
                    back == Some(vec![7; 66_001]),
                    "the message does not come back",
                )?;
            }
            other => return Err(format!("66001 bytes: {}", result_of(other))),
        }
        network.close().await;
        Ok(String::new())
    })
}

fn duplex(interface: &str) -> Result<String, String> {
    block_on(async {
        let (network, one) = open(interface).await?;
        let other = connect(&network, address().reversed()).await?;
        for round in 0..10_u8 {
            let (there, back) = tokio::join!(
                one.send(vec![round; 3000]),
                other.send(vec![round + 100; 2000])
            );
            there.map_err(said)?;
            back.map_err(said)?;
            ensure(message(&other).await? == vec![round; 3000], "there")?;
            ensure(message(&one).await? == vec![round + 100; 2000], "back")?;
        }
        Ok(String::new())
    })
}

fn no_peer(interface: &str) -> Result<String, String> {
    block_on(async {
        let (network, client) = open(interface).await?;
        let start = Instant::now();
        let alone = client.send(vec![1; 100]).await;
        let waited = start.elapsed();
        same("alone", result_of(alone).as_str(), "N_TIMEOUT_Bs")?;
        let server = connect(&network, address().reversed()).await?;
        client.send(vec![2; 100]).await.map_err(said)?;
        let received = message(&server).await?;
        ensure(received == vec![2; 100], "the second message")?;
        Ok(format!("N_TIMEOUT_Bs after {waited:?}"))
    })
}

fn dropped(interface: &str) -> Result<String, String> {
    block_on(async {
        let (_network, client) = open(interface).await?;
        let peer = Peer::open(interface)?;
        let given_up = timeout(Duration::from_millis(100), client.send(vec![1; 20])).await;
        ensure(given_up.is_err(), "it was sent without a peer")?;
        same("FF", peer.hear()?.as_str(), "10 14 01 01 01 01 01 01")?;
        // it waits for the end of the first, which fails while this one waits
        let start = Instant::now();
        let sent = client.send(vec![2; 2]).await;
        same("the next", result_of(sent).as_str(), "N_OK")?;
        let waited = start.elapsed();
        same("SF", peer.hear()?.as_str(), "02 02 02")?;

        // and the other way: the first succeeds, the second has no answer
        let given_up = timeout(Duration::from_millis(100), client.send(vec![3; 8])).await;
        ensure(given_up.is_err(), "it was sent without an answer")?;
        peer.hear()?;
        let (sent, answered) = tokio::join!(client.send(vec![4; 9]), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            peer.say("30 00 00")
        });
        answered?;
        same("the one after", result_of(sent).as_str(), "N_TIMEOUT_Bs")?;
        same("CF of the first", peer.hear()?.as_str(), "21 03 03")?;
        same(
            "FF of the second",
            peer.hear()?.as_str(),
            "10 09 04 04 04 04 04 04",
        )?;
        Ok(format!("the next waited {waited:?}"))
    })
}

fn reader_errors(interface: &str) -> Result<String, String> {
    block_on(async {
        let (_network, client) = open(interface).await?;
        let peer = Peer::open(interface)?;
        peer.say("10 14 00 01 02 03 04 05")?;
        let start = Instant::now();
        same(
            "silent",
            event(&client).await?,
            Event::Failed(NResult::TimeoutCr),
        )?;
        let silent = start.elapsed();
        ensure(silent < Duration::from_millis(1300), format!("{silent:?}"))?;
        peer.say("10 14 00 01 02 03 04 05")?;
        peer.say("23 06 07 08 09 0A 0B 0C")?;
        let start = Instant::now();
        let Event::Failed(result) = event(&client).await? else {
            return Err("expected a failed reception".to_owned());
        };
        same("wrong", result.name(), "N_WRONG_SN")?;
        let wrong = start.elapsed();
        ensure(wrong < Duration::from_millis(300), format!("{wrong:?}"))?;
        peer.say("03 01 02 03")?;
        let received = message(&client).await?;
        ensure(received == [1, 2, 3], "the message afterwards")?;
        Ok(format!(
            "silence told after {silent:?}, a wrong number after {wrong:?}"
        ))
    })
}

/// A reactor that takes an error for the end of the writing side would call the socket writable for
/// ever.
fn no_spin(interface: &str) -> Result<String, String> {
    block_on(async {
        let (_network, client) = open(interface).await?;
        let peer = Peer::open(interface)?;
        for _ in 0..2 {
            peer.say("10 14 00 01 02 03 04 05")?;
            peer.say("23 06 07 08 09 0A 0B 0C")?;
            event(&client).await?;
            ensure(
                client.send(vec![1; 20]).await.is_err(),
                "sent without a peer",
            )?;
        }
        let before = crate::sys::processor_time();
        let sending = client.send(vec![2; 20]);
        let alone = timeout(Duration::from_millis(800), sending).await;
        ensure(alone.is_err(), "it was over within 0.8 s")?;
        let used = crate::sys::processor_time() - before;
        ensure(
            used < Duration::from_millis(80),
            format!("{used:?} of 0.8 s"),
        )?;
        Ok(format!("{used:?} of processor time in 0.8 s of waiting"))
    })
}

fn parting(interface: &str) -> Result<String, String> {
    block_on(async {
        let (network, client) = open(interface).await?;
        let given_up = timeout(Duration::from_millis(100), client.send(vec![1; 20])).await;
        ensure(given_up.is_err(), "it was sent without a peer")?;
        let start = Instant::now();
        drop(client);
        tokio::time::sleep(Duration::from_millis(10)).await;
        let took = start.elapsed();
        ensure(
            took < Duration::from_millis(200),
            format!("it took {took:?}"),
        )?;
        // the address is free when the kernel has finished with it
        let again = connect(&network, address()).await?;
        let waited = start.elapsed();
        let sent = again.send(vec![2; 3]).await;
        same("the new one", result_of(sent).as_str(), "N_OK")?;
        Ok(format!(
            "dropped in {took:?}, opened again after {waited:?}"
        ))
    })
}

fn lacks(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("kernel:{interface}")).await;
        let mut config = Config::linux_kernel();
        config.queue = 1;
        let client = network.map_err(said)?.connect(address(), config).await;
        let client = client.map_err(said)?;
        let peer = Peer::open(interface)?;
        // no back-pressure: the second is confirmed to its sender, and lost
        for _ in 0..2 {
            peer.say("10 08 00 01 02 03 04 05")?;
            same("FC", peer.hear()?.as_str(), "30 00 00")?;
            peer.say("21 06 07")?;
        }
        within("the loss of the second", async {
            while client.statistics().messages_lost == 0 {
                tokio::task::yield_now().await;
            }
            Ok::<(), String>(())
        })
        .await?;
        let first = event(&client).await?;
        ensure(matches!(first, Event::Message(_)), format!("{first:?}"))?;
        same("then", event(&client).await?, Event::Lagged(1))?;
        let functional = client.send_functional(vec![1]).await;
        let refused = matches!(functional, Err(SendError::Refused(_)));
        ensure(refused, format!("{functional:?}"))?;
        Ok(String::new())
    })
}

/// A lost one would show as a second: so long the channel waits until it looks by itself.
fn wakes(interface: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.map_err(said)?.block_on(async {
        let (network, client) = open(interface).await?;
        let server = connect(&network, address().reversed()).await?;
        let mut slowest = Duration::ZERO;
        for number in 0..2000_usize {
            let start = Instant::now();
            let size = if number % 2 == 0 { 5 } else { 20 };
            let (sent, received) = tokio::join!(client.send(vec![1; size]), message(&server));
            sent.map_err(said)?;
            same("the size", received?.len(), size)?;
            slowest = slowest.max(start.elapsed());
        }
        ensure(
            slowest < Duration::from_millis(800),
            format!("the slowest took {slowest:?}"),
        )?;
        Ok(format!("the slowest of 2000 took {slowest:?}"))
    })
}

fn costs_nothing(interface: &str) -> Result<String, String> {
    block_on(async {
        let (_network, client) = open(interface).await?;
        client.send(vec![1; 3]).await.map_err(said)?;
        idle::costs_nothing(2).await
    })
}
