//! Which received frames an address matches.

use super::{Address, Half, PRIORITY};
use crate::frame::{FrameView, Id};

impl Address {
    /// The ids under which frames of this address come.
    pub(crate) fn filters(self) -> impl Iterator<Item = Filter> {
        let any_source = self.any_source;
        [Some(self.rx()), self.functional_rx()]
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
