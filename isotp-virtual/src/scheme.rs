//! `virtual:NAME` in connection strings.

use isotp_driver::{Backend, BoxFuture, OpenError, Path, Runtime, Scheme};
use isotp_sim::{BitTiming, Clock};

use crate::bus::{Options, VirtualBus};

/// Opens `virtual:NAME`, with options behind a question mark:
///
/// | option | meaning |
/// |---|---|
/// | `bitrate=500000` | count the bits of frames, at this nominal bitrate |
/// | `data_bitrate=2000000` | the bitrate of the data phase; without, the nominal one |
/// | `realtime` | frames take as long as on a real bus; needs `bitrate` |
///
/// A bus that exists already is opened by its name alone, or with the options that it was made with.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualScheme;

impl<R: Runtime> Scheme<R> for VirtualScheme {
    fn name(&self) -> &'static str {
        "virtual"
    }

    fn usage(&self) -> &'static str {
        "virtual:NAME"
    }

    fn open<'a>(
        &'a self,
        rest: &'a str,
        _runtime: &'a R,
    ) -> BoxFuture<'a, Result<Backend, OpenError>> {
        Box::pin(core::future::ready(open(rest)))
    }
}

fn open(rest: &str) -> Result<Backend, OpenError> {
    let connection = format!("virtual:{rest}");
    let wrong = |problem: String| OpenError::Parameter {
        connection: connection.clone(),
        problem,
    };
    let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(wrong("the name is missing, expected virtual:NAME".into()));
    }
    if name.contains(['=', '&', ',']) {
        return Err(wrong(format!(
            "{name:?} is no name, expected virtual:NAME, with options behind a question mark, such as \
             virtual:demo?bitrate=500000"
        )));
    }
    let bus = if query.is_empty() {
        VirtualBus::named(name)
    } else {
        let clock = clock(query).map_err(wrong)?;
        let options = Options {
            clock,
            ..Options::default()
        };
        VirtualBus::create(name, options).map_err(|error| wrong(error.to_string()))?
    };
    Ok(Backend::bus(Path::new(connection), bus.port()))
}

fn clock(query: &str) -> Result<Clock, String> {
    let (mut nominal, mut data, mut realtime) = (None, None, false);
    for option in query.split('&') {
        match option.split_once('=') {
            Some(("bitrate", value)) => nominal = Some(number(option, value)?),
            Some(("data_bitrate", value)) => data = Some(number(option, value)?),
            None if option == "realtime" => realtime = true,
            _ => {
                return Err(format!(
                    "unknown option {option:?}, expected bitrate=N, data_bitrate=N or realtime"
                ));
            }
        }
    }
    let nominal = nominal.ok_or("bitrate is missing, write for example ?bitrate=500000")?;
    let timing = BitTiming::new(nominal, data.unwrap_or(nominal));
    let timing = timing.map_err(|error| error.to_string())?;
    Ok(if realtime {
        Clock::Timed(timing)
    } else {
        Clock::Counted(timing)
    })
}

fn number(option: &str, value: &str) -> Result<u32, String> {
    let parsed = value.parse();
    parsed.map_err(|_| format!("{option:?}, expected a number of bits per second"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_is_wrong() {
        for (rest, problem) in [
            ("", "the name is missing"),
            ("a,bitrate=500000", "options behind a question mark"),
            ("a&realtime", "options behind a question mark"),
            ("a?bitrate=fast", "expected a number"),
            ("a?bitrate=0", "bitrates 0 and 0"),
            ("a?realtime", "bitrate is missing"),
            ("a?speed=3", "unknown option \"speed=3\""),
        ] {
            let error = open(rest).unwrap_err().to_string();
            assert!(error.contains(problem), "{rest}: {error}");
        }
    }

    #[test]
    fn a_named_bus_is_shared_and_keeps_its_options() {
        let bus = VirtualBus::named("scheme-shared");
        let _port = open("scheme-shared").unwrap();
        let error = open("scheme-shared?bitrate=500000").unwrap_err();
        assert!(error.to_string().contains("other options"), "{error}");
        drop(bus);
        let timing = BitTiming::new(500_000, 2_000_000).unwrap();
        let query = "bitrate=500000&data_bitrate=2000000";
        assert_eq!(clock(query), Ok(Clock::Counted(timing)));
        assert_eq!(
            clock(&format!("{query}&realtime")),
            Ok(Clock::Timed(timing))
        );
    }
}
