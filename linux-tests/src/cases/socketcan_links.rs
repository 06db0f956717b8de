//! Links of `socketcan:` that are in each other's way, and those that only seem to be.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Barrier};

use isotp_core::{FrameKind, FrameView, Id};
use isotp_tokio::{Config, ConnectError, Connection, Network, RequestError};
use tokio::time::timeout;

use super::kernel_channel::address;
use super::kernel_links::is_in_use;
use super::peer::Peer;
use super::{Named, block_on, ensure, said, same};
use crate::deadline::{message, within};

pub(super) const CASES: &[Named] = &[
    (
        "socketcan/of two connects at once on a pair the second is refused",
        at_once,
    ),
    (
        "socketcan/of two threads that connect on a pair one is refused",
        threads,
    ),
    (
        "socketcan/a connect dropped half way lets go of its address",
        half_way,
    ),
    (
        "socketcan/a dropped connection makes way for one of the other way",
        makes_way,
    ),
    (
        "socketcan/a second link on a pair is refused to another network",
        networks,
    ),
    (
        "socketcan/a functional request is refused an address of the kernel's",
        request,
    ),
    ("socketcan/a tap sees foreign frames", tap),
];

async fn open(interface: &str) -> Result<Network, String> {
    let network = Network::open(&format!("socketcan:{interface}")).await;
    network.map_err(said)
}

/// Two links by our own stack, by the kernel, and one of each.
fn ways() -> [[Config; 2]; 4] {
    let (own, kernel) = (Config::default, Config::linux_kernel);
    [
        [own(), kernel()],
        [kernel(), own()],
        [own(), own()],
        [kernel(), kernel()],
    ]
}

/// A message to this link is answered with one flow control, and comes.
async fn answers_once(interface: &str, link: &Connection) -> Result<(), String> {
    let peer = Peer::open(interface)?;
    // in a thread that may block, while the drivers run in this one
    let said_all = tokio::task::spawn_blocking(move || {
        peer.say("10 14 00 01 02 03 04 05")?;
        let answer = peer.hear()?;
        ensure(
            answer.starts_with("30"),
            format!("expected FC, got {answer}"),
        )?;
        peer.hear_nothing(Duration::from_millis(200))?;
        peer.say("21 06 07 08 09 0A 0B 0C")?;
        peer.say("22 0D 0E 0F 10 11 12 13")
    });
    said_all.await.map_err(said)?.map_err(|error| {
        let path = link.path();
        format!("{path}: {error}")
    })?;
    let message = message(link).await;
    let message = message.map_err(|error| format!("{}: {error}", link.path()))?;
    same("the size", message.len(), 20)
}

fn at_once(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = open(interface).await?;
        for [first, second] in ways() {
            // each is polled once, in this order, before any is polled again
            let (held, again) = tokio::join!(
                network.connect(address(), first),
                network.connect(address(), second),
            );
            let held = held.map_err(said)?;
            ensure(is_in_use(&again), format!("{}: {again:?}", held.path()))?;
            answers_once(interface, &held).await?;
            held.close().await;
        }
        Ok(String::new())
    })
}

fn threads(interface: &str) -> Result<String, String> {
    let network = isotp_blocking::Network::open(&format!("socketcan:{interface}"));
    let network = network.map_err(said)?;
    let start = Arc::new(Barrier::new(2));
    let connect = |config: Config| {
        let (network, start) = (network.clone(), Arc::clone(&start));
        std::thread::spawn(move || {
            start.wait();
            network.connect(address(), config)
        })
    };
    let mut won = [0; 2];
    for round in 0..ROUNDS {
        let both = [connect(Config::default()), connect(Config::linux_kernel())];
        let both = both.map(|thread| thread.join().expect("connect panics"));
        let winners = both.iter().filter(|link| link.is_ok()).count();
        let refused = both.iter().filter(|link| is_in_use(link)).count();
        ensure(winners == 1 && refused == 1, format!("{round}: {both:?}"))?;
        for (link, won) in both.into_iter().zip(&mut won) {
            if let Ok(link) = link {
                *won += 1;
                link.close();
            }
        }
    }
    Ok(format!(
        "our own stack was first {} times, the kernel {}",
        won[0], won[1]
    ))
}

