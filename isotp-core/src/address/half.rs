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
        let id = fixed_id(PF_NORMAL_PHYSICAL, target, source);
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
        let id = fixed_id(PF_MIXED_PHYSICAL, target, source);
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
            let id = Id::from_raw(self.id.raw() & !0xFF00 | (target as u32) << 8);
            return Self { id, ..self };
        }
        self
    }
}

const fn fixed_id(format: u32, target: u8, source: u8) -> Id {
    let value = DEFAULT_PRIORITY | format << 16 | (target as u32) << 8 | source as u32;
    match Id::extended(value) {
        Ok(id) => id,
        Err(_) => Id::from_raw(0),
    }
}

pub(super) const fn fixed_functional(half: Half, target: u8) -> Result<Half, AddressError> {
    let format = match half.format {
        AddressFormat::NormalFixed => PF_NORMAL_FUNCTIONAL,
        AddressFormat::Mixed29 => PF_MIXED_FUNCTIONAL,
        _ => return Err(AddressError::NotFixed),
    };
    let raw = half.id.raw() & !0x00FF_FF00 | format << 16 | (target as u32) << 8;
    Ok(Half {
        id: Id::from_raw(raw),
        ..half
    })
}

pub(super) const fn functional(half: Half, id: Id, n_ta: Option<u8>) -> Result<Half, AddressError> {
    let format = (id.value() >> 16) & 0x3FF;
    match (half.format, n_ta) {
        (AddressFormat::Extended, Some(byte)) => Ok(Half { id, byte, ..half }),
        (AddressFormat::Normal | AddressFormat::Mixed11, None) => Ok(Half { id, ..half }),
        (AddressFormat::NormalFixed, None)
            if id.is_extended() && format == PF_NORMAL_FUNCTIONAL =>
        {
            Ok(Half { id, ..half })
        }
        (AddressFormat::Mixed29, None) if id.is_extended() && format == PF_MIXED_FUNCTIONAL => {
            Ok(Half { id, ..half })
        }
        _ => Err(AddressError::FunctionalFormat),
    }
}

pub(crate) const PRIORITY: u32 = 7 << 26;
const DEFAULT_PRIORITY: u32 = 6 << 26;
pub(super) const PF_NORMAL_PHYSICAL: u32 = 0xDA;
pub(super) const PF_NORMAL_FUNCTIONAL: u32 = 0xDB;
pub(super) const PF_MIXED_PHYSICAL: u32 = 0xCE;
pub(super) const PF_MIXED_FUNCTIONAL: u32 = 0xCD;
