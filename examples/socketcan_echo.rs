//! An ECU that sends back what it gets, and a tester for it, on a Linux CAN interface.
//!
//! `cargo run --example socketcan_echo -- can0` answers on id 7E8 to whatever comes on 7E0, and
//! `cargo run --example socketcan_echo -- can0 3E 00` sends the bytes 3E 00 as the tester and shows the
//! answer. Instead of an interface, any connection string does: `raw:can0`, `kernel:can0`.
use core::time::Duration;
use std::process::ExitCode;

use isotp_examples::Outcome;
use isotp_tokio::{Address, Config, Connection, Id, Message, Network};

#[tokio::main]
async fn main() -> ExitCode {
    let usage = "socketcan_echo INTERFACE [BYTE..]    such as: socketcan_echo can0 3E 00";
    let mut words = isotp_examples::words(usage).into_iter();
    let Some(interface) = words.next() else {
        eprintln!("usage: {usage}");
        return ExitCode::from(2);
    };
    let outcome = match isotp_examples::bytes(words) {
        Err(error) => Err(error),
        Ok(request) if request.is_empty() => serve(&interface).await,
        Ok(request) => ask(&interface, request).await,
    };
    isotp_examples::exit(outcome)
}

async fn serve(interface: &str) -> Outcome {
    let ecu = connect(interface, tester()?.reversed()).await?;
    println!(
        "echoing what comes on {}; end it with Ctrl-C",
        ecu.address().rx().id()
    );
    loop {
        let message = ecu.recv().await?;
        show("received", &message);
        if let Err(error) = ecu.send(message).await {
            eprintln!("not sent back: {error}");
        }
    }
}

async fn ask(interface: &str, request: Vec<u8>) -> Outcome {
    let tester = connect(interface, tester()?).await?;
    tester.send(request).await?;
    let answer = tokio::time::timeout(Duration::from_secs(2), tester.recv()).await;
    show(
        "answer",
        &answer.map_err(|_| "sent, but no answer came within 2 s")??,
    );
    Ok(())
}

/// A connection on the interface. The configuration is that of the kernel's ISO-TP, so that
/// `socketcan:` takes it where it is there; with [`Config::uds`] it would be our own stack.
async fn connect(interface: &str, address: Address) -> Outcome<Connection> {
    let network = if interface.contains(':') {
        Network::open(interface).await?
    } else {
        Network::open(&format!("socketcan:{interface}")).await?
    };
    let connection = network.connect(address, Config::linux_kernel()).await?;
    println!("by {}", connection.path());
    Ok(connection)
}

fn tester() -> Outcome<Address> {
    Ok(Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?)
}

fn show(what: &str, message: &Message) {
    let bytes: Vec<String> = message.iter().map(|byte| format!("{byte:02X}")).collect();
    println!("{what}: {}", bytes.join(" "));
}
