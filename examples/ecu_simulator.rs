//! Hundreds of ECUs in one process, each with its own address and memory, and a tester that talks to all
//! of them at once.
//!
//! `cargo run --example ecu_simulator [-- CONNECTION]`. With a connection string, such as `raw:vcan0`,
//! the ECUs are on that bus until Ctrl-C. An ECU at address NN takes frames on 18DANNF1.
use core::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::future::try_join_all;
use isotp_examples::Outcome;
use isotp_tokio::{Address, Config, Network, Server};

const TESTER: u8 = 0xF1;
const ECUS: RangeInclusive<u8> = 0x00..=0xEF;
/// Requests to each ECU.
const ROUNDS: u8 = 5;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    isotp_examples::exit(run().await)
}

async fn run() -> Outcome {
    let words = isotp_examples::words("ecu_simulator [CONNECTION]    such as: raw:vcan0");
    let connection = words.first();
    let network = Network::open(connection.map_or("virtual:vehicle", String::as_str)).await?;
    let mut ecus = Vec::new();
    for number in ECUS {
        ecus.push(start(&network, number).await?);
    }
    println!("{} ECUs are on {}", ecus.len(), network.path());
    if connection.is_some() {
        return core::future::pending().await;
    }

    let (tester, start) = (Network::open("virtual:vehicle").await?, Instant::now());
    let talks = ECUS.map(|number| talk(&tester, number));
    let bytes: usize = try_join_all(talks).await?.iter().sum();
    println!("{bytes} bytes of answers in {:.3?}", start.elapsed());
    assert_eq!(bytes, ecus.len() * usize::from(ROUNDS) * (3 + SIZE));

    // the end of the network is the end of each ECU
    network.close().await;
    for ecu in ecus {
        ecu.ended().await;
    }
    Ok(())
}

/// One ECU: a memory that is written with 2E and read with 22.
async fn start(network: &Network, number: u8) -> Outcome<Server> {
    let address = Address::normal_fixed(number, TESTER)?;
    let memory = Arc::new(Mutex::new(Vec::new()));
    let server = network.serve(address, Config::uds(), move |connection, request| {
        let memory = memory.clone();
        async move {
            let answer = answer(&mut memory.lock().expect("no ECU panics"), &request);
            connection.send(answer).await.ok();
        }
    });
    Ok(server.await?)
}

fn answer(memory: &mut Vec<u8>, request: &[u8]) -> Vec<u8> {
    match *request {
        [0x22, high, low] if !memory.is_empty() => [&[0x62, high, low], &memory[..]].concat(),
        [0x2E, high, low, ref data @ ..] if !data.is_empty() => {
            *memory = data.to_vec();
            vec![0x6E, high, low]
        }
        [service @ (0x22 | 0x2E), ..] => vec![0x7F, service, 0x31], // request out of range
        [service, ..] => vec![0x7F, service, 0x11],                 // service not supported
        [] => Vec::new(),                                           // ISO-TP has no empty message
    }
}

/// Writes and reads the memory of an ECU; gives how many bytes the answers had.
async fn talk(network: &Network, number: u8) -> Outcome<usize> {
    let address = Address::normal_fixed(TESTER, number)?;
    let ecu = network.connect(address, Config::uds()).await?;
    ecu.send([0x22, 0x12, 0x34]).await?;
    assert_eq!(ecu.recv().await?, [0x7F, 0x22, 0x31], "nothing written yet");
    let mut bytes = 0;
    for round in 1..=ROUNDS {
        let data = [number ^ round; SIZE];
        ecu.send([&[0x2E, 0x12, 0x34], &data[..]].concat()).await?;
        assert_eq!(ecu.recv().await?, [0x6E, 0x12, 0x34]);
        ecu.send([0x22, 0x12, 0x34]).await?;
        let answer = ecu.recv().await?;
        assert_eq!(answer[3..], data, "ECU {number:02X} has its own memory");
        bytes += answer.len();
    }
    Ok(bytes)
}

/// Bytes in the memory of an ECU.
const SIZE: usize = 200;
