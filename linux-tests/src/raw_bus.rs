//! `raw:IFACE`: the project's stack on raw sockets, as a user has it under tokio.

mod faults;
mod filters;
mod load;
mod socket;
mod transfer;

use core::future::Future;
use core::time::Duration;

use isotp_tokio::{Config, Connection, Network};

use crate::case::{Case, Need};
use crate::parameters::Parameters;

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let lists = [
        socket::cases(),
        transfer::cases(),
        filters::cases(),
        faults::cases(),
        load::cases(),
    ];
    lists.into_iter().flatten().collect()
}

/// Those that take a minute each.
pub(crate) fn long_cases() -> Vec<Case> {
    load::long_cases()
}

fn case(
    name: &str,
    needs: &'static [Need],
    seconds: u64,
    run: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static,
) -> Case {
    Case {
        name: format!("raw/{name}"),
        needs,
        seconds,
        run: Box::new(run),
    }
}

/// Runs a future under tokio, for so many seconds at most.
fn under_tokio<T>(
    seconds: u64,
    future: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().map_err(said)?;
    let length = Duration::from_secs(seconds);
    runtime.block_on(async {
        let ended = tokio::time::timeout(length, future).await;
        ended.unwrap_or_else(|_| Err(format!("not over after {seconds} s")))
    })
}

async fn open(interface: &str) -> Result<Network, String> {
    Network::open(&format!("raw:{interface}"))
        .await
        .map_err(said)
}

/// A connection as the parameters say, with the driver's own limits.
async fn connect(network: &Network, parameters: &Parameters) -> Result<Connection, String> {
    let config = Config::from(parameters.config());
    let connection = network.connect(parameters.address, config).await;
    connection.map_err(said)
}

fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}
