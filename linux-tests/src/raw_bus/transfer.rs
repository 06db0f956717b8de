//! Messages between a raw network and its peers.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use isotp_core::StMin;
use isotp_driver::Address;

use super::{case, connect, open, said};
use crate::case::{Case, Need};
use crate::deadline::{Deadline, message, under_tokio};
use crate::endpoint::{Endpoint, same};
use crate::kernel::KernelSocket;
use crate::parameters::{Addressing, Parameters, id, payload};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("siblings", &[], 20, siblings),
        case("two-networks", &[], 20, two_networks),
        case("functional", &[], 20, functional),
        case("many-links", &[], 60, many_links),
        case("equal-frames", &[], 30, equal_frames),
        case("pacing", &[], 30, pacing),
    ];
    for addressing in Addressing::ALL {
        for fd in [None, Some(8), Some(64)] {
            let dl = fd.map_or_else(|| "cc".to_owned(), |dl| format!("fd{dl}"));
            let name = format!("with-kernel/{}/{dl}", addressing.name());
            let parameters = Parameters {
                address: addressing.address(),
                fd,
                ..Parameters::default()
            };
            let long = addressing == Addressing::Normal11;
            let run = move |interface: &str| with_kernel(interface, &parameters, long);
            cases.push(case(&name, &[Need::Isotp], 60, run));
        }
    }
    cases
}

/// Both directions, the sizes of the grid, against the kernel's ISO-TP; with `long`, the largest too.
fn with_kernel(interface: &str, parameters: &Parameters, long: bool) -> Result<String, String> {
    let mut kernel = KernelSocket::open(interface, &parameters.reversed())?;
    let mut sizes = vec![1, 6, 7, 8, 62, 63, 4095, 4096];
    sizes.extend(long.then_some(60_000));
    let messages = sizes.len();
    let peer = thread::spawn(move || {
        for _ in 0..messages {
            let message = kernel.receive(Deadline::seconds(20))?;
            kernel.send(&message, Deadline::seconds(20))?;
        }
        Ok::<_, String>(())
    });
    let own = under_tokio(50, async {
        let network = open(interface).await?;
        let connection = connect(&network, parameters).await?;
        for size in sizes {
            let sent = payload(size);
            connection.send(sent.clone()).await.map_err(said)?;
            let received = message(&connection).await?;
            same(&sent, received.as_ref()).map_err(|error| format!("{size} bytes: {error}"))?;
        }
        network.close().await;
        Ok(String::new())
    });
    let peer = peer.join().map_err(|_| "the peer panicked")?;
    peer.map_err(|error| format!("kernel: {error}; raw: {own:?}"))?;
    own
}

/// Connections of one network hear each other, by the echo of their frames.
fn siblings(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let network = open(interface).await?;
        let parameters = Parameters::default();
        let a = connect(&network, &parameters).await?;
        let b = connect(&network, &parameters.reversed()).await?;
        ping(&a, &b, 5000).await?;
        ping(&b, &a, 7).await.map(|()| String::new())
    })
}

/// Two networks of one interface are two nodes.
fn two_networks(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let (one, two) = (open(interface).await?, open(interface).await?);
        let parameters = Parameters::default();
        let a = connect(&one, &parameters).await?;
        let b = connect(&two, &parameters.reversed()).await?;
        ping(&a, &b, 65_536).await?;
        ping(&b, &a, 65_536).await?;
        // each may have the address that the other has too
        let c = connect(&two, &parameters).await?;
        drop(c);
        Ok(String::new())
    })
}

/// A functional single frame reaches every network and every link on its id.
fn functional(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let (one, two) = (open(interface).await?, open(interface).await?);
        let tester = Parameters::default().address;
        let request = tester.with_functional_tx(id(0x7DF)).map_err(said)?;
        let tester = one.connect(request, isotp_tokio::Config::default()).await;
        let tester = tester.map_err(said)?;
        let mut nodes = Vec::new();
        for (network, number) in [(&one, 1), (&two, 2), (&two, 3)] {
            let address = Address::normal(id(0x7E8 + number), id(0x7E0 + number));
            let address = address.map_err(said)?.with_functional_rx(id(0x7DF));
            let node = network.connect(address.map_err(said)?, isotp_tokio::Config::default());
            nodes.push(node.await.map_err(said)?);
        }
        tester.send_functional([0x3E, 0x00]).await.map_err(said)?;
        for node in &nodes {
            same(&[0x3E, 0x00], message(node).await?.as_ref())?;
        }
        Ok(String::new())
    })
}

