//! A kernel without the module for ISO-TP: the error says so at once, and names the command that helps.

use isotp_tokio::Network;

use crate::case::{Case, Need};
use crate::deadline::under_tokio;
use crate::tool;

/// The cases that unload a module.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case {
        name: "modules/can-isotp-is-missing".to_owned(),
        needs: &[Need::Modules],
        seconds: 20,
        run: Box::new(without_isotp),
    }]
}

fn without_isotp(interface: &str) -> Result<String, String> {
    // a socket of the case before may still be closing
    tool::run("rmmod", "can_isotp")?;
    let outcome = open(&format!("kernel:{interface}")).and_then(|error| {
        // the rest goes on without it
        let raw = open(&format!("raw:{interface}"))?;
        let socketcan = open(&format!("socketcan:{interface}"))?;
        Ok((error, raw.or(socketcan)))
    });
    tool::run("insmod", "/modules/can_isotp.ko")?;
    let (error, other) = outcome?;
    let error = error.ok_or("expected an error, the network was opened")?;
    if let Some(other) = other {
        return Err(format!(
            "raw: and socketcan: need no ISO-TP of the kernel, but: {other}"
        ));
    }
    if !(error.contains("can-isotp") && error.contains("modprobe")) {
        return Err(format!("expected the module and the command, got: {error}"));
    }
    Ok(error)
}

/// Opens a network; the error, if there is one, and it came within a second.
fn open(string: &str) -> Result<Option<String>, String> {
    let start = std::time::Instant::now();
    let outcome = under_tokio(10, async { Ok(Network::open(string).await) })?;
    if start.elapsed().as_secs() >= 1 {
        return Err(format!("{string} took {:?}", start.elapsed()));
    }
    Ok(outcome.err().map(|error| error.to_string()))
}
