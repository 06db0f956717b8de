//! `raw:IFACE`: the project's stack on raw sockets, as a user has it under tokio.

mod faults;
mod filters;
mod load;
mod socket;
mod transfer;

use isotp_tokio::{Config, Connection, Network};

use crate::case::{Case, Need};
use crate::deadline::within;
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

async fn open(interface: &str) -> Result<Network, String> {
    let string = format!("raw:{interface}");
    within("a network", Network::open(&string)).await
}

/// A connection as the parameters say, with the driver's own limits.
async fn connect(network: &Network, parameters: &Parameters) -> Result<Connection, String> {
    let config = Config::from(parameters.config());
    within("a connection", network.connect(parameters.address, config)).await
}

fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}
