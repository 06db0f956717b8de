//! Which received frames an address matches.

use super::{Address, Half, PRIORITY, PRIORITY_AND_SOURCE};
use crate::frame::{FrameView, Id};

impl Address {
    /// The ids under which frames of this address come, physical and functional, for the filters of a
    /// controller.
    pub fn filters(self) -> impl Iterator<Item = Filter> {
        let ignored = self.ignored();
        [Some(self.rx()), self.functional_rx()]
            .into_iter()
            .flatten()
            .map(move |half| half.filter(ignored))
    }

    /// The ids under which this address sends, physical and functional: for filters that must let the
    /// echo of our own frames through.
    pub fn sent_filters(self) -> impl Iterator<Item = Filter> {
        // whoever sends from any source is answered
        let ignored = if self.any_source { TARGET } else { 0 };
        let physical = self.tx().filter(ignored);
        let functional = self.functional_tx().map(|half| half.filter(0));
        [Some(physical), functional].into_iter().flatten()
    }

    /// Whom a received frame is for, and from whom (`PCI-02`).
    pub(crate) fn recognise(&self, frame: &FrameView<'_>) -> Option<Recognised> {
        if frame.id == self.rx_id || self.matches(self.rx(), frame.id) {
            if self.rx_format.has_byte() && frame.data.first() != Some(&self.rx_byte) {
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
        let half = self.functional_rx()?;
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
        (id.raw() ^ half.id.raw()) & !self.ignored() == 0
    }

    /// The bits of a received fixed id that may be anything.
    const fn ignored(&self) -> u32 {
        if self.any_source {
            PRIORITY_AND_SOURCE
        } else {
            PRIORITY
        }
    }
}

impl Half {
    /// This id without the bits that may be anything, if the format has such.
    const fn filter(self, ignored: u32) -> Filter {
        let all = if self.id.is_extended() {
            0x1FFF_FFFF
        } else {
            0x7FF
        };
        let ignored = if self.format.is_fixed() { ignored } else { 0 };
        Filter {
            id: self.id,
            mask: all & !ignored,
        }
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

/// N_TA in an id of a fixed format.
const TARGET: u32 = 0xFF00;
