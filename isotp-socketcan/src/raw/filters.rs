//! Which frames the kernel gives us.

use core::fmt;
use std::collections::{HashMap, HashSet};

use isotp_driver::Address;
use isotp_driver::core::Filter;
use socketcan::CanFilter;

use super::wire::can_id;

/// The filters that the links of a network need, and those that the kernel has.
///
/// The kernel takes 512. Above that, filters are merged: the lowest bits of all ids are ignored, as few
/// as bring them down to half of that, so that there is room for more links before the next merge. When
/// that lets half of all ids through, filters are no use, and every frame is taken.
///
/// Links come and go one at a time. Nothing is done for one whose frames come through already; else at
/// most 512 filters are set anew, and all wanted filters are looked at only when they must be merged
/// further, at most 29 times, or when half of them have gone. So 10 000 links cost 10 000 steps, not
/// their square.
#[derive(Debug)]
pub(super) struct Filters {
    /// How many links want each.
    wanted: HashMap<Mask, u32>,
    /// What the kernel has, or will have.
    installed: HashSet<Mask>,
    /// The masks in `installed`, without regard to ids: there are few.
    masks: Vec<(u32, u32)>,
    filtering: Filtering,
    /// Wanted filters that have gone since `installed` was made of all of them.
    gone: usize,
    changed: bool,
    /// Somebody wants to see every frame, whatever the links need.
    all: bool,
}

/// How the kernel filters received frames for a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filtering {
    /// There is no link, so no frame is let through.
    Nothing,
    /// Exactly what the links need, with this many filters.
    Exact(u32),
    /// More ids than the links need: the lowest bits are ignored.
    Merged {
        /// How many filters there are.
        filters: u32,
        /// How many of the lowest bits of an id are ignored.
        ignored_bits: u8,
    },
    /// Every frame is let through.
    Everything,
}

/// A filter as the kernel has it. The mask says which bits of the id matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Mask {
    id: u32,
    mask: u32,
}

impl Filters {
    pub(super) fn new() -> Self {
        Self {
            wanted: HashMap::new(),
            installed: HashSet::new(),
            masks: Vec::new(),
            filtering: Filtering::Nothing,
            gone: 0,
            changed: false,
            all: false,
        }
    }

    /// Whether every frame is wanted, whatever the links need.
    pub(super) const fn set_all(&mut self, all: bool) {
        self.changed |= self.all != all;
        self.all = all;
    }

    /// A link has come.
    pub(super) fn connected(&mut self, address: &Address) {
        for filter in of(address) {
            let links = self.wanted.entry(filter).or_insert(0);
            *links += 1;
            if *links == 1 && !self.lets_through(filter) {
                self.install(filter);
            }
        }
    }

    /// A link has gone.
    pub(super) fn disconnected(&mut self, address: &Address) {
        for filter in of(address) {
            let Some(links) = self.wanted.get_mut(&filter) else {
                continue;
            };
            *links -= 1;
            if *links > 0 {
                continue;
            }
            self.wanted.remove(&filter);
            if self.is_exact() && self.masks.len() == 1 && self.installed.remove(&filter) {
                self.tell_exact();
                continue;
            }
            if self.is_exact() && self.installed.contains(&filter) {
                // it may have covered others
                self.rebuild();
                continue;
            }
            self.gone += 1;
            if self.gone > self.wanted.len() {
                self.rebuild();
            }
        }
    }

    /// What the kernel must be told, if it was not yet; see [`list`](Self::list).
    pub(super) fn take_change(&mut self) -> Option<Filtering> {
        let filtering = match self.all {
            true => Filtering::Everything,
            false => self.filtering,
        };
        core::mem::take(&mut self.changed).then_some(filtering)
    }

    /// What is let through.
    pub(super) fn list(&self) -> Vec<CanFilter> {
        if self.all || self.filtering == Filtering::Everything {
            return vec![CanFilter::new(0, 0)];
        }
        let kernel = |filter: &Mask| CanFilter::new(filter.id, filter.mask);
        self.installed.iter().map(kernel).collect()
    }

    fn lets_through(&self, filter: Mask) -> bool {
        let covers = |(ids, mask): &(u32, u32)| {
            *ids == filter.id & FORMAT && mask & filter.mask == *mask && {
                let id = filter.id & mask;
                self.installed.contains(&Mask { id, mask: *mask })
            }
        };
        self.filtering == Filtering::Everything || self.masks.iter().any(covers)
    }

    const fn is_exact(&self) -> bool {
        matches!(self.filtering, Filtering::Nothing | Filtering::Exact(_))
    }

