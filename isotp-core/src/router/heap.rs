//! The deadlines of all links: an indexed heap with one entry a link.
//!
//! An entry's key is a lower bound of its link's deadline. A deadline that moves later touches nothing:
//! its entry is keyed anew when it surfaces. Deadlines mostly move later, so a busy link costs next to
//! nothing here.

use super::slot::{HeapNode, NONE, Slot};
use crate::time::{Instant, Timeout};

/// How much of the heap, which is spread over the slots, is in use.
#[derive(Debug, Default)]
pub(super) struct Heap {
    len: u32,
    /// Links that have a deadline.
    armed: u32,
}

impl Heap {
    /// The slot with the earliest key, and that key; `None` when no link has a deadline.
    pub(super) fn first<L>(&self, slots: &[Slot<L>]) -> Option<(u32, Timeout)> {
        if self.armed == 0 {
            return None;
        }
        let root = at(slots, 0)?;
        Some((
            root.slot,
            Timeout {
                at: root.key,
                timer: root.timer,
            },
        ))
    }

    /// Whether any link but `slot` has a deadline.
    pub(super) fn is_armed_beside<L>(&self, slots: &[Slot<L>], slot: u32) -> bool {
        self.armed > u32::from(at(slots, slot).is_some_and(|own| own.armed))
    }

    /// Notes that a link has a deadline, and whether its entry, keyed later, must be keyed anew.
    #[inline]
    pub(super) fn note<L>(
        &mut self,
        slots: &mut [Slot<L>],
        slot: u32,
        deadline: Option<Instant>,
    ) -> bool {
        let Some(own) = at_mut(slots, slot) else {
            return false;
        };
        let place = own.place;
        let was_armed = core::mem::replace(&mut own.armed, deadline.is_some());
        self.armed = self.armed + u32::from(deadline.is_some()) - u32::from(was_armed);
        let Some(deadline) = deadline else {
            return false;
        };
        at(slots, place).is_none_or(|entry| deadline < entry.key)
    }

    /// Keys a link's entry with its deadline, earlier or later than before, or removes it.
    pub(super) fn key<L>(&mut self, slots: &mut [Slot<L>], slot: u32, timeout: Option<Timeout>) {
        self.note(slots, slot, timeout.map(|timeout| timeout.at));
        let Some(own) = at_mut(slots, slot) else {
            return;
        };
        let Some(timeout) = timeout else {
            return self.remove(slots, slot);
        };
        let mut place = own.place;
        if place == NONE {
            place = self.len;
            self.len += 1;
        }
        self.settle(slots, place, slot, timeout);
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
        if place == self.len {
            return;
        }
        if let Some((slot, timeout)) = entry(slots, self.len) {
            self.settle(slots, place, slot, timeout);
        }
    }

    /// Puts an entry where it belongs, starting from a place whose own entry is void.
    fn settle<L>(&self, slots: &mut [Slot<L>], from: u32, slot: u32, timeout: Timeout) {
        let mut place = from;
        while place > 0 {
            let parent = (place - 1) / 2;
            let Some((other, above)) = entry(slots, parent) else {
                break;
            };
            if above.at <= timeout.at {
                break;
            }
            set(slots, place, other, above);
            place = parent;
        }
        while let Some((child, key)) = self.earlier_child(slots, place) {
            if key >= timeout.at {
                break;
            }
            if let Some((other, below)) = entry(slots, child) {
                set(slots, place, other, below);
            }
            place = child;
        }
        set(slots, place, slot, timeout);
    }

    /// The earlier of the places below a place, and its key.
    #[inline]
    fn earlier_child<L>(&self, slots: &[Slot<L>], place: u32) -> Option<(u32, Instant)> {
        let left = 2 * place + 1;
        let right = left + 1;
        if right < self.len {
            let (at_left, at_right) = (at(slots, left)?.key, at(slots, right)?.key);
            return Some(if at_right < at_left {
                (right, at_right)
            } else {
                (left, at_left)
            });
        }
        if left < self.len {
            Some((left, at(slots, left)?.key))
        } else {
            None
        }
    }
}

fn entry<L>(slots: &[Slot<L>], place: u32) -> Option<(u32, Timeout)> {
    at(slots, place).map(|node| {
        (
            node.slot,
            Timeout {
                at: node.key,
                timer: node.timer,
            },
        )
    })
}

/// Puts an entry in its place, and notes the place with its link.
fn set<L>(slots: &mut [Slot<L>], place: u32, slot: u32, timeout: Timeout) {
    if let Some(entry) = at_mut(slots, place) {
        entry.slot = slot;
        entry.key = timeout.at;
        entry.timer = timeout.timer;
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
