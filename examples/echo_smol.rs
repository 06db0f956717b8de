//! A message goes out and comes back, under smol, and each frame is shown as it crosses the bus.
//!
//! `cargo run --example echo_smol`
use isotp_examples::Candump;
use isotp_smol::virtual_bus::VirtualBus;
use isotp_smol::{Address, Config, Id, Network};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let _tap = VirtualBus::named("echo").tap(|at, frame| println!("{}", Candump(at, frame)));
    smol::block_on(async {
        let network = Network::open("virtual:echo").await?;
        let tester = Address::normal(Id::extended(0x1CDA_DCF9)?, Id::extended(0x1CDA_F9DC)?)?;

        let server = network
            .connect(tester.reversed(), Config::default())
            .await?;
        let echo = smol::spawn(async move {
            while let Ok(message) = server.recv().await {
                server.send(message).await.ok();
            }
        });

        let client = network.connect(tester, Config::default()).await?;
        client.send(b"Hello world!").await?;
        let answer = client.recv().await?;
        println!("received {:?}", String::from_utf8_lossy(&answer));
        assert_eq!(answer, b"Hello world!"[..]);

        network.close().await;
        echo.await;
        Ok(())
    })
}
