//! The separation time between consecutive frames.

use core::time::Duration;

use crate::error::ConfigError;

/// A separation time as the flow control codes it: 0 to 127 ms, or 100 to 900 us (`PCI-22`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u8", into = "u8"))]
pub struct StMin(u8);

impl StMin {
    /// No separation.
    pub const ZERO: Self = Self(0);
    /// 127 ms, which also stands for every reserved code (`D-07`).
    pub const MAX: Self = Self(0x7F);

    /// The coded value of a flow control.
    ///
    /// # Errors
    /// A reserved code: 0x80 to 0xF0 and 0xFA to 0xFF (`PCI-23`).
    pub const fn from_code(code: u8) -> Result<Self, ConfigError> {
        match code {
            0..=0x7F | 0xF1..=0xF9 => Ok(Self(code)),
            _ => Err(ConfigError::ReservedStMin { code }),
        }
    }

    /// The coded value as a sender must take it: reserved codes are 127 ms.
    #[must_use]
    pub const fn from_wire(code: u8) -> Self {
        match code {
            0..=0x7F | 0xF1..=0xF9 => Self(code),
            _ => Self::MAX,
        }
    }

    /// The shortest separation that is at least `duration`.
    ///
    /// # Errors
    /// A duration above 127 ms.
    pub const fn at_least(duration: Duration) -> Result<Self, ConfigError> {
        let nanos = duration.as_nanos();
        if nanos == 0 {
            Ok(Self::ZERO)
        } else if nanos <= 900_000 {
            Ok(Self(0xF0 + (nanos as u32).div_ceil(100_000) as u8))
        } else if nanos <= 127_000_000 {
            Ok(Self((nanos as u32).div_ceil(1_000_000) as u8))
        } else {
            Err(ConfigError::StMinTooLong { value: duration })
        }
    }

    /// The coded value.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.micros() as u64)
    }

    pub(crate) const fn micros(self) -> u32 {
        if self.0 <= 0x7F {
            self.0 as u32 * 1000
        } else {
            (self.0 & 0x0F) as u32 * 100
        }
    }
}

impl TryFrom<u8> for StMin {
    type Error = ConfigError;
    fn try_from(code: u8) -> Result<Self, ConfigError> {
        Self::from_code(code)
    }
}

impl From<StMin> for u8 {
    fn from(st_min: StMin) -> Self {
        st_min.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PCI-22`, `PCI-23` over all 256 codes.
    #[test]
    fn st_min_codes() {
        for code in 0..=255u8 {
            let micros = match code {
                0..=0x7F => u32::from(code) * 1000,
                0xF1..=0xF9 => u32::from(code - 0xF0) * 100,
                _ => 127_000,
            };
            assert_eq!(StMin::from_wire(code).micros(), micros);
            let reserved = matches!(code, 0x80..=0xF0 | 0xFA..=0xFF);
            assert_eq!(StMin::from_code(code).is_err(), reserved);
            if !reserved {
                let st_min = StMin::from_code(code).unwrap();
                assert_eq!(st_min.code(), code);
                assert_eq!(StMin::at_least(st_min.duration()), Ok(st_min));
            }
        }
    }

    #[test]
    fn st_min_is_never_rounded_down() {
        for micros in (0..=127_000u64).step_by(50) {
            let asked = Duration::from_micros(micros);
            assert!(StMin::at_least(asked).unwrap().duration() >= asked);
        }
        assert!(StMin::at_least(Duration::from_micros(127_001)).is_err());
    }
}
