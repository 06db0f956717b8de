//! The connection contract, under each runtime: all of it over raw sockets, and what a kernel link promises
//! over the kernel's.

use isotp_contract::{Body, Bytes, CASES, Stop, Under, Way, left_out};
use isotp_driver::{Backend, BoxFuture, Connection, Network, OpenError};
use isotp_tokio::Tokio;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::case::{Case, Need};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![Case {
        name: "contract/left out".to_owned(),
        needs: &[],
        seconds: 10,
        run: Box::new(|interface| Ok(count(interface))),
    }];
    for (scheme, way) in WAYS {
        for case in run_on(way) {
            for (name, run) in RUNTIMES {
                cases.push(Case {
                    name: format!("contract/{name}/{scheme}/{}", case.name),
                    needs: if scheme == "kernel" {
                        &[Need::Isotp]
                    } else {
                        &[]
                    },
                    seconds: 60,
                    run: Box::new(move |interface| {
                        run(case, way(interface));
                        Ok(String::new())
                    }),
                });
            }
        }
    }
    cases
}

type Make = fn(&str) -> Way;

const WAYS: [(&str, Make); 2] = [
    ("raw", |interface| Way::Raw(interface.to_owned())),
    ("kernel", |interface| Way::Kernel(interface.to_owned())),
];

type Run = fn(&isotp_contract::Case, Way);

const RUNTIMES: [(&str, Run); 4] = [
    ("tokio", isotp_contract::Case::run::<UnderTokio>),
    ("smol", isotp_contract::Case::run::<UnderSmol>),
    ("async-std", isotp_contract::Case::run::<UnderAsyncStd>),
    ("blocking", isotp_contract::Case::run::<UnderThreads>),
];

/// What is not left out.
fn run_on(way: Make) -> impl Iterator<Item = &'static isotp_contract::Case> {
    let out = left_out(&way(""));
    CASES
        .iter()
        .filter(|case| !out.iter().any(|(_, names)| names.contains(&case.name)))
}

/// How much of the suite runs, and why not the rest.
fn count(interface: &str) -> String {
    let mut text = String::new();
    for (scheme, way) in WAYS {
        let run = run_on(way).count();
        text += &format!("{scheme}: {run} of {}", CASES.len());
        for (reason, names) in left_out(&way(interface)) {
            text += &format!(", {} since {reason}", names.len());
        }
        text += "; ";
    }
    text
}

struct UnderTokio;

impl Under for UnderTokio {
    type Runtime = Tokio;

    fn runtime() -> Tokio {
        Tokio::current()
    }

    fn start(backend: Backend) -> Network {
        (*isotp_tokio::Network::with_backend(backend)).clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_tokio::Network::open(&connection).await?;
            Ok((*network).clone())
        })
    }

    fn bytes(connection: Connection) -> Bytes {
        Box::pin(isotp_tokio::ByteStream::from(connection).compat())
    }

    fn stoppable(backend: Backend) -> (Network, Stop) {
        let runtime = tokio_runtime();
        let inside = runtime.enter();
        let network = Self::start(backend);
        drop(inside);
        (network, Box::new(move || runtime.shutdown_background()))
    }

    fn block_on(case: Body) {
        tokio_runtime().block_on(case);
    }
}

fn tokio_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

struct UnderSmol;

impl Under for UnderSmol {
    type Runtime = isotp_smol::Smol;

    fn runtime() -> Self::Runtime {
        isotp_smol::Smol
    }

    fn start(backend: Backend) -> Network {
        (*isotp_smol::Network::with_backend(backend)).clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_smol::Network::open(&connection).await?;
            Ok((*network).clone())
        })
    }

    fn block_on(case: Body) {
        smol::block_on(case);
    }
}

struct UnderAsyncStd;

impl Under for UnderAsyncStd {
    type Runtime = isotp_async_std::AsyncStd;

    fn runtime() -> Self::Runtime {
        isotp_async_std::AsyncStd
    }

    fn start(backend: Backend) -> Network {
        (*isotp_async_std::Network::with_backend(backend)).clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_async_std::Network::open(&connection).await?;
            Ok((*network).clone())
        })
    }

    fn block_on(case: Body) {
        async_std::task::block_on(case);
    }
}

struct UnderThreads;

impl Under for UnderThreads {
    type Runtime = isotp_blocking::Threads;

    fn runtime() -> Self::Runtime {
        isotp_blocking::Threads::start().expect("a thread")
    }

    fn start(backend: Backend) -> Network {
        let network = isotp_blocking::Network::with_backend(backend);
        network.expect("a network").inner().clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_blocking::Network::open(&connection)?;
            Ok(network.inner().clone())
        })
    }

    fn block_on(case: Body) {
        smol::block_on(case);
    }
}
