//! The ways of Linux under each runtime.

use core::future::Future;

use isotp_driver::{Address, Config, Connection, ConnectionError, NResult, Network, SendError};

use crate::case::{Case, Need};
use crate::deadline::{LIMIT, message};
use crate::parameters::{id, payload};

/// Who drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Under {
    Tokio,
    Smol,
    AsyncStd,
    Blocking,
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, under) in [
        ("tokio", Under::Tokio),
        ("smol", Under::Smol),
        ("async-std", Under::AsyncStd),
        ("blocking", Under::Blocking),
    ] {
        for scheme in ["raw", "kernel", "socketcan"] {
            cases.push(Case {
                name: format!("runtimes/{name}/{scheme}"),
                needs: &[Need::Isotp],
                seconds: 30,
                run: Box::new(move |interface| under.exchange(&format!("{scheme}:{interface}"))),
            });
        }
    }
    cases
}

impl Under {
    fn exchange(self, connection: &str) -> Result<String, String> {
        match self {
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.map_err(said)?.block_on(async {
                    let network = isotp_tokio::Network::open(connection).await;
                    exchange((*network.map_err(said)?).clone()).await
                })
            }
            Self::Smol => smol::block_on(async {
                let network = isotp_smol::Network::open(connection).await;
                exchange((*network.map_err(said)?).clone()).await
            }),
            Self::AsyncStd => async_std::task::block_on(async {
                let network = isotp_async_std::Network::open(connection).await;
                exchange((*network.map_err(said)?).clone()).await
            }),
            Self::Blocking => {
                let network = isotp_blocking::Network::open(connection).map_err(said)?;
                threads(&network)?;
                smol::block_on(exchange(network.inner().clone()))
            }
        }
    }
}

/// What a connection promises on every way: messages both ways at once, true outcomes, an end that all hear.
async fn exchange(network: Network) -> Result<String, String> {
    let (tester, ecu) = (
        connect(&network, false).await?,
        connect(&network, true).await?,
    );
    for size in [1, 7, 8, 62, 4095] {
        let (there, back) = (payload(size), payload(size + 1));
        let both = smol::future::zip(tester.send(there.clone()), ecu.send(back.clone()));
        let (sent, answered) = within(both).await?;
        sent.and(answered).map_err(said)?;
        for (connection, expected) in [(&ecu, &there), (&tester, &back)] {
            if *message(connection).await? != **expected {
                return Err(format!("another message than the one of {size} bytes"));
            }
        }
    }
    within(ecu.close()).await?;
    let failed = within(tester.send(payload(20))).await?;
    match failed {
        Err(SendError::Failed(NResult::TimeoutBs)) => {}
        other => return Err(format!("nobody answers: {other:?}")),
    }
    within(network.close()).await?;
    match within(tester.recv()).await? {
        Err(ConnectionError::Closed) => Ok(tester.path().to_string()),
        other => Err(format!("the network is closed: {other:?}")),
    }
}

/// The calls that block, from two threads.
fn threads(network: &isotp_blocking::Network) -> Result<(), String> {
    let address = address()?.reversed();
    let config = Config::linux_kernel();
    let ecu = network.connect(address, config.clone()).map_err(said)?;
    let tester = network.connect(address.reversed(), config).map_err(said)?;
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| {
            let message = ecu.recv_timeout(LIMIT).map_err(said)?;
            ecu.send(message).map_err(said)
        });
        tester.send(payload(100)).map_err(said)?;
        let back = tester.recv_timeout(LIMIT).map_err(said)?;
        echo.join().map_err(|_| "the echo panicked")??;
        if *back != *payload(100) {
            return Err("another message came back".to_owned());
        }
        Ok(())
    })
}

async fn connect(network: &Network, reversed: bool) -> Result<Connection, String> {
    let address = if reversed {
        address()?.reversed()
    } else {
        address()?
    };
    let connection = network.connect(address, Config::linux_kernel()).await;
    connection.map_err(said)
}

fn address() -> Result<Address, String> {
    Address::normal(id(0x7E0), id(0x7E8)).map_err(said)
}

async fn within<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let late = async {
        smol::Timer::after(LIMIT).await;
        Err(format!("nothing within {LIMIT:?}"))
    };
    smol::future::or(async { Ok(future.await) }, late).await
}

fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}
