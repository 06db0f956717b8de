//! One direction of an address.

use crate::error::AddressError;
use crate::frame::Id;

/// How an N_AI is spread over the CAN id and the data field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AddressFormat {
    /// A free id, no address byte.
    Normal,
    /// A 29-bit id that names target and source.
    NormalFixed,
    /// A free id, and the addressee's N_TA in the first data byte.
    Extended,
    /// A free id, and N_AE in the first data byte.
    Mixed11,
    /// A 29-bit id that names target and source, and N_AE in the first data byte.
    Mixed29,
}

impl AddressFormat {
    /// Whether the id itself names target, source and priority.
    pub(super) const fn is_fixed(self) -> bool {
        matches!(self, Self::NormalFixed | Self::Mixed29)
    }

    /// Whether the first data byte is an address byte.
    pub(super) const fn has_byte(self) -> bool {
        matches!(self, Self::Extended | Self::Mixed11 | Self::Mixed29)
    }
}

/// One direction of an address: an id, and the address byte where the format has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "super::plain::PlainHalf", into = "super::plain::PlainHalf")
)]
pub struct Half {
    pub(super) id: Id,
    pub(crate) byte: u8,
    pub(super) format: AddressFormat,
}

impl Half {
    /// Normal addressing.
    #[must_use]
    pub const fn normal(id: Id) -> Self {
        Self {
            id,
            byte: 0,
            format: AddressFormat::Normal,
        }
    }

    /// Normal fixed addressing, physical, priority 6: 0x18DA, then `target` and `source`.
    #[must_use]
    pub const fn normal_fixed(target: u8, source: u8) -> Self {
        let id = fixed_id(DEFAULT_PRIORITY, PF_NORMAL_PHYSICAL, target, source);
        Self {
            id,
            byte: 0,
            format: AddressFormat::NormalFixed,
        }
    }

    /// Extended addressing: `n_ta` names whoever receives this direction (`ADR-02`).
    #[must_use]
    pub const fn extended(id: Id, n_ta: u8) -> Self {
        Self {
            id,
            byte: n_ta,
            format: AddressFormat::Extended,
        }
    }

    /// Mixed addressing on any id, usually of 11 bits.
    #[must_use]
    pub const fn mixed_11(id: Id, n_ae: u8) -> Self {
        Self {
            id,
            byte: n_ae,
            format: AddressFormat::Mixed11,
        }
    }

    /// Mixed 29-bit addressing, physical, priority 6: 0x18CE, then `target` and `source`.
    #[must_use]
    pub const fn mixed_29(target: u8, source: u8, n_ae: u8) -> Self {
        let id = fixed_id(DEFAULT_PRIORITY, PF_MIXED_PHYSICAL, target, source);
        Self {
            id,
            byte: n_ae,
            format: AddressFormat::Mixed29,
        }
    }

    /// The CAN id.
    #[must_use]
    pub const fn id(self) -> Id {
        self.id
    }

    /// The format.
    #[must_use]
    pub const fn format(self) -> AddressFormat {
        self.format
    }

    /// The address byte: N_TA or N_AE.
    #[must_use]
    pub const fn byte(self) -> Option<u8> {
        if self.format.has_byte() {
            Some(self.byte)
        } else {
            None
        }
    }

    /// Address bytes in the data field, 0 or 1: the `x` of the requirements.
    #[must_use]
    pub const fn prefix_len(self) -> usize {
        self.format.has_byte() as usize
    }

    /// Whether target and source are the same node.
    pub(super) const fn names_one_node(self) -> bool {
        let id = self.id.value();
        self.format.is_fixed() && (id >> 8) as u8 == id as u8
    }

    pub(super) const fn same_n_ai(self, other: Self) -> bool {
        let ids = if self.format.is_fixed() && other.format.is_fixed() {
            self.id.raw() & !PRIORITY == other.id.raw() & !PRIORITY
        } else {
            self.id.raw() == other.id.raw()
        };
        let both_extended = matches!(
            (self.format, other.format),
            (AddressFormat::Extended, AddressFormat::Extended)
        );
        ids && !(both_extended && self.byte != other.byte)
    }

    /// The same half towards `target`; for ids that name it.
    pub(crate) const fn towards(self, target: u8) -> Self {
        if self.format.is_fixed() {
            let [high, format, _, source] = self.id.raw().to_be_bytes();
            let raw = u32::from_be_bytes([high, format, target, source]);
            let id = Id::from_raw(raw);
            return Self { id, ..self };
        }
        self
    }
}

/// An id that names target and source, with another priority.
pub(super) const fn with_priority(id: Id, priority: u8) -> Id {
    let [_, format, target, source] = id.value().to_be_bytes();
    fixed_id(priority, format, target, source)
}

/// Priority, PDU format with both page bits 0, N_TA, N_SA (`ADR-01`).
const fn fixed_id(priority: u8, format: u8, target: u8, source: u8) -> Id {
    let value = u32::from_be_bytes([priority << 2, format, target, source]);
    Id::from_29_bits(value)
}

pub(super) const fn fixed_functional(half: Half, target: u8) -> Result<Half, AddressError> {
    let format = match half.format {
        AddressFormat::NormalFixed => PF_NORMAL_FUNCTIONAL,
        AddressFormat::Mixed29 => PF_MIXED_FUNCTIONAL,
        _ => return Err(AddressError::NotFixed),
    };
    let [high, _, _, source] = half.id.raw().to_be_bytes();
    let raw = u32::from_be_bytes([high, format, target, source]);
    Ok(Half {
        id: Id::from_raw(raw),
        ..half
    })
}

pub(super) const fn functional(half: Half, id: Id, n_ta: Option<u8>) -> Result<Half, AddressError> {
    match (half.format, n_ta, pdu_format(id)) {
        (AddressFormat::Extended, Some(byte), _) => Ok(Half { id, byte, ..half }),
        (AddressFormat::Normal | AddressFormat::Mixed11, None, _)
        | (AddressFormat::NormalFixed, None, Some(PF_NORMAL_FUNCTIONAL))
        | (AddressFormat::Mixed29, None, Some(PF_MIXED_FUNCTIONAL)) => Ok(Half { id, ..half }),
        _ => Err(AddressError::FunctionalFormat),
    }
}

/// The PDU format in a 29-bit id whose page bits, 25 and 24, are both 0 (`ADR-01`).
pub(super) const fn pdu_format(id: Id) -> Option<u8> {
    match id.value().to_be_bytes() {
        [high, format, ..] if id.is_extended() && high & 3 == 0 => Some(format),
        _ => None,
    }
}

pub(crate) const PRIORITY: u32 = 7 << 26;
pub(crate) const PRIORITY_AND_SOURCE: u32 = 0x1C00_00FF;
const DEFAULT_PRIORITY: u8 = 6;
pub(super) const PF_NORMAL_PHYSICAL: u8 = 0xDA;
pub(super) const PF_NORMAL_FUNCTIONAL: u8 = 0xDB;
pub(super) const PF_MIXED_PHYSICAL: u8 = 0xCE;
pub(super) const PF_MIXED_FUNCTIONAL: u8 = 0xCD;
