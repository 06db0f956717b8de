//! Ids and frames of embedded-can 0.4, to and from those of this crate.
//!
//! [`Frame`] is no `embedded_can::Frame`: that trait promises 0 to 8 data bytes and can be a remote
//! frame, ours may be an FD frame and is always a data frame.

use core::fmt;

use embedded_can::{ExtendedId, StandardId};

use crate::frame::{Frame, FrameKind, FrameView, Id};

impl From<StandardId> for Id {
    fn from(id: StandardId) -> Self {
        Self::from_raw(u32::from(id.as_raw()))
    }
}

impl From<ExtendedId> for Id {
    fn from(id: ExtendedId) -> Self {
        Self::from_29_bits(id.as_raw())
    }
}

impl From<embedded_can::Id> for Id {
    fn from(id: embedded_can::Id) -> Self {
        match id {
            embedded_can::Id::Standard(id) => id.into(),
            embedded_can::Id::Extended(id) => id.into(),
        }
    }
}

impl From<Id> for embedded_can::Id {
    fn from(id: Id) -> Self {
        if id.is_extended() {
            Self::Extended(ExtendedId::new(id.value()).unwrap_or(ExtendedId::MAX))
        } else {
            Self::Standard(StandardId::new(id.value() as u16).unwrap_or(StandardId::MAX))
        }
    }
}

impl TryFrom<Id> for StandardId {
    type Error = WrongIdLength;
    fn try_from(id: Id) -> Result<Self, WrongIdLength> {
        match id.into() {
            embedded_can::Id::Standard(id) => Ok(id),
            embedded_can::Id::Extended(_) => Err(WrongIdLength { id }),
        }
    }
}

impl TryFrom<Id> for ExtendedId {
    type Error = WrongIdLength;
    fn try_from(id: Id) -> Result<Self, WrongIdLength> {
        match id.into() {
            embedded_can::Id::Standard(_) => Err(WrongIdLength { id }),
            embedded_can::Id::Extended(id) => Ok(id),
        }
    }
}

/// An id of 29 bits where one of 11 was asked for, or the reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WrongIdLength {
    /// The id.
    pub id: Id,
}

impl fmt::Display for WrongIdLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (has, expected) = if self.id.is_extended() {
            (29, 11)
        } else {
            (11, 29)
        };
        write!(f, "id {} has {has} bits, expected {expected}", self.id)
    }
}

impl core::error::Error for WrongIdLength {}

impl<'a> FrameView<'a> {
    /// Views a frame of any driver that speaks embedded-can 0.4; `None` for a remote frame, which is no
    /// N_PDU (`PCI-02`). O(1), copies nothing.
    ///
    /// The trait does not tell whether a frame is an FD frame, so `kind` says which of them the driver's
    /// type is.
    ///
    /// ```
    /// use isotp_core::{FrameKind, FrameView};
    /// fn seen(frame: &impl embedded_can::Frame) -> Option<FrameView<'_>> {
    ///     FrameView::from_embedded_can(FrameKind::Classic, frame)
    /// }
    /// ```
    pub fn from_embedded_can<F: embedded_can::Frame>(
        kind: FrameKind,
        frame: &'a F,
    ) -> Option<Self> {
        frame.is_data_frame().then(|| Self {
            id: frame.id().into(),
            kind,
            data: frame.data(),
        })
    }
}

impl Frame {
    /// Makes the frame that a driver which speaks embedded-can 0.4 sends; `None` if its type does not
    /// hold so many bytes.
    ///
    /// The trait has no word for the frame kind: take a type that is of the kind which the
    /// configuration names. The bitrate switch is the type's own affair too.
    #[must_use]
    pub fn to_embedded_can<F: embedded_can::Frame>(&self) -> Option<F> {
        F::new(self.id(), self.data())
    }
}

#[cfg(test)]
mod tests;
