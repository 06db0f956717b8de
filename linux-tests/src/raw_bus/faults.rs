//! What can go wrong with an interface, and who hears of it.

use core::time::Duration;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use isotp_tokio::{Config, ConnectError, Connection, Network};

use super::{case, connect, open, said};
use crate::case::{Case, Need};
use crate::deadline::{message, under_tokio, within};
use crate::parameters::Parameters;
use crate::{idle, interface, sys};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("faults/open", &[Need::Network], 20, cannot_open),
        case(
            "faults/down-while-idle",
            &[Need::Network],
            20,
            |interface| fails_within_a_second(interface, interface::down, "vcan0 is down", 0),
        ),
        case(
            "faults/down-while-sending",
            &[Need::Network],
            20,
            |interface| {
                fails_within_a_second(interface, interface::down, "vcan0 is down", 4_000_000)
            },
        ),
        case(
            "faults/removed-while-idle",
            &[Need::Network],
            20,
            |interface| {
                fails_within_a_second(interface, interface::remove, "the interface vcan0 ", 0)
            },
        ),
        case("faults/bus-off", &[Need::Network], 20, bus_off),
        case("faults/bus-off-and-restart", &[Need::Network], 20, restart),
        case("faults/no-fd", &[Need::Network], 20, no_fd),
        case("faults/no-peer", &[], 20, no_peer),
        case("faults/one-id-pair-twice", &[], 20, twice),
        case("idle", &[], 20, costs_nothing),
    ]
}

/// One clear error for each reason, at once.
fn cannot_open(_interface: &str) -> Result<String, String> {
    interface::add_vcan_down("vcan7")?;
    under_tokio(10, async {
        for (name, expected) in [
            ("vcan9", "there is no interface \"vcan9\"; CAN interfaces: "),
            (
                "vcan7",
                "the interface vcan7 is down; `ip link set vcan7 up`",
            ),
            ("lo", "lo is not a CAN interface; CAN interfaces: "),
        ] {
            let begin = Instant::now();
            let Err(error) = Network::open(&format!("raw:{name}")).await else {
                return Err(format!("{name} was opened"));
            };
            let text = error.to_string();
            if !text.contains(expected) || begin.elapsed() > Duration::from_secs(1) {
                return Err(format!("{name}: {text} after {:?}", begin.elapsed()));
            }
        }
        Ok(String::new())
    })
}

/// Every connection gets the error, whether it waits for a message or sends one.
fn fails_within_a_second(
    interface: &str,
    change: fn(&str) -> Result<(), String>,
    expected: &str,
    sends: usize,
) -> Result<String, String> {
    let changed = interface.to_owned();
    under_tokio(15, async {
        let network = open(interface).await?;
        let a = Arc::new(connect(&network, &Parameters::default()).await?);
        let b = Arc::new(connect(&network, &Parameters::default().reversed()).await?);
        let waiting: Vec<_> = [&a, &b].map(|connection| fails(connection, 0)).into();
        let sending = (sends > 0).then(|| fails(&a, sends));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        // in a thread, as the kernel takes a while
        let run = tokio::task::spawn_blocking(move || change(&changed));
        for failing in waiting.into_iter().chain(sending) {
            let error = within("an error at each connection", failing).await??;
            if !error.contains(expected) {
                return Err(format!("expected {expected:?}, got {error:?}"));
            }
        }
        let after = begin.elapsed();
        run.await.map_err(said)??;
        if after > Duration::from_secs(1) {
            return Err(format!("heard of it after {after:?}"));
        }
        let Err(error) = connect(&network, &Parameters::default()).await else {
            return Err("a connection on a bus that is over".into());
        };
        Ok(format!("after {after:?}: {error}"))
    })
}

/// The error with which a connection ends.
fn fails(
    connection: &Arc<Connection>,
    sends: usize,
) -> tokio::task::JoinHandle<Result<String, String>> {
    let connection = Arc::clone(connection);
    tokio::spawn(async move {
        loop {
            let outcome = match sends {
                0 => connection.recv().await.map(drop).map_err(said),
                size => connection.send(vec![1; size]).await.map_err(said),
            };
            if let Err(error) = outcome {
                return Ok(error);
            }
        }
    })
}

