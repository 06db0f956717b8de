//! The deadlines of all links: an indexed heap with one entry a link.
//!
//! An entry's key is a lower bound of its link's deadline. A deadline that moves later touches nothing:
//! its entry is keyed anew when it surfaces. Deadlines mostly move later, so a busy link costs next to
//! nothing here.

use super::slot::{HeapNode, NONE, Slot};
use crate::time::Instant;

/// How much of the heap, which is spread over the slots, is in use.
#[derive(Debug, Default)]
pub(super) struct Heap {
    len: u32,
    /// Links that have a deadline.
    armed: u32,
}

impl Heap {
    /// The slot with the earliest key, and that key; `None` when no link has a deadline.
    pub(super) fn first<L>(&self, slots: &[Slot<L>]) -> Option<(u32, Instant)> {
        if self.armed == 0 {
            return None;
        }
        let root = at(slots, 0)?;
        Some((root.slot, root.key))
    }

    /// Whether any link but `slot` has a deadline.
    pub(super) fn is_armed_beside<L>(&self, slots: &[Slot<L>], slot: u32) -> bool {
        self.armed > u32::from(at(slots, slot).is_some_and(|own| own.armed))
    }

    /// Notes the deadline of a link: its entry gets earlier at once, later only when it surfaces.
    #[inline]
    pub(super) fn note<L>(&mut self, slots: &mut [Slot<L>], slot: u32, deadline: Option<Instant>) {
        let Some(own) = at_mut(slots, slot) else {
            return;
        };
        let (place, was_armed) = (own.place, own.armed);
        own.armed = deadline.is_some();
        self.armed = self.armed + u32::from(deadline.is_some()) - u32::from(was_armed);
        let Some(deadline) = deadline else { return };
        if place == NONE {
            let place = self.len;
            self.len += 1;
            set(slots, place, slot, deadline);
            sift_up(slots, place);
        } else if let Some(entry) = at_mut(slots, place)
            && deadline < entry.key
        {
            entry.key = deadline;
            sift_up(slots, place);
        }
    }

    /// Keys the first entry anew with its link's deadline, or removes it.
    pub(super) fn surface<L>(&mut self, slots: &mut [Slot<L>], deadline: Option<Instant>) {
        let Some((slot, _)) = at(slots, 0).map(|root| (root.slot, root.key)) else {
            return;
        };
        match deadline {
            Some(deadline) => {
                self.note(slots, slot, Some(deadline));
                if let Some(root) = at_mut(slots, 0)
                    && root.slot == slot
                {
                    root.key = deadline;
                    sift_down(slots, 0, self.len);
                }
            }
            None => self.remove(slots, slot),
        }
    }

    /// Takes a link's entry out.
    pub(super) fn remove<L>(&mut self, slots: &mut [Slot<L>], slot: u32) {
        self.note(slots, slot, None);
        let Some(own) = at_mut(slots, slot) else {
            return;
        };
        let place = core::mem::replace(&mut own.place, NONE);
        if place == NONE {
            return;
        }
        self.len -= 1;
        if place < self.len
            && let Some((slot, key)) = at(slots, self.len).map(|last| (last.slot, last.key))
        {
            set(slots, place, slot, key);
            sift_up(slots, place);
            sift_down(slots, place, self.len);
        }
    }
}

fn sift_up<L>(slots: &mut [Slot<L>], mut place: u32) {
    while place > 0 {
        let parent = (place - 1) / 2;
        if !earlier(slots, place, parent) {
            return;
        }
        swap(slots, place, parent);
        place = parent;
    }
}

fn sift_down<L>(slots: &mut [Slot<L>], mut place: u32, len: u32) {
    loop {
        let left = 2 * place + 1;
        if left >= len {
            return;
        }
        let right = left + 1;
        let child = if right < len && earlier(slots, right, left) {
            right
        } else {
            left
        };
        if !earlier(slots, child, place) {
            return;
        }
        swap(slots, child, place);
        place = child;
    }
}

fn earlier<L>(slots: &[Slot<L>], a: u32, b: u32) -> bool {
    match (at(slots, a), at(slots, b)) {
        (Some(a), Some(b)) => a.key < b.key,
        _ => false,
    }
}

fn swap<L>(slots: &mut [Slot<L>], a: u32, b: u32) {
    let entry = |slots: &[Slot<L>], place| at(slots, place).map(|node| (node.slot, node.key));
    if let (Some(at_a), Some(at_b)) = (entry(slots, a), entry(slots, b)) {
        set(slots, a, at_b.0, at_b.1);
        set(slots, b, at_a.0, at_a.1);
    }
}

/// Puts an entry in its place, and notes the place with its link.
fn set<L>(slots: &mut [Slot<L>], place: u32, slot: u32, key: Instant) {
    if let Some(entry) = at_mut(slots, place) {
        entry.slot = slot;
        entry.key = key;
    }
    if let Some(own) = at_mut(slots, slot) {
        own.place = place;
    }
}

fn at<L>(slots: &[Slot<L>], place: u32) -> Option<&HeapNode> {
    slots.get(place as usize).map(|slot| &slot.node.heap)
}

fn at_mut<L>(slots: &mut [Slot<L>], place: u32) -> Option<&mut HeapNode> {
    slots
        .get_mut(place as usize)
        .map(|slot| &mut slot.node.heap)
}
