//! Addresses: which frames belong to a link, and what its own frames carry (requirements 1.3).
//!
//! | format | id | address byte (data byte 0) |
//! |---|---|---|
//! | normal 11/29 | a free pair | none |
//! | normal fixed 29 | priority, 0xDA or 0xDB, N_TA, N_SA | none |
//! | extended 11/29 | a free pair | N_TA of the addressee |
//! | mixed 11 | a free pair | N_AE, the same both ways |
//! | mixed 29 | priority, 0xCE or 0xCD, N_TA, N_SA | N_AE, the same both ways |

mod half;
#[cfg(feature = "serde")]
mod plain;
mod recognise;

pub use half::{AddressFormat, Half};
pub(crate) use half::{PRIORITY, PRIORITY_AND_SOURCE};
pub use recognise::Filter;
pub(crate) use recognise::Recognised;

use half::{fixed_functional, functional, with_priority};

use crate::error::AddressError;
use crate::frame::{FrameKind, Id};

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
    tx_id: Id,
    rx_id: Id,
    /// [`NONE`] if there is none; its format is that of the physical half, so it is kept once.
    functional_tx_id: Id,
    functional_rx_id: Id,
    tx_byte: u8,
    rx_byte: u8,
    functional_tx_byte: u8,
    functional_rx_byte: u8,
    tx_format: AddressFormat,
    rx_format: AddressFormat,
    any_source: bool,
    /// Our frames go to one peer and have no address byte. It follows from the other fields, but is
    /// asked for every frame.
    plain: bool,
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
            tx_id: tx.id,
            rx_id: rx.id,
            functional_tx_id: NONE,
            functional_rx_id: NONE,
            tx_byte: tx.byte,
            rx_byte: rx.byte,
            functional_tx_byte: 0,
            functional_rx_byte: 0,
            tx_format: tx.format,
            rx_format: rx.format,
            any_source: false,
            plain: !tx.format.has_byte(),
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
    /// functional one of the fixed formats (0xDB, 0xCD); [`AddressError::SameFunctionalId`] if it is
    /// the physical one.
    pub const fn with_functional_tx(self, id: Id) -> Result<Self, AddressError> {
        self.add_functional_tx(functional(self.tx(), id, None))
    }

    /// The same with an N_TA of its own, for extended addressing.
    ///
    /// # Errors
    /// [`AddressError::FunctionalFormat`] with any other format;
    /// [`AddressError::SameFunctionalId`] if it is the physical address.
    pub const fn with_functional_tx_to(self, id: Id, n_ta: u8) -> Result<Self, AddressError> {
        self.add_functional_tx(functional(self.tx(), id, Some(n_ta)))
    }

    /// Adds the id on which functional requests are received (`ADR-04`); many links may share it.
    ///
    /// # Errors
    /// As [`with_functional_tx`](Self::with_functional_tx).
    pub const fn with_functional_rx(self, id: Id) -> Result<Self, AddressError> {
        self.add_functional_rx(functional(self.rx(), id, None))
    }

    /// The same with an N_TA of its own, for extended addressing.
    ///
    /// # Errors
    /// As [`with_functional_rx`](Self::with_functional_rx).
    pub const fn with_functional_rx_to(self, id: Id, n_ta: u8) -> Result<Self, AddressError> {
        self.add_functional_rx(functional(self.rx(), id, Some(n_ta)))
    }

    /// Adds the functional tx id of the fixed formats that addresses the group `target`, for
    /// example 0x33.
    ///
    /// # Errors
    /// [`AddressError::NotFixed`] with any other format.
    pub const fn with_functional_target(self, target: u8) -> Result<Self, AddressError> {
        self.add_functional_tx(fixed_functional(self.tx(), target))
    }

    /// Adds the functional rx id of the fixed formats: frames from the peer to the group `target`.
    ///
    /// # Errors
    /// [`AddressError::NotFixed`] with any other format.
    pub const fn with_functional_group(self, target: u8) -> Result<Self, AddressError> {
        self.add_functional_rx(fixed_functional(self.rx(), target))
    }

    /// Sets the priority of sent ids, 0 (highest) to 7; the default is 6. Receivers ignore it (`ADR-01`).
    ///
    /// # Errors
    /// [`AddressError::Priority`] above 7, [`AddressError::NotFixed`] if no sent id has one.
    pub const fn with_priority(mut self, priority: u8) -> Result<Self, AddressError> {
        if priority > 7 {
            return Err(AddressError::Priority { priority });
        }
        if !self.tx_format.is_fixed() {
            return Err(AddressError::NotFixed);
        }
        self.tx_id = with_priority(self.tx_id, priority);
        if self.functional_tx().is_some() {
            self.functional_tx_id = with_priority(self.functional_tx_id, priority);
        }
        Ok(self)
    }

    /// Receives from every source address; flow control goes to whoever sends, and so does the next
    /// message (see [`Link::send`](crate::Link::send)).
    ///
    /// # Errors
    /// [`AddressError::NotFixed`] if received ids name no source.
    pub const fn with_any_source(mut self) -> Result<Self, AddressError> {
        if !self.rx_format.is_fixed() || !self.tx_format.is_fixed() {
            return Err(AddressError::NotFixed);
        }
        self.any_source = true;
        self.plain = false;
        Ok(self)
    }

    /// The address of the peer: tx and rx exchanged, functional ids too.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            tx_id: self.rx_id,
            rx_id: self.tx_id,
            functional_tx_id: self.functional_rx_id,
            functional_rx_id: self.functional_tx_id,
            tx_byte: self.rx_byte,
            rx_byte: self.tx_byte,
            functional_tx_byte: self.functional_rx_byte,
            functional_rx_byte: self.functional_tx_byte,
            tx_format: self.rx_format,
            rx_format: self.tx_format,
            any_source: false,
            plain: !self.rx_format.has_byte(),
        }
    }

    /// What our physical frames carry, flow control included (`ADR-03`).
    #[must_use]
    #[inline]
    pub const fn tx(&self) -> Half {
        Half {
            id: self.tx_id,
            byte: self.tx_byte,
            format: self.tx_format,
        }
    }

    /// What the peer's physical frames carry.
    #[must_use]
    #[inline]
    pub const fn rx(&self) -> Half {
        Half {
            id: self.rx_id,
            byte: self.rx_byte,
            format: self.rx_format,
        }
    }

    /// What our functional requests carry.
    #[must_use]
    pub const fn functional_tx(&self) -> Option<Half> {
        if self.functional_tx_id.raw() == NONE.raw() {
            return None;
        }
        Some(Half {
            id: self.functional_tx_id,
            byte: self.functional_tx_byte,
            format: self.tx_format,
        })
    }

    /// What functional requests to us carry.
    #[must_use]
    pub const fn functional_rx(&self) -> Option<Half> {
        if self.functional_rx_id.raw() == NONE.raw() {
            return None;
        }
        Some(Half {
            id: self.functional_rx_id,
            byte: self.functional_rx_byte,
            format: self.rx_format,
        })
    }

    /// Whether every source address is received.
    #[must_use]
    pub const fn any_source(&self) -> bool {
        self.any_source
    }

    /// Whether our frames go to one peer and have no address byte.
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        self.plain
    }

    /// N_TAtype of ISO 15765-2, 1 to 8 (`ADR-05`).
    #[must_use]
    pub const fn n_ta_type(&self, kind: FrameKind, functional: bool) -> u8 {
        1 + functional as u8 + 2 * kind.is_fd() as u8 + 4 * self.tx_id.is_extended() as u8
    }

    /// Whether the message type is remote diagnostics, which is so where an N_AE is present (`ADR-05`).
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(
            self.tx_format,
            AddressFormat::Mixed11 | AddressFormat::Mixed29
        )
    }

    const fn add_functional_tx(
        mut self,
        half: Result<Half, AddressError>,
    ) -> Result<Self, AddressError> {
        match half {
            Ok(half) if half.same_n_ai(self.tx()) => {
                Err(AddressError::SameFunctionalId { id: half.id })
            }
            Ok(half) => {
                self.functional_tx_id = half.id;
                self.functional_tx_byte = half.byte;
                Ok(self)
            }
            Err(error) => Err(error),
        }
    }

    const fn add_functional_rx(
        mut self,
        half: Result<Half, AddressError>,
    ) -> Result<Self, AddressError> {
        match half {
            Ok(half) if half.same_n_ai(self.rx()) => {
                Err(AddressError::SameFunctionalId { id: half.id })
            }
            Ok(half) => {
                self.functional_rx_id = half.id;
                self.functional_rx_byte = half.byte;
                Ok(self)
            }
            Err(error) => Err(error),
        }
    }
}

/// No id has these bits.
const NONE: Id = Id::from_raw(u32::MAX);

#[cfg(test)]
mod tests;
