//! Which links a frame is for: a hash table by id and address byte, chained through the slots.
//!
//! Addresses fall into six classes, by what of a frame decides: its whole id or an id without
//! priority, with or without the source, with or without the address byte. A frame is looked up once
//! for each class that the router has links of, which is mostly one.

use super::slot::{Chains, NONE, Slot};
use crate::address::{Address, AddressFormat, Half, PRIORITY, PRIORITY_AND_SOURCE, Recognised};
use crate::frame::{FrameView, Id};

/// Which classes there are addresses of.
#[derive(Debug, Default)]
pub(super) struct Index {
    physical: Classes,
    functional: Classes,
}

/// How many addresses of each class there are, and which classes that makes.
#[derive(Clone, Copy, Debug, Default)]
struct Classes {
    counts: [u32; CLASSES],
    present: u8,
}

impl Classes {
    fn change(&mut self, class: usize, change: impl Fn(u32) -> u32) {
        if let Some(count) = self.counts.get_mut(class) {
            *count = change(*count);
            if *count > 0 {
                self.present |= 1 << class;
            } else {
                self.present &= !(1 << class);
            }
        }
    }

    #[inline]
    fn iter(&self) -> impl Iterator<Item = usize> + use<> {
        let mut rest = self.present;
        core::iter::from_fn(move || {
            let class = rest.trailing_zeros() as usize;
            let there = rest != 0;
            rest &= rest.wrapping_sub(1);
            there.then_some(class)
        })
    }
}

impl Index {
    /// Finds the link with the same physical address.
    pub(super) fn find<L>(&self, slots: &[Slot<L>], address: &Address) -> Option<u32> {
        let class = class(address);
        let key = key(class, address.rx().id(), address.rx().byte);
        self.walk_physical(slots, key, |_, other| {
            class == self::class(other) && same(class, address.rx(), other.rx())
        })
    }

    /// Whether another link reads the frames of this id in another address format.
    pub(super) fn format_conflict<L>(&self, slots: &[Slot<L>], address: &Address) -> bool {
        let (id, prefix_len) = (address.rx().id(), address.rx().prefix_len());
        let conflicts = |class, byte| {
            self.walk_physical(slots, key(class, id, byte), |_, other| {
                let half = other.rx();
                self::class(other) == class
                    && significant(class, half.id()) == significant(class, id)
                    && half.prefix_len() != prefix_len
            })
            .is_some()
        };
        self.physical.iter().any(|class| {
            if class & BYTE == 0 {
                prefix_len == 1 && conflicts(class, 0)
            } else {
                prefix_len == 0 && (0..=u8::MAX).any(|byte| conflicts(class, byte))
            }
        })
    }

    /// Adds the link in `slot` under its address.
    pub(super) fn insert<L>(&mut self, slots: &mut [Slot<L>], slot: u32, address: Address) {
        self.count(class(&address), &address, |count| count + 1);
        if let Some(own) = chains_mut(slots, slot) {
            own.address = Some(address);
        }
        self.chain(slots, slot, &address);
    }

    /// Removes the link in `slot`.
    pub(super) fn remove<L>(&mut self, slots: &mut [Slot<L>], slot: u32) {
        let Some(address) = address_of(slots, slot) else {
            return;
        };
        let class = class(&address);
        self.count(class, &address, |count| count - 1);
        let buckets = slots.len();
        let bucket = bucket(key(class, address.rx().id(), address.rx().byte), buckets);
        replace_in_chain(slots, bucket, slot, None, PHYSICAL);
        if let Some(half) = address.functional_rx() {
            let bucket = self::bucket(key(class, half.id(), half.byte), buckets);
            leave_group(slots, bucket, slot);
        }
        if let Some(own) = chains_mut(slots, slot) {
            own.address = None;
        }
    }

    /// Chains all links anew, after the number of slots has changed.
    pub(super) fn rebuild<L>(&self, slots: &mut [Slot<L>]) {
        for slot in &mut *slots {
            let chains = &mut slot.node.chains;
            chains.physical_head = NONE;
            chains.functional_head = NONE;
            if chains.address.is_some() {
                chains.physical_next = NONE;
                chains.group_next = NONE;
                chains.member_next = NONE;
            }
        }
        for slot in 0..slots.len() as u32 {
            if let Some(address) = address_of(slots, slot) {
                self.chain(slots, slot, &address);
            }
        }
    }

