//! Who is there? One functional request to all ECUs, and their answers: short ones, long ones, broken
//! ones, and none.
//!
//! `cargo run --example functional_discovery`
use core::time::Duration;
use isotp_examples::{Candump, Outcome};
use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, AddressError, Config, Network, Server};
use std::collections::BTreeMap;

const TESTER: u8 = 0xF1;
/// Addresses in which an ECU may be. Every third is empty.
const ECUS: core::ops::Range<u8> = 0x10..0x70;
/// The target address that stands for all of them.
const ALL: u8 = 0x33;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    isotp_examples::exit(run().await)
}

async fn run() -> Outcome {
    let mut frames = 12; // only the first frames are shown
    let _tap = VirtualBus::named("discovery").tap(move |at, frame| {
        if frames > 0 {
            println!("{}", Candump(at, frame));
            frames -= 1;
        }
    });
    let _ecus = start().await?;

    let network = Network::open("virtual:discovery").await?;
    let mut candidates = Vec::new();
    for ecu in ECUS {
        candidates.push(tester_of(ecu)?);
    }
    let window = Duration::from_millis(200); // for the beginning of an answer, not for its end
    let mut responses = network
        .request_functional(candidates, Config::uds(), [0x22, 0xF1, 0x90], window)
        .await?;
    let mut found = BTreeMap::new();
    while let Some(response) = responses.next().await {
        let ecu = response.responder.rx().id().value() as u8; // N_SA is the last byte of the id
        match response.outcome {
            Ok(answer) => {
                found.insert(ecu, answer);
            }
            Err(result) => println!("ECU {ecu:02X} began an answer: {result}"),
        }
    }
    for (ecu, answer) in &found {
        println!("ECU {ecu:02X}: {} bytes", answer.len());
    }
    println!("{} of {} addresses answered", found.len(), ECUS.len());

    assert_eq!(responses.lost(), 0);
    for ecu in ECUS {
        let answer = found.get(&ecu).map(|answer| &answer[..]);
        assert_eq!(answer, answer_of(ecu).as_deref(), "ECU {ecu:02X}");
    }
    Ok(())
}

/// The ECUs, on a network of their own: what they hear goes over the bus.
async fn start() -> Outcome<Vec<Server>> {
    let network = Network::open("virtual:discovery").await?;
    let mut ecus = Vec::new();
    for ecu in ECUS.filter(|ecu| ecu % 3 != 0) {
        let address = Address::normal_fixed(ecu, TESTER)?.with_functional_group(ALL)?;
        let server = network.serve(
            address,
            Config::uds(),
            move |connection, request| async move {
                if let (true, Some(answer)) = (request.is_functional(), answer_of(ecu)) {
                    connection.send(answer).await.ok();
                }
            },
        );
        ecus.push(server.await?);
    }
    Ok(ecus)
}

/// A single frame, a segmented message, or nothing.
fn answer_of(ecu: u8) -> Option<Vec<u8>> {
    match ecu % 6 {
        0 | 3 => None, // not there
        1 => Some(vec![0x7F, 0x22, 0x31]),
        2 | 4 => Some([&[0x62, 0xF1, 0x90][..], &[b'A' + ecu % 26; 17]].concat()),
        _ => None, // there, but it does not answer what it does not know
    }
}

fn tester_of(ecu: u8) -> Result<Address, AddressError> {
    Address::normal_fixed(TESTER, ecu)?.with_functional_target(ALL)
}
