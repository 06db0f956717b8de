//! Why a router does not take a link.

use core::fmt;

use crate::frame::Id;

/// A refused link, given back with the reason.
pub struct RefusedLink<L> {
    /// Why.
    pub error: InsertError,
    /// The link, unchanged.
    pub link: L,
}

impl<L> fmt::Debug for RefusedLink<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedLink")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// Why a link was not inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InsertError {
    /// Another link receives on the same physical address.
    AddressInUse {
        /// The rx id that both have.
        id: Id,
    },
    /// Another link reads the frames of the same id in another address format.
    FormatInUse {
        /// The rx id that both have.
        id: Id,
    },
    /// There is no free slot.
    Full {
        /// How many links there are.
        len: u32,
    },
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressInUse { id } => {
                write!(
                    f,
                    "rx_id {id} belongs to another link; close that one first"
                )
            }
            Self::FormatInUse { id } => {
                write!(
                    f,
                    "rx_id {id} is read in another address format by another link"
                )
            }
            Self::Full { len } => write!(f, "all {len} slots are in use; give the router more"),
        }
    }
}

impl core::error::Error for InsertError {}
