//! Addresses in configuration files: a plain form that goes through the constructors when it is read.

use serde::{Deserialize, Serialize};

use super::half::{
    PF_MIXED_FUNCTIONAL, PF_MIXED_PHYSICAL, PF_NORMAL_FUNCTIONAL, PF_NORMAL_PHYSICAL, pdu_format,
};
use super::{Address, AddressFormat, Half};
use crate::error::AddressError;
use crate::frame::Id;

/// A [`Half`] as it is written: the format, and what that format has.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Half", rename_all = "snake_case")]
pub(super) enum PlainHalf {
    Normal { id: Id },
    NormalFixed { id: Id },
    Extended { id: Id, n_ta: u8 },
    Mixed11 { id: Id, n_ae: u8 },
    Mixed29 { id: Id, n_ae: u8 },
}

impl From<Half> for PlainHalf {
    fn from(half: Half) -> Self {
        let Half { id, byte, format } = half;
        match format {
            AddressFormat::Normal => Self::Normal { id },
            AddressFormat::NormalFixed => Self::NormalFixed { id },
            AddressFormat::Extended => Self::Extended { id, n_ta: byte },
            AddressFormat::Mixed11 => Self::Mixed11 { id, n_ae: byte },
            AddressFormat::Mixed29 => Self::Mixed29 { id, n_ae: byte },
        }
    }
}

impl TryFrom<PlainHalf> for Half {
    type Error = AddressError;
    fn try_from(plain: PlainHalf) -> Result<Self, AddressError> {
        let (id, byte, format, formats) = match plain {
            PlainHalf::Normal { id } => return Ok(Self::normal(id)),
            PlainHalf::Extended { id, n_ta } => return Ok(Self::extended(id, n_ta)),
            PlainHalf::Mixed11 { id, n_ae } => return Ok(Self::mixed_11(id, n_ae)),
            PlainHalf::NormalFixed { id } => {
                let formats = [PF_NORMAL_PHYSICAL, PF_NORMAL_FUNCTIONAL];
                (id, 0, AddressFormat::NormalFixed, formats)
            }
            PlainHalf::Mixed29 { id, n_ae } => {
                let formats = [PF_MIXED_PHYSICAL, PF_MIXED_FUNCTIONAL];
                (id, n_ae, AddressFormat::Mixed29, formats)
            }
        };
        if !pdu_format(id).is_some_and(|format| formats.contains(&format)) {
            return Err(AddressError::FixedId { id });
        }
        Ok(Self { id, byte, format })
    }
}

/// An [`Address`] as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Address")]
pub(super) struct PlainAddress {
    tx: Half,
    rx: Half,
    #[serde(default)]
    functional_tx: Option<Half>,
    #[serde(default)]
    functional_rx: Option<Half>,
    #[serde(default)]
    any_source: bool,
}

impl From<Address> for PlainAddress {
    fn from(address: Address) -> Self {
        Self {
            tx: address.tx(),
            rx: address.rx(),
            functional_tx: address.functional_tx(),
            functional_rx: address.functional_rx(),
            any_source: address.any_source(),
        }
    }
}

impl TryFrom<PlainAddress> for Address {
    type Error = AddressError;
    fn try_from(plain: PlainAddress) -> Result<Self, AddressError> {
        for half in [plain.tx, plain.rx] {
            let physical = matches!(
                pdu_format(half.id),
                Some(PF_NORMAL_PHYSICAL | PF_MIXED_PHYSICAL)
            );
            if half.format.is_fixed() && !physical {
                return Err(AddressError::FixedId { id: half.id });
            }
        }
        let mut address = Self::from_halves(plain.tx, plain.rx)?;
        if let Some(half) = plain.functional_tx {
            address = match half.format {
                AddressFormat::Extended => address.with_functional_tx_to(half.id, half.byte)?,
                _ => address.with_functional_tx(half.id)?,
            };
        }
        if let Some(half) = plain.functional_rx {
            address = match half.format {
                AddressFormat::Extended => address.with_functional_rx_to(half.id, half.byte)?,
                _ => address.with_functional_rx(half.id)?,
            };
        }
        // the constructors took the id: format and N_AE must be those of the physical half, too
        if address.functional_tx() != plain.functional_tx
            || address.functional_rx() != plain.functional_rx
        {
            return Err(AddressError::FunctionalFormat);
        }
        if plain.any_source {
            address = address.with_any_source()?;
        }
        Ok(address)
    }
}

#[cfg(test)]
mod tests;
