//! An ECU that speaks UDS: session, VIN, and a download into memory that takes its time to be erased.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo run --example uds_server` | asks it some questions, and looks at every byte of the answers |
//! | `.. uds_server -- CONNECTION` | is on that bus (ids 7E0, 7E8) until Ctrl-C |
//! | `.. uds_server -- CONNECTION HOST:PORT` | also lets `uds_client -- isotpserver:HOST:PORT` be the tester |
use core::time::Duration;

use isotp_examples::{Outcome, uds};
use isotp_tokio::isotpserver::{Bridge, BridgeOptions};
use isotp_tokio::{Config, Network, Tokio};

const USAGE: &str = "uds_server [CONNECTION [HOST:PORT]]    such as: raw:vcan0 localhost:20000";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    isotp_examples::exit(run().await)
}

async fn run() -> Outcome {
    let words = isotp_examples::words(USAGE);
    let string = words.first().map_or("virtual:uds", String::as_str);
    let network = Network::open(string).await?;
    let ecu = network
        .connect(uds::tester()?.reversed(), Config::uds())
        .await?;
    println!("the ECU is on {}", ecu.path());
    let ecu = tokio::spawn(uds::serve(ecu));
    match &words[..] {
        [] => check(&network).await?,
        [_] => return Ok(ecu.await?),
        [_, listen] => {
            let tester = network.connect(uds::tester()?, Config::uds()).await?;
            let options = BridgeOptions::default();
            let bridge = Bridge::listen(&Tokio::current(), listen, tester, options).await?;
            println!("testers connect to isotpserver:{}", bridge.address());
            return Ok(ecu.await?);
        }
        _ => return Err(format!("expected {USAGE}").into()),
    }
    network.close().await;
    Ok(ecu.await?)
}

/// Requests, and the answers to each, as the standard writes them.
const DIALOGUE: &[(&[u8], &[&[u8]])] = &[
    (&[0x3E, 0x00], &[&[0x7E, 0x00]]),
    (&[0x3E, 0x80], &[]), // the answer is suppressed
    (&[0x22, 0xF1, 0x90], &[b"\x62\xF1\x90WVWZZZ1JZXW000001"]),
    (&[0x22, 0x12, 0x34], &[&[0x7F, 0x22, 0x31]]), // request out of range
    (&[0x22, 0xF1], &[&[0x7F, 0x22, 0x13]]),       // wrong length
    (&[0xBA, 0x01], &[&[0x7F, 0xBA, 0x11]]),       // service not supported
    (&[0x34, 0x00, 0x11, 0x00, 0x02], &[&[0x7F, 0x34, 0x7F]]), // not in this session
    (&[0x10, 0x02], &[&[0x50, 0x02, 0x00, 0x32, 0x00, 0x64]]),
    (&[0x36, 0x01, 0xAA], &[&[0x7F, 0x36, 0x24]]), // no download was asked for
    (
        &[0x34, 0x00, 0x11, 0x00, 0x02],
        &[
            &[0x7F, 0x34, 0x78],
            &[0x7F, 0x34, 0x78],
            &[0x74, 0x20, 0x04, 0x02],
        ],
    ),
    (&[0x36, 0x02, 0xAA], &[&[0x7F, 0x36, 0x73]]), // wrong block sequence counter
    (&[0x36, 0x01, 0xAA], &[&[0x76, 0x01]]),
    (&[0x36, 0x01, 0xAA], &[&[0x76, 0x01]]), // the same once more is no error
    (&[0x37], &[&[0x7F, 0x37, 0x24]]),       // a byte is missing
    (&[0x36, 0x02, 0xBB], &[&[0x76, 0x02]]),
    (&[0x36, 0x03, 0xCC], &[&[0x7F, 0x36, 0x71]]), // a byte too many
];

async fn check(network: &Network) -> Outcome {
    let tester = network.connect(uds::tester()?, Config::uds()).await?;
    for (request, answers) in DIALOGUE {
        println!("{request:02X?}");
        tester.send(*request).await?;
        for expected in *answers {
            let answer = tester.recv_timeout(Duration::from_secs(2)).await?;
            println!("    {:02X?}", &answer[..]);
            assert_eq!(answer, *expected);
        }
    }
    assert!(tester.try_recv()?.is_none());
    Ok(())
}
