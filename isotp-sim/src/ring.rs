//! A queue that uses its memory again: entries are overwritten in place, never moved in or out.

/// Slots in a circle; `len` of them, from `head` on, are in the queue.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    slots: Vec<T>,
    head: usize,
    len: usize,
}

impl<T: Default> Ring<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            head: 0,
            len: 0,
        }
    }

    /// A slot at the end, holding what was left there; memory grows when none is free.
    pub(crate) fn push(&mut self) -> &mut T {
        if self.len == self.slots.len() {
            self.slots.rotate_left(self.head);
            self.head = 0;
            self.slots
                .resize_with((self.len * 2).max(FIRST_SLOTS), T::default);
        }
        self.len += 1;
        let index = self.index(self.len - 1);
        &mut self.slots[index]
    }

    /// Takes the first entry out; it may be read until the next push.
    pub(crate) fn pop(&mut self) -> Option<&mut T> {
        if self.len == 0 {
            return None;
        }
        let index = self.head;
        self.head = self.index(1);
        self.len -= 1;
        Some(&mut self.slots[index])
    }

    /// Takes entry `position` out; the order of the others stays.
    pub(crate) fn remove(&mut self, position: usize) -> Option<&mut T> {
        if position >= self.len {
            return None;
        }
        for behind in (0..position).rev() {
            let (a, b) = (self.index(behind), self.index(behind + 1));
            self.slots.swap(a, b);
        }
        self.pop()
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.iter().next()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).map(|position| &self.slots[self.index(position)])
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    const fn index(&self, position: usize) -> usize {
        let index = self.head + position;
        if index >= self.slots.len() {
            index - self.slots.len()
        } else {
            index
        }
    }
}

const FIRST_SLOTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_leave_in_order_while_the_ring_grows_and_wraps() {
        let mut ring = Ring::new();
        let (mut next_in, mut next_out) = (0u32, 0u32);
        for round in 0..50 {
            for _ in 0..round % 13 {
                *ring.push() = next_in;
                next_in += 1;
            }
            for _ in 0..round % 11 {
                let Some(entry) = ring.pop() else { break };
                assert_eq!(*entry, next_out);
                next_out += 1;
            }
            assert_eq!(ring.len() as u32, next_in - next_out);
        }
        assert!(next_out > 100);
    }

    #[test]
    fn an_entry_taken_from_the_middle_leaves_the_others_in_order() {
        let mut ring = Ring::new();
        for warm_up in 0..6 {
            *ring.push() = warm_up;
            ring.pop();
        }
        for value in 0..7 {
            *ring.push() = value;
        }
        assert_eq!(ring.remove(3), Some(&mut 3));
        assert_eq!(ring.remove(6), None);
        assert!(ring.iter().copied().eq([0, 1, 2, 4, 5, 6]));
    }
}
