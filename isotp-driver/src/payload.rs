//! What is sent.

use core::fmt;

use isotp_core::{Payload, SendError};

use crate::letting_go::OfUser;

/// A message on its way out: bytes, or a source of bytes.
pub struct Outgoing {
    kind: Kind,
    /// Who gets it, of the peers of an address that receives from any source.
    towards: Option<u8>,
}

enum Kind {
    Bytes(Vec<u8>),
    Source(Box<dyn Payload + Send + Sync>),
}

impl Outgoing {
    /// A source that makes its bytes as they are needed. It is dropped by whoever is the last to need it, such
    /// as the driver: should it panic then, that is for the panic hook alone.
    #[must_use]
    pub fn source(source: impl Payload + Send + Sync + 'static) -> Self {
        Self::from(Kind::Source(Box::new(OfUser::new(source))))
    }

    /// The bytes, if it is not a source.
    #[must_use]
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Source(_) => None,
        }
    }

    /// The same, for the peer with this source address.
    pub(crate) const fn towards(mut self, source: u8) -> Self {
        self.towards = Some(source);
        self
    }

    /// Whom it is for, if not for whoever sent the last message.
    pub(crate) const fn target(&self) -> Option<u8> {
        self.towards
    }

    /// Why no link that takes up to `max` bytes ever takes this.
    pub(crate) fn too_long(&self, max: u32) -> Option<SendError> {
        let size = match &self.kind {
            Kind::Bytes(bytes) => bytes.len() as u64,
            // a link asks it itself
            Kind::Source(_) if max == u32::MAX => return None,
            Kind::Source(source) => u64::from(source.size()),
        };
        (size > u64::from(max)).then_some(SendError::TooLong { size, max })
    }

    /// All bytes, for channels that take whole messages; `None` if the source has not all of them.
    pub(crate) fn gather(self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Source(mut source) => {
                let mut bytes = Vec::new();
                let size = source.size();
                bytes.try_reserve_exact(size as usize).ok()?;
                bytes.resize(size as usize, 0);
                (source.copy_to(0, &mut bytes)? == bytes.len()).then_some(bytes)
            }
        }
    }
}

impl From<Kind> for Outgoing {
    fn from(kind: Kind) -> Self {
        let towards = None;
        Self { kind, towards }
    }
}

impl From<Vec<u8>> for Outgoing {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Kind::Bytes(bytes))
    }
}

impl Payload for Outgoing {
    fn size(&self) -> u32 {
        match &self.kind {
            Kind::Bytes(bytes) => bytes.size(),
            Kind::Source(source) => source.size(),
        }
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        match &mut self.kind {
            Kind::Bytes(bytes) => bytes.copy_to(offset, out),
            Kind::Source(source) => source.copy_to(offset, out),
        }
    }

    #[inline]
    fn contiguous(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Source(source) => source.contiguous(),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
