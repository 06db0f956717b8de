//! Round trips of messages between two connections of a network, under each runtime, over a virtual bus
//! on which frames take no time: what is measured is the driver, the queues and the runtime.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use isotp_driver::{Address, Config, Id, Network};
use isotp_virtual::VirtualBus;

use crate::Result;

/// Who carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    /// On one thread.
    Tokio,
    /// On all processors.
    TokioThreads,
    /// On one thread, as it is unless `SMOL_THREADS` says otherwise.
    Smol,
    /// On one thread.
    AsyncStd,
    /// On all processors, as it is unless `ASYNC_STD_THREAD_COUNT` says otherwise.
    AsyncStdThreads,
    Blocking,
}

impl Adapter {
    pub(crate) const ALL: [Self; 6] = [
        Self::Tokio,
        Self::TokioThreads,
        Self::Smol,
        Self::AsyncStd,
        Self::AsyncStdThreads,
        Self::Blocking,
    ];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Tokio => "tokio, one thread",
            Self::TokioThreads => "tokio, all processors",
            Self::Smol => "smol, one thread",
            Self::AsyncStd => "async-std, one thread",
            Self::AsyncStdThreads => "async-std, all processors",
            Self::Blocking => "blocking",
        }
    }

    /// Microseconds of a round trip in each batch of one round.
    pub(crate) fn echo(self, size: usize) -> Result<Vec<f64>> {
        let bus = VirtualBus::default();
        match self {
            Self::Tokio | Self::TokioThreads => {
                let mut builder = match self {
                    Self::Tokio => tokio::runtime::Builder::new_current_thread(),
                    _ => tokio::runtime::Builder::new_multi_thread(),
                };
                let runtime = builder.enable_all().build().map_err(said)?;
                runtime.block_on(async {
                    let network = isotp_tokio::Network::with_bus(bus.port());
                    let client = client((*network).clone(), size);
                    tokio::spawn(client).await.map_err(said)?
                })
            }
            Self::Smol => smol::block_on(async {
                let network = isotp_smol::Network::with_bus(bus.port());
                smol::spawn(client((*network).clone(), size)).await
            }),
            Self::AsyncStd => beside(size, Some("1")),
            Self::AsyncStdThreads => beside(size, None),
            Self::Blocking => threads(&bus, size),
        }
    }
}

/// Under async-std in a process of its own, since the environment sets the number of its threads.
fn beside(size: usize, threads: Option<&str>) -> Result<Vec<f64>> {
    let mut command = Command::new(std::env::current_exe().map_err(said)?);
    command.args(["async-std", &size.to_string()]);
    match threads {
        Some(number) => command.env(THREADS, number),
        None => command.env_remove(THREADS),
    };
    numbers(&mut command)
}

/// The numbers that a program prints.
fn numbers(command: &mut Command) -> Result<Vec<f64>> {
    let output = command.stderr(Stdio::inherit()).output().map_err(said)?;
    if !output.status.success() {
        return Err(format!("failed: {command:?}"));
    }
    let numbers = String::from_utf8_lossy(&output.stdout);
    let numbers = numbers.split_whitespace().map(str::parse);
    numbers
        .collect::<core::result::Result<_, _>>()
        .map_err(said)
}

/// Runs under async-std, for [`beside`], and prints the microseconds.
pub(crate) fn child(size: &str) -> Result<()> {
    let size = size.parse().map_err(said)?;
    let bus = VirtualBus::default();
    let micros = async_std::task::block_on(async {
        let network = isotp_async_std::Network::with_bus(bus.port());
        async_std::task::spawn(client((*network).clone(), size)).await
    })?;
    micros.iter().for_each(|micros| println!("{micros}"));
    Ok(())
}

/// Under the Python package aioisotp, by a Python that has it.
pub(crate) fn aioisotp(python: &str, size: usize) -> Result<Vec<f64>> {
    // a batch takes some milliseconds, or tens of them with many frames
    let round_trips = if size < 100 { "20" } else { "1" };
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/echo.py"));
    numbers(command.args([&size.to_string(), round_trips, &BATCHES.to_string()]))
}

/// Sends and waits for the echo, batch after batch; gives the microseconds of a round trip in each.
async fn client(network: Network, size: usize) -> Result<Vec<f64>> {
    let address = address()?;
    let server = network.serve(
        address.reversed(),
        Config::default(),
        |server, message| async move {
            // a failure shows at the client
            server.send(message).await.ok();
        },
    );
    let _server = server.await.map_err(said)?;
    let client = network.connect(address, Config::default());
    let client = client.await.map_err(said)?;
    let (message, rounds) = (vec![0x55; size], batch(size));
    let mut micros = Vec::with_capacity(BATCHES);
    for batch in 0..=BATCHES {
        let begin = Instant::now();
        for _ in 0..rounds {
            client.send(message.as_slice()).await.map_err(said)?;
            let echo = client.recv().await.map_err(said)?;
            if echo != message {
                return Err("another message came back".to_owned());
            }
        }
        if batch != WARM_UP {
            micros.push(begin.elapsed().as_secs_f64() * 1e6 / rounds as f64);
        }
    }
    Ok(micros)
}

/// The same with threads that block.
fn threads(bus: &VirtualBus, size: usize) -> Result<Vec<f64>> {
    let network = isotp_blocking::Network::with_bus(bus.port()).map_err(said)?;
    let connect = |address| network.connect(address, Config::default()).map_err(said);
    let (client, server) = (connect(address()?)?, connect(address()?.reversed())?);
    let echo = thread::spawn(move || {
        while let Ok(message) = server.recv() {
            server.send(message).ok();
        }
    });
    let message = vec![0x55; size];
    let mut failed = None;
    let micros = batches(batch(size), || {
        let echo = client.send(message.as_slice()).map_err(said);
        let echo = echo.and_then(|()| client.recv().map_err(said));
        match echo {
            Ok(echo) if echo == message => {}
            Ok(_) => failed = Some("another message came back".to_owned()),
            Err(error) => failed = Some(error),
        }
    });
    network.close();
    echo.join().map_err(|_| "the echo panicked")?;
    failed.map_or(Ok(micros), Err)
}

/// Microseconds of `act` in each batch.
pub(crate) fn batches(rounds: usize, mut act: impl FnMut()) -> Vec<f64> {
    let mut batch = || {
        let begin = Instant::now();
        (0..rounds).for_each(|_| act());
        begin.elapsed().as_secs_f64() * 1e6 / rounds as f64
    };
    batch(); // to warm up
    (0..BATCHES).map(|_| batch()).collect()
}

/// How many round trips are timed at once. A batch takes a millisecond, or a few with many frames: most are
/// over before the machine gives the processor to other work.
pub(crate) const fn batch(size: usize) -> usize {
    100_000 / (size + 400)
}

fn address() -> Result<Address> {
    let id = |value| Id::standard(value).map_err(said);
    Address::normal(id(0x7E0)?, id(0x7E8)?).map_err(said)
}

pub(crate) fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}

/// How many threads async-std has.
const THREADS: &str = "ASYNC_STD_THREAD_COUNT";

/// How often a round times each adapter.
pub(crate) const BATCHES: usize = 40;
/// The batch that is not timed.
const WARM_UP: usize = 0;
