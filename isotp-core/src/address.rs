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

pub(crate) use half::PRIORITY;
pub use half::{AddressFormat, Half};
pub use recognise::Filter;
pub(crate) use recognise::Recognised;

use half::{fixed_functional, functional};

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
    /// functional one of the fixed formats (0xDB, 0xCD); [`AddressError::SameFunctionalId`] if it is
    /// the physical one.
    pub const fn with_functional_tx(mut self, id: Id) -> Result<Self, AddressError> {
        match functional(self.tx, id, None) {
            Ok(half) if half.same_n_ai(self.tx) => {
                return Err(AddressError::SameFunctionalId { id });
            }
            Ok(half) => self.functional_tx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// The same with an N_TA of its own, for extended addressing.
    ///
    /// # Errors
    /// [`AddressError::FunctionalFormat`] with any other format;
    /// [`AddressError::SameFunctionalId`] if it is the physical address.
    pub const fn with_functional_tx_to(mut self, id: Id, n_ta: u8) -> Result<Self, AddressError> {
        match functional(self.tx, id, Some(n_ta)) {
            Ok(half) if half.same_n_ai(self.tx) => {
                return Err(AddressError::SameFunctionalId { id });
            }
            Ok(half) => self.functional_tx = Some(half),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Adds the id on which functional requests are received (`ADR-04`); many links may share it.
    ///
    /// # Errors
    /// As [`with_functional_tx`](Self::with_functional_tx).
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
}

#[cfg(test)]
mod tests;
