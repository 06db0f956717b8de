//! The command line.

use std::path::PathBuf;

use isotp_tokio::virtual_bus::{BitTiming, Clock};

use crate::AnyError;

/// What the command line says.
pub(crate) struct Arguments {
    pub(crate) path: PathBuf,
    pub(crate) fd: bool,
    bitrate: u32,
    data_bitrate: u32,
    pub(crate) realtime: bool,
}

const USAGE: &str = "usage: transfer PATH [--fd] [--bitrate N] [--data-bitrate N] [--realtime]";

impl Arguments {
    pub(crate) fn parse() -> Result<Self, AnyError> {
        use lexopt::prelude::{Long, Short, Value};
        let mut parser = lexopt::Parser::from_env();
        let (mut path, mut fd, mut realtime) = (None, false, false);
        let (mut bitrate, mut data_bitrate) = (500_000, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("fd") => fd = true,
                Long("realtime") => realtime = true,
                Long("bitrate") => bitrate = rate("--bitrate", &mut parser)?,
                Long("data-bitrate") => data_bitrate = Some(rate("--data-bitrate", &mut parser)?),
                Long("help") | Short('h') => {
                    println!("{USAGE}");
                    std::process::exit(0);
                }
                Value(value) if path.is_none() => path = Some(PathBuf::from(value)),
                other => return Err(format!("{}; {USAGE}", other.unexpected()).into()),
            }
        }
        let data_bitrate = data_bitrate.unwrap_or_else(|| bitrate.max(2_000_000));
        if data_bitrate < bitrate {
            return Err(format!(
                "--data-bitrate is {data_bitrate}, expected at least the {bitrate} of --bitrate"
            )
            .into());
        }
        Ok(Self {
            path: path.ok_or(USAGE)?,
            fd,
            bitrate,
            data_bitrate,
            realtime,
        })
    }

    /// Bits that are counted, or that take their time.
    pub(crate) fn clock(&self) -> Result<Clock, AnyError> {
        let timing = BitTiming::new(self.bitrate, self.data_bitrate)?;
        Ok(if self.realtime {
            Clock::Timed(timing)
        } else {
            Clock::Counted(timing)
        })
    }
}

/// The bits per second behind an option.
fn rate(option: &str, parser: &mut lexopt::Parser) -> Result<u32, AnyError> {
    let value = parser.value()?;
    let rate = value.to_str().and_then(|value| value.parse().ok());
    Ok(rate.ok_or_else(|| format!("{option} is {value:?}, expected a number of bits per second"))?)
}
