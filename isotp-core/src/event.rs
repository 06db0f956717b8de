//! What a link tells its user.

use core::fmt;

use crate::error::{Ignored, NResult};

/// What happened. Drain [`Link::poll_event`](crate::Link::poll_event) after each `handle_*`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a, B> {
    /// N_USData_FF.indication: a segmented message begins (`SVC-03`). Exactly one [`Received`](Self::Received)
    /// or [`ReceptionFailed`](Self::ReceptionFailed) follows (`SVC-05`).
    FirstFrame {
        /// Bytes in the whole message.
        size: u32,
        /// N_SA of the sender; meaningful with normal fixed and mixed 29-bit addresses.
        source: u8,
    },
    /// N_USData.indication with N_OK: a whole message.
    Received(Message<'a, B>),
    /// N_USData.indication with an error: an announced message will not come (`SVC-04`).
    ReceptionFailed(NResult),
    /// N_USData.confirm of the physical message (`SVC-01`).
    Confirmed(NResult),
    /// N_USData.confirm of the functional message.
    FunctionalConfirmed(NResult),
    /// So many messages were lost since the last report, because the one before was not taken yet.
    Dropped(u16),
    /// A frame of this address had no effect. Only with `Config::diagnostics`; the newest reason.
    Ignored(Ignored),
}

/// A received message, until the next call on the link.
pub struct Message<'a, B> {
    pub(crate) bytes: Bytes<'a, B>,
    pub(crate) functional: bool,
    pub(crate) source: u8,
}

/// Segmented messages are in the link's buffer, single frames in its spare memory.
pub(crate) enum Bytes<'a, B> {
    Buffer { buffer: &'a mut B, size: u32 },
    Single(&'a [u8]),
}

impl<B> Message<'_, B> {
    /// Bytes in the message.
    #[must_use]
    pub const fn size(&self) -> u32 {
        match &self.bytes {
            Bytes::Buffer { size, .. } => *size,
            Bytes::Single(data) => data.len() as u32,
        }
    }

    /// Whether it came on the functional id; such messages are single frames.
    #[must_use]
    pub const fn is_functional(&self) -> bool {
        self.functional
    }

    /// N_SA of the sender; meaningful with normal fixed and mixed 29-bit addresses.
    #[must_use]
    pub const fn source(&self) -> u8 {
        self.source
    }

    /// The buffer that holds a segmented message, to take it out whole; `None` for a single frame.
    pub const fn buffer(&mut self) -> Option<&mut B> {
        match &mut self.bytes {
            Bytes::Buffer { buffer, .. } => Some(buffer),
            Bytes::Single(_) => None,
        }
    }

    /// The bytes of a single frame; `None` for a segmented message.
    #[must_use]
    pub const fn single(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Buffer { .. } => None,
            Bytes::Single(data) => Some(data),
        }
    }
}

impl<B: AsRef<[u8]>> Message<'_, B> {
    /// The message, for buffers that are memory.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Buffer { buffer, size } => {
                let bytes = (**buffer).as_ref();
                bytes.get(..*size as usize).unwrap_or(bytes)
            }
            Bytes::Single(data) => data,
        }
    }
}

impl<B> fmt::Debug for Message<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("size", &self.size())
            .field("functional", &self.functional)
            .finish_non_exhaustive()
    }
}
