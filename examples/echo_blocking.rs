//! A message goes out and comes back, without async, and each frame is shown as it crosses the bus.
//!
//! `cargo run --example echo_blocking`
use std::thread;

use isotp_blocking::virtual_bus::VirtualBus;
use isotp_blocking::{Address, Config, Id, Network};
use isotp_examples::Candump;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let _tap = VirtualBus::named("echo").tap(|at, frame| println!("{}", Candump(at, frame)));

    let network = Network::open("virtual:echo")?;
    let tester = Address::normal(Id::extended(0x1CDA_DCF9)?, Id::extended(0x1CDA_F9DC)?)?;

    let server = network.connect(tester.reversed(), Config::default())?;
    let echo = thread::spawn(move || {
        while let Ok(message) = server.recv() {
            server.send(message).ok();
        }
    });

    let client = network.connect(tester, Config::default())?;
    client.send(b"Hello world!")?;
    let answer = client.recv()?;
    println!("received {:?}", String::from_utf8_lossy(&answer));
    assert_eq!(answer, b"Hello world!"[..]);

    network.close();
    echo.join().map_err(|_| "the server panicked")?;
    Ok(())
}
