//! Who is there? One functional request to all ECUs, and their answers: short ones, long ones, a broken
//! one, and none.
//!
//! `cargo run --example functional_discovery`
use core::time::Duration;
use isotp_driver::{FrameKind, FrameView};
use isotp_examples::{Candump, Outcome};
use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, AddressError, Config, Connection, Message, NResult, Network, Server};
use std::{collections::BTreeMap, sync::Arc};

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
    let candidates = ECUS.map(tester_of).collect::<Result<Vec<_>, _>>()?;
    let mut config = Config::uds();
    config.protocol.timing.n_cr = Duration::from_millis(500); // how long a broken answer is waited for
    let window = Duration::from_millis(200); // for the beginning of an answer, not for its end
    let responses = network.request_functional(candidates, config, [0x22, 0xF1, 0x90], window);
    let mut responses = responses.await?;
    let mut found = BTreeMap::new();
    while let Some(response) = responses.next().await {
        let ecu = response.responder.rx().id().value() as u8; // N_SA is the last byte of the id
        match &response.outcome {
            Ok(answer) => println!("ECU {ecu:02X}: {} bytes", answer.len()),
            Err(result) => println!("ECU {ecu:02X} began an answer: {result}"),
        }
        found.insert(ecu, response.outcome.map(Message::into_bytes));
    }
    println!("{} of {} addresses were heard of", found.len(), ECUS.len());

    assert_eq!(responses.lost(), 0);
    for ecu in ECUS {
        assert_eq!(found.remove(&ecu), outcome_of(ecu), "ECU {ecu:02X}");
    }
    Ok(())
}

/// The ECUs, on a network of their own: what they hear goes over the bus.
async fn start() -> Outcome<Vec<Server>> {
    let network = Network::open("virtual:discovery").await?;
    let mut ecus = Vec::new();
    for ecu in ECUS.filter(|ecu| ecu % 3 != 0) {
        let address = Address::normal_fixed(ecu, TESTER)?.with_functional_group(ALL)?;
        let handler = move |connection, request| answer(ecu, connection, request);
        ecus.push(network.serve(address, Config::uds(), handler).await?);
    }
    Ok(ecus)
}

async fn answer(ecu: u8, connection: Arc<Connection>, request: Message) {
    match outcome_of(ecu).filter(|_| request.is_functional()) {
        Some(Ok(answer)) => drop(connection.send(answer).await),
        Some(Err(_)) => {
            // the first frame of 20 bytes, and no other: the ECU is reset
            let (id, kind) = (connection.address().tx().id(), FrameKind::Classic);
            let data = &[0x10, 20, 0x62, 0xF1, 0x90, 0, 0, 0];
            let mut port = VirtualBus::named("discovery").port();
            port.send_frame(FrameView { id, kind, data });
        }
        None => {}
    }
}

/// What the tester gets: a single frame, a segmented message, the beginning of one, or nothing.
fn outcome_of(ecu: u8) -> Option<Result<Vec<u8>, NResult>> {
    match ecu % 6 {
        0 | 3 => None, // not there
        1 => Some(Ok(vec![0x7F, 0x22, 0x31])),
        2 | 4 => Some(Ok([b"\x62\xF1\x90", &[ecu; 17][..]].concat())),
        _ if ecu == 0x11 => Some(Err(NResult::TimeoutCr)), // resets itself
        _ => None, // there, but it does not answer what it does not know
    }
}

fn tester_of(ecu: u8) -> Result<Address, AddressError> {
    Address::normal_fixed(TESTER, ecu)?.with_functional_target(ALL)
}
