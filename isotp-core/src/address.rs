//! Addresses: which frames belong to a link, and what its own frames carry (requirements 1.3).
//!
//! | format | id | address byte (data byte 0) |
//! |---|---|---|
//! | normal 11/29 | a free pair | none |
//! | normal fixed 29 | priority, 0xDA or 0xDB, N_TA, N_SA | none |
//! | extended 11/29 | a free pair | N_TA of the addressee |
//! | mixed 11 | a free pair | N_AE, the same both ways |
//! | mixed 29 | priority, 0xCE or 0xCD, N_TA, N_SA | N_AE, the same both ways |

#[cfg(feature = "serde")]
mod plain;

use crate::error::AddressError;
use crate::frame::{FrameKind, FrameView, Id};

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
    const fn is_fixed(self) -> bool {
        matches!(self, Self::NormalFixed | Self::Mixed29)
    }

    /// Whether the first data byte is an address byte.
    const fn has_byte(self) -> bool {
        matches!(self, Self::Extended | Self::Mixed11 | Self::Mixed29)
    }
}

/// One direction of an address: an id, and the address byte where the format has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "plain::PlainHalf", into = "plain::PlainHalf")
)]
pub struct Half {
    id: Id,
    byte: u8,
    format: AddressFormat,
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
    const fn names_one_node(self) -> bool {
        let id = self.id.value();
        self.format.is_fixed() && (id >> 8) as u8 == id as u8
    }

    const fn same_n_ai(self, other: Self) -> bool {
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

/// Both directions of a link, physical, and the functional ids beside them.
///
/// ```
/// use isotp_core::{Address, Id};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let tester = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?
///     .with_functional_tx(Id::standard(0x7DF)?)?;
/// let ecu = tester.reversed();
/// assert_eq!(ecu.tx().id(), tester.rx().id());
/// assert_eq!(ecu.functional_rx().unwrap().id(), Id::standard(0x7DF)?);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "plain::PlainAddress", into = "plain::PlainAddress")
)]
pub struct Address {
    tx: Half,
    rx: Half,
    functional_tx: Option<Half>,
    functional_rx: Option<Half>,
    any_source: bool,
}

impl Address {
    /// Two halves, of the same format or not.
    ///
    /// # Errors
    /// [`AddressError::SameIds`] if a link would hear its own frames, [`AddressError::SameNodes`] if an
    /// id that names target and source names one node twice (`ADR-09`).
    pub const fn from_halves(tx: Half, rx: Half) -> Result<Self, AddressError> {
        if tx.same_n_ai(rx) {
            return Err(AddressError::SameIds { id: tx.id });
        }
        if tx.names_one_node() {
            return Err(AddressError::SameNodes { id: tx.id });
        }
        if rx.names_one_node() {
            return Err(AddressError::SameNodes { id: rx.id });
        }
        Ok(Self {
            tx,
            rx,
            functional_tx: None,
            functional_rx: None,
            any_source: false,
        })
    }

    /// Normal addressing on a free pair of ids.
    ///
    /// # Errors
    /// [`AddressError::SameIds`].
    pub const fn normal(tx_id: Id, rx_id: Id) -> Result<Self, AddressError> {
        Self::from_halves(Half::normal(tx_id), Half::normal(rx_id))
    }

    /// Normal fixed addressing between the node `local` (us) and the node `remote`.
    ///
    /// # Errors
    /// [`AddressError::SameIds`] if both are equal.
    pub const fn normal_fixed(local: u8, remote: u8) -> Result<Self, AddressError> {
        Self::from_halves(
            Half::normal_fixed(remote, local),
            Half::normal_fixed(local, remote),
        )
    }

    /// Extended addressing: our frames carry `tx_n_ta` (the peer), the peer's carry `rx_n_ta` (us).
    ///
    /// # Errors
    /// [`AddressError::SameIds`] if ids and address bytes are equal.
    pub const fn extended(
        tx_id: Id,
        tx_n_ta: u8,
        rx_id: Id,
        rx_n_ta: u8,
    ) -> Result<Self, AddressError> {
        Self::from_halves(
            Half::extended(tx_id, tx_n_ta),
            Half::extended(rx_id, rx_n_ta),
        )
    }

    /// Mixed addressing on a free pair of ids.
    ///
    /// # Errors
    /// [`AddressError::SameIds`].
    pub const fn mixed_11(tx_id: Id, rx_id: Id, n_ae: u8) -> Result<Self, AddressError> {
        Self::from_halves(Half::mixed_11(tx_id, n_ae), Half::mixed_11(rx_id, n_ae))
    }