    /// The link that a frame is for by its physical address. A link for one source goes before one for
    /// any source.
    #[inline]
    pub(super) fn physical<L>(
        &self,
        slots: &[Slot<L>],
        frame: &FrameView<'_>,
    ) -> Option<(u32, Recognised)> {
        for class in self.physical.iter() {
            let Some(key) = frame_key(class, frame) else {
                continue;
            };
            let mut found = None;
            let slot = self.walk_physical(slots, key, |chains, address| {
                if usize::from(chains.class) != class {
                    return false;
                }
                found = address
                    .recognise(frame)
                    .filter(|recognised| !recognised.functional);
                found.is_some()
            });
            if let (Some(slot), Some(recognised)) = (slot, found) {
                return Some((slot, recognised));
            }
        }
        None
    }

    /// The first of the links of `class` that a frame is for by its functional address; the others
    /// follow by `member_next`.
    #[inline]
    pub(super) fn functional<L>(
        &self,
        slots: &[Slot<L>],
        class: usize,
        frame: &FrameView<'_>,
    ) -> Option<(u32, Recognised)> {
        let bucket = bucket(frame_key(class, frame)?, slots.len());
        let mut slot = slots.get(bucket)?.node.chains.functional_head;
        while let Some(entry) = slots.get(slot as usize) {
            let chains = &entry.node.chains;
            let address = chains.address.as_ref();
            let address = address.filter(|_| usize::from(chains.class) == class);
            if let Some(found) = address.and_then(|address| address.recognise_functional(frame)) {
                return Some((slot, found));
            }
            slot = chains.group_next;
        }
        None
    }

    /// The classes that have functional addresses.
    pub(super) fn functional_classes(&self) -> impl Iterator<Item = usize> + use<> {
        self.functional.iter()
    }

    fn count(&mut self, class: usize, address: &Address, change: impl Fn(u32) -> u32) {
        self.physical.change(class, &change);
        if address.functional_rx().is_some() {
            self.functional.change(class, change);
        }
    }

    /// The first link in the bucket of `key` that `matches`.
    #[inline]
    fn walk_physical<L>(
        &self,
        slots: &[Slot<L>],
        key: u32,
        mut matches: impl FnMut(&Chains, &Address) -> bool,
    ) -> Option<u32> {
        let mut slot = slots
            .get(bucket(key, slots.len()))?
            .node
            .chains
            .physical_head;
        while let Some(entry) = slots.get(slot as usize) {
            let chains = &entry.node.chains;
            if chains
                .address
                .as_ref()
                .is_some_and(|address| matches(chains, address))
            {
                return Some(slot);
            }
            slot = chains.physical_next;
        }
        None
    }

    fn chain<L>(&self, slots: &mut [Slot<L>], slot: u32, address: &Address) {
        let class = class(address);
        let buckets = slots.len();
        let bucket = bucket(key(class, address.rx().id(), address.rx().byte), buckets);
        let Some(head) = slots
            .get_mut(bucket)
            .map(|slot| &mut slot.node.chains.physical_head)
        else {
            return;
        };
        let next = core::mem::replace(head, slot);
        if let Some(own) = chains_mut(slots, slot) {
            own.physical_next = next;
            own.class = class as u8;
        }
        if let Some(half) = address.functional_rx() {
            let bucket = self::bucket(key(class, half.id(), half.byte), buckets);
            join_group(slots, bucket, slot, class, half);
        }
    }
}

/// What of a frame decides: the whole id, or one of [`FIXED`] and [`ANY_SOURCE`]; and [`BYTE`] or not.
const CLASSES: usize = 6;
/// The address byte.
const BYTE: usize = 1;
/// The id without its priority.
const FIXED: usize = 2;
/// The id without priority and source.
const ANY_SOURCE: usize = 4;

const fn class(address: &Address) -> usize {
    let id = match address.rx().format() {
        _ if address.any_source() => ANY_SOURCE,
        AddressFormat::NormalFixed | AddressFormat::Mixed29 => FIXED,
        _ => 0,
    };
    id + BYTE * address.rx().prefix_len()
}

/// What of an id decides in this class.
const fn significant(class: usize, id: Id) -> u32 {
    if class & ANY_SOURCE != 0 {
        id.raw() & !PRIORITY_AND_SOURCE
    } else if class & FIXED != 0 {
        id.raw() & !PRIORITY
    } else {
        id.raw()
    }
}

const fn same(class: usize, a: Half, b: Half) -> bool {
    let bytes = match (a.byte(), b.byte()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => true,
        _ => false,
    };
    significant(class, a.id()) == significant(class, b.id()) && bytes
}

/// The hash of an address; `byte` is 0 where the class has none.
const fn key(class: usize, id: Id, byte: u8) -> u32 {
    (significant(class, id) ^ (byte as u32) << 21).wrapping_mul(0x9E37_79B1)
}