    fn tell_exact(&mut self) {
        self.filtering = match self.installed.len() as u32 {
            0 => Filtering::Nothing,
            filters => Filtering::Exact(filters),
        };
        self.changed = true;
    }

    /// Adds one filter to those of the kernel.
    fn install(&mut self, filter: Mask) {
        let ignored_bits = match self.filtering {
            Filtering::Merged { ignored_bits, .. } => ignored_bits,
            _ => 0,
        };
        if self.installed.len() >= MAX {
            return self.rebuild();
        }
        self.insert(filter.without(ignored_bits));
        if let Filtering::Merged { filters, .. } = &mut self.filtering {
            *filters = self.installed.len() as u32;
            self.changed = true;
        } else {
            self.tell_exact();
        }
    }

    /// Makes the filters of the kernel anew, of all that are wanted.
    fn rebuild(&mut self) {
        self.gone = 0;
        let enough = if self.wanted.len() > MAX {
            MAX / 2
        } else {
            MAX
        };
        let merged = (0..=29u8).find_map(|bits| {
            let merged: HashSet<Mask> = self.wanted.keys().map(|mask| mask.without(bits)).collect();
            (merged.len() <= enough).then_some((bits, merged))
        });
        let (bits, merged) = merged.unwrap_or_default();
        self.installed.clear();
        self.masks.clear();
        if bits > 0 && lets_half_through(&merged) {
            self.filtering = Filtering::Everything;
            self.changed = true;
            return;
        }
        merged.into_iter().for_each(|filter| self.insert(filter));
        if bits == 0 {
            return self.tell_exact();
        }
        self.changed = true;
        self.filtering = Filtering::Merged {
            filters: self.installed.len() as u32,
            ignored_bits: bits,
        };
    }

    fn insert(&mut self, filter: Mask) {
        let mask = (filter.id & FORMAT, filter.mask);
        if !self.masks.contains(&mask) {
            self.masks.push(mask);
        }
        self.installed.insert(filter);
    }
}

impl Mask {
    /// Ignores the lowest bits.
    const fn without(self, bits: u8) -> Self {
        let all = if self.id & FORMAT == 0 {
            libc::CAN_SFF_MASK
        } else {
            libc::CAN_EFF_MASK
        };
        // the last bits are those that every id has
        let ignored = ((1u32 << bits) - 1) & all;
        let mask = self.mask & !ignored;
        Self {
            id: self.id & mask,
            mask,
        }
    }

    /// How many ids come through.
    const fn width(self) -> u32 {
        let all = if self.id & FORMAT == 0 {
            libc::CAN_SFF_MASK
        } else {
            libc::CAN_EFF_MASK
        };
        1 << (all & !self.mask).count_ones()
    }
}

impl fmt::Display for Filtering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no frame is received, since there is no link"),
            Self::Exact(filters) => write!(f, "{filters} filters, exactly what the links need"),
            Self::Merged {
                filters,
                ignored_bits,
            } => write!(
                f,
                "{filters} filters that ignore the lowest {ignored_bits} bits of an id, since the \
                 kernel takes {MAX}; frames of other nodes may come through"
            ),
            Self::Everything => write!(
                f,
                "every frame is received, since {MAX} filters would let half of them through"
            ),
        }
    }
}

/// What a link needs: what it receives, and the echo of what it sends.
fn of(address: &Address) -> impl Iterator<Item = Mask> {
    address.filters().chain(address.sent_filters()).map(kernel)
}

/// With this very mask, the kernel finds a single id without looking at every filter.
fn kernel(filter: Filter) -> Mask {
    let mask = filter.mask | libc::CAN_EFF_FLAG | libc::CAN_RTR_FLAG;
    Mask {
        id: can_id(filter.id) & mask,
        mask,
    }
}

fn lets_half_through(filters: &HashSet<Mask>) -> bool {
    let share = |format: u32, all: u32| {
        let filters = filters.iter().filter(|filter| filter.id & FORMAT == format);
        let through: u64 = filters.map(|filter| u64::from(filter.width())).sum();
        through * 2 > u64::from(all)
    };
    share(0, libc::CAN_SFF_MASK) || share(FORMAT, libc::CAN_EFF_MASK)
}

/// Whether an id has 29 bits.
const FORMAT: u32 = libc::CAN_EFF_FLAG;

/// `CAN_RAW_FILTER_MAX` of the kernel.
const MAX: usize = 512;

#[cfg(test)]
mod tests;
