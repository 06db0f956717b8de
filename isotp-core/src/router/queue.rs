//! Which links have something to send or to tell: first in, first out, each link at most once a queue.

use super::slot::{NONE, Slot, node, node_mut};

/// What a queue is for. The value is its place in `QueueNode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    FlowControl = 0,
    Data = 1,
    News = 2,
}

/// One queue; its links are chained through their slots.
#[derive(Debug)]
pub(super) struct Queue {
    purpose: Purpose,
    head: u32,
    tail: u32,
}

impl Queue {
    pub(super) const fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            head: NONE,
            tail: NONE,
        }
    }

    pub(super) const fn head(&self) -> Option<u32> {
        if self.head == NONE {
            None
        } else {
            Some(self.head)
        }
    }

    /// The link behind `slot`.
    pub(super) fn after<L>(&self, slots: &[Slot<L>], slot: u32) -> Option<u32> {
        let next = *node(slots, slot)?.queues.next.get(self.purpose as usize)?;
        (next != NONE).then_some(next)
    }

    /// Puts a link at the end, unless it is in the queue.
    #[inline]
    pub(super) fn push_back<L>(&mut self, slots: &mut [Slot<L>], slot: u32) {
        if !self.claim(slots, slot, NONE) {
            return;
        }
        if self.head == NONE {
            self.head = slot;
        } else {
            self.set_next(slots, self.tail, slot);
        }
        self.tail = slot;
    }

    /// Puts a link at the front, unless it is in the queue.
    pub(super) fn push_front<L>(&mut self, slots: &mut [Slot<L>], slot: u32) {
        if !self.claim(slots, slot, self.head) {
            return;
        }
        if self.head == NONE {
            self.tail = slot;
        }
        self.head = slot;
    }

    /// Takes the first link out.
    #[inline]
    pub(super) fn pop_front<L>(&mut self, slots: &mut [Slot<L>]) {
        self.remove_after(slots, NONE);
    }

    /// Takes the link behind `before` out, or the first where that is `NONE`.
    pub(super) fn remove_after<L>(&mut self, slots: &mut [Slot<L>], before: u32) {
        let slot = if before == NONE {
            self.head
        } else {
            self.after(slots, before).unwrap_or(NONE)
        };
        if slot == NONE {
            return;
        }
        let next = self.after(slots, slot).unwrap_or(NONE);
        if before == NONE {
            self.head = next;
        } else {
            self.set_next(slots, before, next);
        }
        if self.tail == slot {
            self.tail = before;
        }
        let queued = node_mut(slots, slot)
            .and_then(|node| node.queues.queued.get_mut(self.purpose as usize));
        if let Some(queued) = queued {
            *queued = false;
        }
    }

    /// Takes a link out, wherever it is. O(n).
    pub(super) fn remove<L>(&mut self, slots: &mut [Slot<L>], slot: u32) {
        if !self.contains(slots, slot) {
            return;
        }
        let mut before = NONE;
        let mut at = self.head;
        while at != slot && at != NONE {
            before = at;
            at = self.after(slots, at).unwrap_or(NONE);
        }
        if at == slot {
            self.remove_after(slots, before);
        }
    }

    pub(super) fn contains<L>(&self, slots: &[Slot<L>], slot: u32) -> bool {
        node(slots, slot)
            .and_then(|node| node.queues.queued.get(self.purpose as usize))
            .is_some_and(|queued| *queued)
    }

    /// Marks a link as queued before `next`; `false` if it was.
    fn claim<L>(&self, slots: &mut [Slot<L>], slot: u32, next: u32) -> bool {
        let Some(node) = node_mut(slots, slot) else {
            return false;
        };
        let Some(queued) = node.queues.queued.get_mut(self.purpose as usize) else {
            return false;
        };
        if core::mem::replace(queued, true) {
            return false;
        }
        self.set_next(slots, slot, next);
        true
    }

    fn set_next<L>(&self, slots: &mut [Slot<L>], slot: u32, next: u32) {
        let place =
            node_mut(slots, slot).and_then(|node| node.queues.next.get_mut(self.purpose as usize));
        if let Some(place) = place {
            *place = next;
        }
    }
}