/// An error frame as a controller's driver sends it: a virtual bus lets everybody.
fn tell(interface: &str, class: u32) -> Result<(), String> {
    let socket = sys::can_socket(libc::SOCK_RAW, libc::CAN_RAW).map_err(said)?;
    sys::bind(socket.as_fd(), interface, 0, 0).map_err(said)?;
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(libc::CAN_ERR_FLAG | class).to_ne_bytes());
    bytes[4] = 8;
    sys::write(socket.as_fd(), &bytes).map_err(said)
}

fn bus_off(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let network = open(interface).await?;
        let connection = Arc::new(connect(&network, &Parameters::default()).await?);
        let failing = fails(&connection, 0);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        tell(interface, libc::CAN_ERR_BUSOFF)?;
        let error = within("an error at each connection", failing).await??;
        let after = begin.elapsed();
        if !error.contains("bus-off") || !error.contains("restart-ms") {
            return Err(error);
        }
        if after > Duration::from_secs(1) || after < Duration::from_millis(800) {
            return Err(format!("after {after:?}"));
        }
        Ok(format!("after {after:?}"))
    })
}

/// A controller that comes back in time is as good as before, and what was to be sent is sent.
fn restart(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let network = open(interface).await?;
        let a = Arc::new(connect(&network, &Parameters::default()).await?);
        let b = connect(&network, &Parameters::default().reversed()).await?;
        tell(interface, libc::CAN_ERR_BUSOFF)?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let sending = tokio::spawn({
            let a = Arc::clone(&a);
            async move { a.send([1, 2, 3]).await.map_err(said) }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        if sending.is_finished() || b.try_recv().map_err(said)?.is_some() {
            return Err("sent while the controller was off".into());
        }
        tell(interface, libc::CAN_ERR_RESTARTED)?;
        within("a message to be sent after the restart", sending).await??;
        let received = message(&b).await?;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        b.send(received).await.map_err(said)?;
        message(&a).await?;
        Ok(String::new())
    })
}

/// An interface whose frames are too short for FD says so, and works without.
fn no_fd(interface: &str) -> Result<String, String> {
    interface::down(interface)?;
    interface::without_fd(interface)?;
    interface::up(interface)?;
    under_tokio(15, async {
        let network = open(interface).await?;
        let parameters = Parameters::default();
        let fd = network
            .connect(parameters.address, Config::fd(64, false))
            .await;
        if !matches!(fd, Err(ConnectError::NoFd)) {
            return Err(format!("{fd:?}"));
        }
        let a = connect(&network, &parameters).await?;
        let b = connect(&network, &parameters.reversed()).await?;
        a.send(vec![1; 100]).await.map_err(said)?;
        message(&b).await.map(|_| String::new())
    })
}

/// N_Bs: the echo confirms the first frame, and nobody answers.
fn no_peer(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let network = open(interface).await?;
        let connection = connect(&network, &Parameters::default()).await?;
        let begin = Instant::now();
        let error = connection
            .send(vec![1; 100])
            .await
            .err()
            .ok_or("nobody is there")?;
        let after = begin.elapsed();
        if error.result() != Some(isotp_tokio::NResult::TimeoutBs)
            || !(950..1200).contains(&after.as_millis())
        {
            return Err(format!("{error} after {after:?}"));
        }
        Ok(format!("{error} after {after:?}"))
    })
}

/// The second link on an address is refused, and the first goes on.
fn twice(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let network = open(interface).await?;
        let a = connect(&network, &Parameters::default()).await?;
        let again = network
            .connect(Parameters::default().address, Config::default())
            .await;
        let in_use = Parameters::default().address.rx().id();
        if !matches!(&again, Err(ConnectError::AddressInUse { id }) if *id == in_use) {
            return Err(format!("{again:?}"));
        }
        let b = connect(&network, &Parameters::default().reversed()).await?;
        a.send([1]).await.map_err(said)?;
        message(&b).await.map(|_| String::new())
    })
}

/// A network that has nothing to do takes no processor time.
fn costs_nothing(interface: &str) -> Result<String, String> {
    under_tokio(15, async {
        let network = open(interface).await?;
        let a = connect(&network, &Parameters::default()).await?;
        let b = connect(&network, &Parameters::default().reversed()).await?;
        a.send(vec![1; 1000]).await.map_err(said)?;
        message(&b).await?;
        idle::costs_nothing(3).await
    })
}