    /// Mixed 29-bit addressing between the node `local` (us) and the node `remote`.
    ///
    /// # Errors
    /// [`AddressError::SameIds`] if both are equal.
    pub const fn mixed_29(local: u8, remote: u8, n_ae: u8) -> Result<Self, AddressError> {
        Self::from_halves(
            Half::mixed_29(remote, local, n_ae),
            Half::mixed_29(local, remote, n_ae),
        )
    }

    /// Adds the id on which functional requests are sent (`ADR-04`). With mixed 11 it carries the
    /// link's N_AE; with extended addressing use [`with_functional_tx_to`](Self::with_functional_tx_to).
    ///
    /// # Errors
    /// [`AddressError::FunctionalFormat`] with extended addressing, and for an id that is not a
    /// functional one of the fixed formats (0xDB, 0xCD).
    pub const fn with_functional_tx(mut self, id: Id) -> Result<Self, AddressError> {
        match functional(self.tx, id, None) {
            Ok(half) => self.functional_tx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// The same with an N_TA of its own, for extended addressing.
    ///
    /// # Errors
    /// [`AddressError::FunctionalFormat`] with any other format.
    pub const fn with_functional_tx_to(mut self, id: Id, n_ta: u8) -> Result<Self, AddressError> {
        match functional(self.tx, id, Some(n_ta)) {
            Ok(half) => self.functional_tx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Adds the id on which functional requests are received (`ADR-04`); many links may share it.
    ///
    /// # Errors
    /// As [`with_functional_tx`](Self::with_functional_tx), and
    /// [`AddressError::SameFunctionalId`] if it is the physical one.
    pub const fn with_functional_rx(mut self, id: Id) -> Result<Self, AddressError> {
        match functional(self.rx, id, None) {
            Ok(half) if half.same_n_ai(self.rx) => {
                return Err(AddressError::SameFunctionalId { id });
            }
            Ok(half) => self.functional_rx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// The same with an N_TA of its own, for extended addressing.
    ///
    /// # Errors
    /// As [`with_functional_rx`](Self::with_functional_rx).
    pub const fn with_functional_rx_to(mut self, id: Id, n_ta: u8) -> Result<Self, AddressError> {
        match functional(self.rx, id, Some(n_ta)) {
            Ok(half) if half.same_n_ai(self.rx) => {
                return Err(AddressError::SameFunctionalId { id });
            }
            Ok(half) => self.functional_rx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Adds the functional tx id of the fixed formats that addresses the group `target`, for
    /// example 0x33.
    ///
    /// # Errors
    /// [`AddressError::NotFixed`] with any other format.
    pub const fn with_functional_target(mut self, target: u8) -> Result<Self, AddressError> {
        match fixed_functional(self.tx, target) {
            Ok(half) => self.functional_tx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Adds the functional rx id of the fixed formats: frames from the peer to the group `target`.
    ///
    /// # Errors
    /// [`AddressError::NotFixed`] with any other format.
    pub const fn with_functional_group(mut self, target: u8) -> Result<Self, AddressError> {
        match fixed_functional(self.rx, target) {
            Ok(half) => self.functional_rx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Sets the priority of sent ids, 0 (highest) to 7; the default is 6. Receivers ignore it (`ADR-01`).
    ///
    /// # Errors
    /// [`AddressError::Priority`] above 7, [`AddressError::NotFixed`] if no sent id has one.
    pub const fn with_priority(mut self, priority: u8) -> Result<Self, AddressError> {
        if priority > 7 {
            return Err(AddressError::Priority { priority });
        }
        if !self.tx.format.is_fixed() {
            return Err(AddressError::NotFixed);
        }
        let bits = (priority as u32) << 26;
        self.tx.id = Id::from_raw(self.tx.id.raw() & !PRIORITY | bits);
        if let Some(half) = &mut self.functional_tx {
            half.id = Id::from_raw(half.id.raw() & !PRIORITY | bits);
        }
        Ok(self)
    }

    /// Receives from every source address; flow control goes to whoever sends, and so does the next
    /// message (see [`Link::send`](crate::Link::send)).
    ///
    /// # Errors
    /// [`AddressError::NotFixed`] if received ids name no source.
    pub const fn with_any_source(mut self) -> Result<Self, AddressError> {
        if !self.rx.format.is_fixed() || !self.tx.format.is_fixed() {
            return Err(AddressError::NotFixed);
        }
        self.any_source = true;
        Ok(self)
    }

    /// The address of the peer: tx and rx exchanged, functional ids too.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            tx: self.rx,
            rx: self.tx,
            functional_tx: self.functional_rx,
            functional_rx: self.functional_tx,
            any_source: false,
        }
    }

    /// What our physical frames carry, flow control included (`ADR-03`).
    #[must_use]
    pub const fn tx(&self) -> Half {
        self.tx
    }

    /// What the peer's physical frames carry.
    #[must_use]
    pub const fn rx(&self) -> Half {
        self.rx
    }

    /// What our functional requests carry.
    #[must_use]
    pub const fn functional_tx(&self) -> Option<Half> {
        self.functional_tx
    }

    /// What functional requests to us carry.
    #[must_use]
    pub const fn functional_rx(&self) -> Option<Half> {
        self.functional_rx
    }

    /// Whether every source address is received.
    #[must_use]
    pub const fn any_source(&self) -> bool {
        self.any_source
    }

    /// N_TAtype of ISO 15765-2, 1 to 8 (`ADR-05`).
    #[must_use]
    pub const fn n_ta_type(&self, kind: FrameKind, functional: bool) -> u8 {
        1 + functional as u8 + 2 * kind.is_fd() as u8 + 4 * self.tx.id.is_extended() as u8
    }

    /// Whether the message type is remote diagnostics, which is so where an N_AE is present (`ADR-05`).
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(
            self.tx.format,
            AddressFormat::Mixed11 | AddressFormat::Mixed29
        )
    }

    /// The ids under which frames of this address come.
    pub(crate) fn filters(self) -> impl Iterator<Item = Filter> {
        let any_source = self.any_source;
        [Some(self.rx), self.functional_rx]
            .into_iter()
            .flatten()
            .map(move |half| {
                let ignored = match (half.format.is_fixed(), any_source) {
                    (false, _) => 0,
                    (true, false) => PRIORITY,
                    (true, true) => PRIORITY | 0xFF,
                };
                let all = if half.id.is_extended() {
                    0x1FFF_FFFF
                } else {
                    0x7FF
                };
                Filter {
                    id: half.id,
                    mask: all & !ignored,
                }
            })
    }

    /// Whom a received frame is for, and from whom (`PCI-02`).
    pub(crate) fn recognise(&self, frame: &FrameView<'_>) -> Option<Recognised> {
        if frame.id == self.rx.id || self.matches(self.rx, frame.id) {
            if self.rx.format.has_byte() && frame.data.first() != Some(&self.rx.byte) {
                return self.recognise_functional(frame);
            }
            return Some(Recognised {
                functional: false,
                source: frame.id.value() as u8,
            });
        }
        self.recognise_functional(frame)
    }

    pub(crate) fn recognise_functional(&self, frame: &FrameView<'_>) -> Option<Recognised> {
        let half = self.functional_rx?;
        let ours = frame.id == half.id || self.matches(half, frame.id);
        if !ours || (half.format.has_byte() && frame.data.first() != Some(&half.byte)) {
            return None;
        }
        Some(Recognised {
            functional: true,
            source: frame.id.value() as u8,
        })
    }

    /// Whether a fixed `half` matches an id of other priority or, with any source, other source.
    fn matches(&self, half: Half, id: Id) -> bool {
        if !half.format.is_fixed() {
            return false;
        }
        let ignored = if self.any_source {
            PRIORITY | 0xFF
        } else {
            PRIORITY
        };
        (id.raw() ^ half.id.raw()) & !ignored == 0
    }
}

/// What an address makes of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) functional: bool,
    /// N_SA, where the format has one.
    pub(crate) source: u8,
}

/// An id and mask under which frames are expected: those with `(frame ^ id) & mask == 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Filter {
    /// The id.
    pub id: Id,
    /// Which bits of its value matter. Whether it has 11 or 29 bits always does.
    pub mask: u32,
}

const fn fixed_id(format: u32, target: u8, source: u8) -> Id {
    let value = DEFAULT_PRIORITY | format << 16 | (target as u32) << 8 | source as u32;
    match Id::extended(value) {
        Ok(id) => id,
        Err(_) => Id::from_raw(0),
    }
}

const fn fixed_functional(half: Half, target: u8) -> Result<Half, AddressError> {
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

const fn functional(half: Half, id: Id, n_ta: Option<u8>) -> Result<Half, AddressError> {
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
const PF_NORMAL_PHYSICAL: u32 = 0xDA;
const PF_NORMAL_FUNCTIONAL: u32 = 0xDB;
const PF_MIXED_PHYSICAL: u32 = 0xCE;
const PF_MIXED_FUNCTIONAL: u32 = 0xCD;

#[cfg(test)]
mod tests;