/// Hundreds of links at once, more than there are filters, between two networks.
fn many_links(interface: &str) -> Result<String, String> {
    const LINKS: u32 = 600;
    under_tokio(50, async {
        let (one, two) = (open(interface).await?, open(interface).await?);
        let mut tasks = Vec::new();
        for link in 0..LINKS {
            let parameters = Parameters {
                address: Address::normal(id(0x1000_0000 + link), id(0x1800_0000 + link))
                    .map_err(said)?,
                ..Parameters::default()
            };
            let a = connect(&one, &parameters).await?;
            let b = connect(&two, &parameters.reversed()).await?;
            tasks.push(tokio::spawn(async move {
                let there = ping(&a, &b, 300).await;
                there.map_err(|error| format!("link {link}, there: {error}"))?;
                let back = ping(&b, &a, 300).await;
                back.map_err(|error| format!("link {link}, back: {error}"))
            }));
        }
        for task in tasks {
            task.await.map_err(said)??;
        }
        Ok(format!("{LINKS} links"))
    })
}

/// Frames of equal content are told apart by their order: each message is confirmed by its own echo.
fn equal_frames(interface: &str) -> Result<String, String> {
    under_tokio(25, async {
        let (one, two) = (open(interface).await?, open(interface).await?);
        let parameters = Parameters::default();
        let a = connect(&one, &parameters).await?;
        let b = connect(&two, &parameters.reversed()).await?;
        for _ in 0..500 {
            a.send([0x3E, 0x00]).await.map_err(said)?;
            same(&[0x3E, 0x00], message(&b).await?.as_ref())?;
        }
        // every sixteenth consecutive frame is equal to one before it
        for _ in 0..5 {
            a.send(vec![0; 20_000]).await.map_err(said)?;
            same(&[0; 20_000], message(&b).await?.as_ref())?;
        }
        Ok(String::new())
    })
}

/// STmin is kept on the bus, by the kernel's time stamps of the frames.
fn pacing(interface: &str) -> Result<String, String> {
    let mut remarks = Vec::new();
    for st_min in [Duration::from_micros(100), Duration::from_millis(1)] {
        let parameters = Parameters {
            st_min: StMin::at_least(st_min).map_err(said)?,
            ..Parameters::default()
        };
        let monitor = crate::monitor::Monitor::start(interface, &parameters)?;
        under_tokio(20, async {
            let (one, two) = (open(interface).await?, open(interface).await?);
            let a = connect(&one, &parameters).await?;
            let b = connect(&two, &parameters.reversed()).await?;
            ping(&a, &b, 6 + 7 * 200).await
        })?;
        let frames = monitor.frames()?;
        let tx = parameters.address.tx().id();
        let at: Vec<_> = frames
            .iter()
            .filter(|frame| frame.id == tx)
            .filter_map(|frame| frame.at)
            .collect();
        // the first follows the flow control, not a consecutive frame
        let gaps: Vec<_> = at
            .windows(2)
            .skip(1)
            .map(|pair| pair[1] - pair[0])
            .collect();
        let least = gaps.iter().min().copied().unwrap_or_default();
        let mean = gaps.iter().sum::<Duration>() / gaps.len().max(1) as u32;
        if gaps.len() != 199 || least < st_min {
            return Err(format!(
                "{} gaps, the least {least:?} for STmin {st_min:?}",
                gaps.len()
            ));
        }
        remarks.push(format!("STmin {st_min:?}: least {least:?}, mean {mean:?}"));
    }
    Ok(remarks.join("; "))
}

/// One message across, confirmed and received.
async fn ping(
    from: &isotp_tokio::Connection,
    to: &isotp_tokio::Connection,
    size: usize,
) -> Result<(), String> {
    let begin = Instant::now();
    let sent = payload(size);
    let (confirmed, received) = tokio::join!(from.send(sent.clone()), message(to));
    confirmed.map_err(|error| format!("send: {error} after {:?}", begin.elapsed()))?;
    same(&sent, received?.as_ref())
}
