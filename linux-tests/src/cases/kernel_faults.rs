//! What goes wrong under the kernel's connections, and how it is told.

use core::time::Duration;
use std::time::Instant;

use isotp_core::NResult;
use isotp_tokio::{Config, ConnectionError, Event, Network, SendError};
use tokio::time::timeout;

use super::kernel_channel::{address, connect, event, open};
use super::kernel_socket;
use super::peer::Peer;
use super::{Named, block_on, ensure, said, same};
use crate::deadline::{LIMIT, message};
use crate::interface;

pub(super) const CASES: &[Named] = &[
    ("kernel faults/a forgotten reception is told", forgotten),
    (
        "kernel faults/a long message is not taken for a forgotten one",
        long,
    ),
    (
        "kernel faults/a message between the frames of another",
        between,
    ),
    ("kernel faults/an overflow", overflow),
    ("kernel faults/an interface that goes down", down),
    ("kernel faults/an interface that is removed", removed),
    ("kernel faults/a socket whose interface goes", socket),
    ("kernel faults/what is missing is named", missing),
    (
        "kernel faults/what the kernel cannot honour is named",
        obstacles,
    ),
];

fn forgotten(interface: &str) -> Result<String, String> {
    block_on(async {
        let peer = Peer::open(interface)?;
        let (network, client) = open(interface).await?;
        let hang = || {
            peer.say("10 14 00 01 02 03 04 05")?;
            peer.say("21 06 07 08 09")
        };
        hang()?;
        let start = Instant::now();
        same(
            "with a guard",
            event(&client).await?,
            Event::Failed(NResult::TimeoutCr),
        )?;
        let told = start.elapsed();
        ensure(told < Duration::from_millis(2600), format!("{told:?}"))?;
        peer.say("10 08 00 01 02 03 04 05")?;
        peer.say("21 06 07")?;
        same("afterwards", message(&client).await?.len(), 8)?;
        network.close().await;

        let unguarded = Network::open(&format!("kernel:{interface}?guard=off")).await;
        let client = connect(&unguarded.map_err(said)?, address()).await?;
        hang()?;
        let none = timeout(Duration::from_secs(3), client.next_event()).await;
        ensure(none.is_err(), format!("without a guard: {none:?}"))?;
        Ok(format!("told after {told:?}"))
    })
}

/// Three seconds of consecutive frames, through which the guard looks now and then.
fn long(interface: &str) -> Result<String, String> {
    block_on(async {
        let peer = Peer::open(interface)?;
        let (_network, client) = open(interface).await?;
        peer.say("10 4C 00 01 02 03 04 05")?;
        for number in 1..=10 {
            tokio::time::sleep(Duration::from_millis(330)).await;
            peer.say(&format!("2{number:X} 01 02 03 04 05 06 07"))?;
        }
        let seen = event(&client).await?;
        ensure(
            matches!(&seen, Event::Message(message) if message.len() == 76),
            format!("{seen:?}"),
        )?;
        let more = timeout(Duration::from_millis(2500), client.next_event()).await;
        ensure(more.is_err(), format!("and then {more:?}"))?;
        Ok(String::new())
    })
}

fn between(interface: &str) -> Result<String, String> {
    block_on(async {
        let peer = Peer::open(interface)?;
        let (_network, client) = open(interface).await?;
        peer.say("10 14 00 01 02 03 04 05")?;
        peer.say("03 07 08 09")?;
        let seen = event(&client).await?;
        ensure(
            matches!(&seen, Event::Message(message) if *message == [7, 8, 9]),
            format!("{seen:?}"),
        )?;
        let failed = event(&client).await?;
        same("the other", failed, Event::Failed(NResult::UnexpectedPdu))?;
        Ok(String::new())
    })
}

fn overflow(interface: &str) -> Result<String, String> {
    block_on(async {
        let peer = Peer::open(interface)?;
        let (_network, client) = open(interface).await?;
        for (answer, name) in [("32 00 00", "N_BUFFER_OVFLW"), ("34 00 00", "N_INVALID_FS")] {
            let (sent, answered) = tokio::join!(client.send(vec![1; 20]), async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                peer.say(answer)
            });
            answered?;
            let Err(SendError::Failed(result)) = sent else {
                return Err(format!("{answer}: {sent:?}"));
            };
            same(answer, result.name(), name)?;
        }
        // the kernel's own, for what it does not take
        peer.hear()?;
        peer.hear()?;
        peer.say("10 00 00 10 00 00 01 02")?;
        same("FC", peer.hear()?.as_str(), "32 00 00")?;
        let none = timeout(Duration::from_millis(2500), client.next_event()).await;
        ensure(none.is_err(), format!("{none:?}"))?;
        Ok(String::new())
    })
}