/// The hash of a frame; `None` if it can be for no link of this class.
fn frame_key(class: usize, frame: &FrameView<'_>) -> Option<u32> {
    if class & BYTE == 0 {
        return Some(key(class, frame.id, 0));
    }
    frame.data.first().map(|byte| key(class, frame.id, *byte))
}

#[inline]
const fn bucket(key: u32, buckets: usize) -> usize {
    ((key as u64 * buckets as u64) >> 32) as usize
}

fn address_of<L>(slots: &[Slot<L>], slot: u32) -> Option<Address> {
    slots.get(slot as usize)?.node.chains.address
}

fn chains_mut<L>(slots: &mut [Slot<L>], slot: u32) -> Option<&mut Chains> {
    slots
        .get_mut(slot as usize)
        .map(|slot| &mut slot.node.chains)
}

/// One of the three chains: how to read and write its pointers.
#[derive(Clone, Copy)]
struct Chain {
    head: fn(&mut Chains) -> &mut u32,
    next: fn(&mut Chains) -> &mut u32,
}

const PHYSICAL: Chain = Chain {
    head: |chains| &mut chains.physical_head,
    next: |chains| &mut chains.physical_next,
};
const GROUPS: Chain = Chain {
    head: |chains| &mut chains.functional_head,
    next: |chains| &mut chains.group_next,
};

/// Takes `slot` out of a bucket's chain, and puts `by` in its place, if there is one; `false` if it is
/// not in that chain.
fn replace_in_chain<L>(
    slots: &mut [Slot<L>],
    bucket: usize,
    slot: u32,
    by: Option<u32>,
    chain: Chain,
) -> bool {
    let mut before = None;
    let mut at = chains_mut(slots, bucket as u32).map_or(NONE, |chains| *(chain.head)(chains));
    while at != slot {
        let Some(chains) = chains_mut(slots, at) else {
            return false;
        };
        before = Some(at);
        at = *(chain.next)(chains);
    }
    let Some(own) = chains_mut(slots, slot) else {
        return false;
    };
    let next = core::mem::replace((chain.next)(own), NONE);
    if let Some(chains) = by.and_then(|by| chains_mut(slots, by)) {
        *(chain.next)(chains) = next;
    }
    let next = by.unwrap_or(next);
    match before {
        Some(before) => {
            if let Some(chains) = chains_mut(slots, before) {
                *(chain.next)(chains) = next;
            }
        }
        None => {
            if let Some(chains) = chains_mut(slots, bucket as u32) {
                *(chain.head)(chains) = next;
            }
        }
    }
    true
}

/// Adds a link to those that share its functional address.
fn join_group<L>(slots: &mut [Slot<L>], bucket: usize, slot: u32, class: usize, half: Half) {
    let first = chains_mut(slots, bucket as u32).map_or(NONE, |chains| chains.functional_head);
    let mut leader = first;
    while leader != NONE {
        let same = address_of(slots, leader).is_some_and(|other| {
            self::class(&other) == class
                && other
                    .functional_rx()
                    .is_some_and(|other| same(class, half, other))
        });
        let Some(chains) = chains_mut(slots, leader) else {
            return;
        };
        if same {
            let next = core::mem::replace(&mut chains.member_next, slot);
            if let Some(own) = chains_mut(slots, slot) {
                own.member_next = next;
            }
            return;
        }
        leader = chains.group_next;
    }
    if let Some(own) = chains_mut(slots, slot) {
        own.group_next = first;
    }
    if let Some(chains) = chains_mut(slots, bucket as u32) {
        chains.functional_head = slot;
    }
}

/// Takes a link out of those that share its functional address. O(n) of these.
fn leave_group<L>(slots: &mut [Slot<L>], bucket: usize, slot: u32) {
    let next =
        chains_mut(slots, slot).map_or(NONE, |own| core::mem::replace(&mut own.member_next, NONE));
    let heir = (next != NONE).then_some(next);
    if replace_in_chain(slots, bucket, slot, heir, GROUPS) {
        return;
    }
    let mut leader = chains_mut(slots, bucket as u32).map_or(NONE, |chains| chains.functional_head);
    while leader != NONE {
        let mut before = leader;
        while let Some(chains) = chains_mut(slots, before) {
            if chains.member_next == slot {
                chains.member_next = next;
                return;
            }
            before = chains.member_next;
        }
        leader = chains_mut(slots, leader).map_or(NONE, |chains| chains.group_next);
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests;