/// What comes of a future when it is polled so many times at most; everything else may run between.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

fn half_way(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = open(interface).await?;
        let mut steps = Vec::new();
        for [dropped, next] in ways() {
            let mut times = 1;
            // until one polled as often is there
            while polled(network.connect(address(), dropped.clone()), times)
                .await
                .is_none()
            {
                ensure(times < 20, "connect is not ready after 20 polls")?;
                let link = timeout(3 * SECOND, network.connect(address(), next.clone()))
                    .await
                    .map_err(|_| format!("dropped after {times}, the next waits for ever"))?
                    .map_err(|error| format!("dropped after {times}: {error}"))?;
                if times < 3 {
                    answers_once(interface, &link).await?;
                }
                link.close().await;
                times += 1;
            }
            steps.push(times);
        }
        Ok(format!("{steps:?} polls"))
    })
}

fn makes_way(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = open(interface).await?;
        for [first, next] in ways() {
            let dropped = network.connect(address(), first).await.map_err(said)?;
            let path = dropped.path().clone();
            drop(dropped);
            let link = network.connect(address(), next).await;
            let link = link.map_err(|error| format!("after {path}: {error}"))?;
            answers_once(interface, &link).await?;
            link.close().await;
        }
        Ok(String::new())
    })
}

fn networks(interface: &str) -> Result<String, String> {
    block_on(async {
        let (one, other) = (open(interface).await?, open(interface).await?);
        for [first, second] in ways() {
            let held = one.connect(address(), first).await.map_err(said)?;
            let again = other.connect(address(), second.clone()).await;
            ensure(is_in_use(&again), format!("{}: {again:?}", held.path()))?;
            held.close().await;
            let link = other.connect(address(), second).await.map_err(said)?;
            answers_once(interface, &link).await?;
            link.close().await;
        }
        Ok(String::new())
    })
}

/// The request would receive the answer as well, and answer it with flow control of its own.
fn request(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = open(interface).await?;
        let functional = Id::standard(0x7DF).expect("11 bits");
        let responder = address().with_functional_tx(functional).map_err(said)?;
        let window = Duration::from_millis(50);
        let ask = || network.request_functional([responder], Config::default(), [0x3E, 0], window);

        let held = network.connect(address(), Config::linux_kernel()).await;
        let held = held.map_err(said)?;
        let refused = ask().await;
        let expected = matches!(
            &refused,
            Err(RequestError::Connect(ConnectError::AddressInUse { .. }))
        );
        ensure(expected, format!("{}: {refused:?}", held.path()))?;
        answers_once(interface, &held).await?;
        held.close().await;

        // and while it runs, the address is not the kernel's
        let mut answers = ask().await.map_err(said)?;
        let again = network.connect(address(), Config::linux_kernel()).await;
        ensure(is_in_use(&again), format!("while it runs: {again:?}"))?;
        let more = timeout(SECOND, answers.next()).await;
        let more = more.map_err(|_| "the request does not end")?;
        ensure(more.is_none(), format!("{more:?}"))?;
        drop(answers);
        let link = network.connect(address(), Config::linux_kernel()).await;
        answers_once(interface, &link.map_err(said)?).await?;
        Ok(String::new())
    })
}

fn tap(interface: &str) -> Result<String, String> {
    block_on(async {
        let network = open(interface).await?;
        let connect = async || network.connect(address(), Config::default()).await;
        let link = connect().await.map_err(said)?;
        let peer = isotp_socketcan::RawSocket::open(interface).map_err(said)?;
        let say = |id| {
            let id = Id::standard(id).expect("11 bits");
            let kind = FrameKind::Classic;
            peer.try_send(FrameView {
                id,
                kind,
                data: &[1],
            })
            .map_err(said)
        };
        let seen = network.tap(16).map_err(said)?;
        // the driver has taken the tap on when it has answered once more
        link.close().await;
        let link = connect().await.map_err(said)?;
        say(0x123)?;
        let seen = within("a foreign frame at the tap", seen.recv()).await?;
        same("the frame", seen.frame.to_string(), "123#01".to_owned())?;
        drop(link);
        Ok(String::new())
    })
}

const SECOND: Duration = Duration::from_secs(1);
/// So often two threads begin at once.
const ROUNDS: usize = 100;
