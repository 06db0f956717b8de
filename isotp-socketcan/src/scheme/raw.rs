//! `raw:IFACE` in connection strings.

use isotp_driver::{Backend, BoxFuture, OpenError, Path, Runtime, Scheme};

use crate::raw::{RawBus, RawSocket};

/// Opens `raw:IFACE`: the stack of this project on a raw CAN socket, such as `raw:can0`.
///
/// | option | meaning |
/// |---|---|
/// | `in_flight=1` | consecutive frames of a transfer on their way at STmin 0, 1 to 255, where its configuration leaves that open; 32 by default |
#[derive(Clone, Copy, Debug, Default)]
pub struct RawScheme;

impl<R: Runtime> Scheme<R> for RawScheme {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn usage(&self) -> &'static str {
        "raw:IFACE"
    }

    fn open<'a>(
        &'a self,
        rest: &'a str,
        runtime: &'a R,
    ) -> BoxFuture<'a, Result<Backend, OpenError>> {
        Box::pin(core::future::ready(open(rest, runtime)))
    }
}

fn open<R: Runtime>(rest: &str, runtime: &R) -> Result<Backend, OpenError> {
    let (interface, in_flight) = parse(rest)?;
    let mut bus = RawBus::new(runtime, RawSocket::open(interface)?)?;
    if let Some(in_flight) = in_flight {
        bus = bus.with_in_flight(in_flight);
    }
    Ok(Backend::bus(Path::new(format!("raw:{interface}")), bus))
}

/// The interface, and the frames in flight.
fn parse(rest: &str) -> Result<(&str, Option<u8>), OpenError> {
    let wrong = |problem: String| OpenError::Parameter {
        connection: format!("raw:{rest}"),
        problem,
    };
    let (interface, query) = rest.split_once('?').unwrap_or((rest, ""));
    if interface.is_empty() {
        return Err(wrong("the interface is missing, expected raw:IFACE".into()));
    }
    let mut in_flight = None;
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let Some(("in_flight", value)) = option.split_once('=') else {
            return Err(wrong(format!(
                "unknown option {option:?}, expected in_flight=N"
            )));
        };
        let number = value.parse().ok().filter(|number| *number > 0);
        in_flight = Some(number.ok_or_else(|| {
            wrong(format!(
                "{option:?}, expected a number of frames from 1 to 255"
            ))
        })?);
    }
    Ok((interface, in_flight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_is_wrong() {
        assert_eq!(parse("can0").unwrap(), ("can0", None));
        assert_eq!(parse("can0?in_flight=1").unwrap(), ("can0", Some(1)));
        for (rest, problem) in [
            ("", "the interface is missing"),
            ("?in_flight=2", "the interface is missing"),
            ("can0?in_flight=0", "from 1 to 255"),
            ("can0?in_flight=256", "from 1 to 255"),
            ("can0?speed=3", "unknown option \"speed=3\""),
        ] {
            let error = parse(rest).unwrap_err().to_string();
            assert!(error.contains(problem), "{rest}: {error}");
        }
    }
}