fn down(interface: &str) -> Result<String, String> {
    block_on(async {
        let (network, client) = open(interface).await?;
        let sending = client.send(vec![1; 20]);
        let shut = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            interface::down(interface)
        };
        let start = Instant::now();
        let (sent, shut) = tokio::join!(sending, shut);
        shut?;
        ensure(start.elapsed() < Duration::from_secs(1), "within a second")?;
        let Err(SendError::Connection(ConnectionError::Bus(error))) = sent else {
            return Err(format!("expected an error of the bus, got {sent:?}"));
        };
        let text = error.to_string();
        ensure(text.contains("ip link set"), text.clone())?;
        let received = timeout(LIMIT, client.recv()).await;
        ensure(
            matches!(received, Ok(Err(ConnectionError::Bus(_)))),
            "receiving",
        )?;
        let refused = network.connect(address(), Config::linux_kernel()).await;
        ensure(
            refused.is_err(),
            "a connection on an interface that is down",
        )?;
        interface::up(interface)?;
        let client = connect(&network, address()).await?;
        client.send(vec![1; 3]).await.map_err(said)?;
        Ok(text)
    })
}

fn removed(interface: &str) -> Result<String, String> {
    block_on(async {
        let (_network, client) = open(interface).await?;
        let receiving = client.recv();
        let remove = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            interface::remove(interface)
        };
        let start = Instant::now();
        let (received, removed) = tokio::join!(timeout(Duration::from_secs(3), receiving), remove);
        removed?;
        let waited = start.elapsed();
        let received = received.map_err(|_| "not told within 3 s".to_owned())?;
        let Err(ConnectionError::Bus(error)) = received else {
            return Err(format!("expected an error of the bus, got {received:?}"));
        };
        Ok(format!("{error} (after {waited:?})"))
    })
}

fn socket(interface: &str) -> Result<String, String> {
    let mut socket = kernel_socket::open(interface)?;
    interface::down(interface)?;
    let down = socket.send(&[1; 3], Duration::from_secs(1));
    let Err(down) = down else {
        return Err(format!("sent on an interface that is down: {down:?}"));
    };
    ensure(down.to_string().contains("is down"), down.to_string())?;
    interface::up(interface)?;
    let sent = socket.send(&[1; 3], Duration::from_secs(1)).map_err(said)?;
    same("up again", sent, NResult::Ok)?;
    interface::remove(interface)?;
    for _ in 0..2 {
        let received = socket.recv(&mut Vec::new(), Duration::from_secs(1));
        let Err(error) = received else {
            return Err(format!("received of a removed interface: {received:?}"));
        };
        ensure(error.to_string().contains("removed"), error.to_string())?;
    }
    Ok(String::new())
}

fn missing(interface: &str) -> Result<String, String> {
    block_on(async {
        for (name, expected) in [
            ("can7", "there is no interface \"can7\""),
            ("lo", "lo is not a CAN interface"),
        ] {
            for scheme in ["kernel", "socketcan"] {
                let opened = Network::open(&format!("{scheme}:{name}")).await;
                let text = opened.err().map(said).unwrap_or_default();
                ensure(text.contains(expected), format!("{scheme}: {text}"))?;
            }
        }
        interface::down(interface)?;
        let opened = Network::open(&format!("kernel:{interface}")).await;
        let text = opened.err().map(said).unwrap_or_default();
        let command = format!("`ip link set {interface} up`");
        ensure(text.contains(&command), text)?;
        interface::without_fd(interface)?;
        interface::up(interface)?;
        let network = Network::open(&format!("kernel:{interface}")).await;
        let mut config = Config::linux_kernel();
        config.protocol.kind = isotp_core::FrameKind::Fd { brs: false };
        let refused = network.map_err(said)?.connect(address(), config).await;
        let text = refused.err().map(said).unwrap_or_default();
        ensure(text.contains("FD"), text.clone())?;
        Ok(text)
    })
}

fn obstacles(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = Network::open(&format!("kernel:{interface}")).await;
        let network = network.map_err(said)?;
        let refused = network.connect(address(), Config::default()).await;
        let text = refused.err().map(said).unwrap_or_default();
        for field in ["receive.max_wait", "transmit.max_wait", "max_message"] {
            ensure(text.contains(field), format!("{field}: {text}"))?;
        }
        Ok(text)
    })
}
