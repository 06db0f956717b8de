//! Ten thousand connections on one network, under tokio: prints what they cost, as one line of numbers.
//!
//! A program of its own, since it counts allocations, which slows down everything else in a program.
#![forbid(unsafe_code)]

use core::fmt;
use core::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use isotp_driver::{Address, Config, Connection, Id, Network};
use isotp_virtual::VirtualBus;

type Result<T> = core::result::Result<T, String>;

fn main() -> ExitCode {
    match measure() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("crowd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything on one thread, whose allocations are counted. Gives what the other program reads.
fn measure() -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(said)?;
    let network = runtime.block_on(async {
        let network = isotp_tokio::Network::with_bus(VirtualBus::default().port());
        // the first connections bring what the network has once
        let pairs = connect(&network, 0..1).await?;
        exchange(&pairs).await?;
        Ok::<_, String>(((*network).clone(), pairs))
    });
    let (network, _first) = network?;
    let (connections, mut connecting, mut messages_a_second) = (2 * PAIRS, 0.0, 0.0);
    let mut pairs: Result<_> = Ok(Vec::new());
    let counted = allocation_counter::measure(|| {
        pairs = runtime.block_on(async {
            let begin = Instant::now();
            let pairs = connect(&network, 1..PAIRS + 1).await?;
            connecting = begin.elapsed().as_secs_f64();
            for _ in 0..2 {
                let begin = Instant::now();
                exchange(&pairs).await?;
                messages_a_second = f64::from(PAIRS) / begin.elapsed().as_secs_f64();
            }
            Ok(pairs)
        });
    });
    // they are alive until here
    let pairs = pairs?;
    let bytes_each = counted.bytes_current as f64 / f64::from(connections);
    let closing = runtime.block_on(close(&network, &pairs))?;
    Ok(format!(
        "{connections} {MESSAGE} {connecting} {messages_a_second} {bytes_each} {closing}"
    ))
}

/// Seconds in which the network closes, with a message to be sent from each pair: they all arrive.
async fn close(network: &Network, pairs: &[(Connection, Connection)]) -> Result<f64> {
    for (sender, _) in pairs {
        sender.try_send(vec![0x55; MESSAGE]).map_err(said)?;
    }
    let begin = Instant::now();
    network.close().await;
    let closing = begin.elapsed().as_secs_f64();
    for (_, receiver) in pairs {
        receiver
            .try_recv()
            .map_err(said)?
            .ok_or("a message was not sent")?;
    }
    Ok(closing)
}

async fn connect(network: &Network, numbers: Range<u32>) -> Result<Vec<(Connection, Connection)>> {
    let mut pairs = Vec::with_capacity(numbers.len());
    for number in numbers {
        let id = |value| Id::extended(value).map_err(said);
        let address = Address::normal(id(0x10_0000 + number)?, id(0x20_0000 + number)?);
        let address = address.map_err(said)?;
        let connect = async |address| {
            network
                .connect(address, Config::default())
                .await
                .map_err(said)
        };
        pairs.push((connect(address).await?, connect(address.reversed()).await?));
    }
    Ok(pairs)
}

/// A message from one end of each pair to the other, all at once; and all of them are taken.
async fn exchange(pairs: &[(Connection, Connection)]) -> Result<()> {
    for (sender, _) in pairs {
        sender.try_send(vec![0x55; MESSAGE]).map_err(said)?;
    }
    for (_, receiver) in pairs {
        let message = receiver.recv().await.map_err(said)?;
        if message != vec![0x55; MESSAGE] {
            return Err("another message came".to_owned());
        }
    }
    Ok(())
}

const PAIRS: u32 = 5000;
/// Bytes in each: several frames, and a receive buffer that must be gone afterwards.
const MESSAGE: usize = 200;

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}
