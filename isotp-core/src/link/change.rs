//! What can be changed about a link that is in use.

use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use super::Link;
use crate::buffer::RxBuffer;
use crate::config::{Config, StMin};
use crate::error::{ChangeError, ConfigError};
use crate::payload::Payload;
use crate::receiver::check;

impl<B, P, C, S> Link<B, P, C, S>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    /// N_ChangeParameter: sets BS or STmin of our flow controls (`SVC-07`).
    ///
    /// # Errors
    /// [`ChangeError::Receiving`] while a message is being received, [`ChangeError::WrongValue`] above
    /// 0xFF and for reserved STmin codes.
    pub fn configure(&mut self, parameter: Parameter, value: u32) -> Result<(), ChangeError> {
        if self.receiver.reception.is_active() {
            return Err(ChangeError::Receiving);
        }
        let wrong = ChangeError::WrongValue { value };
        let byte = u8::try_from(value).map_err(|_| wrong)?;
        match parameter {
            Parameter::BlockSize => self.receiver.reception.set_block_size(byte),
            Parameter::StMin => {
                self.receiver
                    .reception
                    .set_st_min(StMin::from_code(byte).map_err(|_| wrong)?);
            }
        }
        Ok(())
    }

    /// Takes another configuration, whole, between two messages. Messages and events that were not taken
    /// yet stay; what [`configure`](Self::configure) had set is replaced.
    ///
    /// # Errors
    /// [`ReconfigureError::Busy`] while a message is being sent or received, or a flow control is due;
    /// [`ReconfigureError::Config`] for a configuration that makes no sense. Nothing has changed then.
    pub fn reconfigure(&mut self, config: C) -> Result<(), ReconfigureError> {
        let reception = &self.receiver.reception;
        if self.sender.transfer.is_busy()
            || self.functional.transfer.is_busy()
            || reception.is_active()
            || reception.wants_poll()
        {
            return Err(ReconfigureError::Busy);
        }
        let [physical, functional] = [&self.receiver.spare, &self.functional.spare];
        let spare = physical.as_ref().len().min(functional.as_ref().len());
        check(&config, spare).map_err(ReconfigureError::Config)?;
        let reception = &mut self.receiver.reception;
        reception.set_block_size(config.receive.block_size);
        reception.set_st_min(config.receive.st_min);
        self.config = config;
        Ok(())
    }
}

/// What N_ChangeParameter changes (`SVC-07`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Parameter {
    /// BS.
    BlockSize,
    /// STmin.
    StMin,
}

impl FromStr for Parameter {
    type Err = ChangeError;
    /// The names of the standard: `BS` and `STMIN`.
    fn from_str(name: &str) -> Result<Self, ChangeError> {
        match name {
            "BS" => Ok(Self::BlockSize),
            "STMIN" => Ok(Self::StMin),
            _ => Err(ChangeError::WrongParameter),
        }
    }
}

/// Why a link kept its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReconfigureError {
    /// A message is being sent or received.
    Busy,
    /// The new one makes no sense, or needs more spare memory.
    Config(ConfigError),
}

impl fmt::Display for ReconfigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("a message is being sent or received; try again after it"),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReconfigureError {}
