//! Tasks that wait for the same thing.

use core::task::Waker;

use portable_atomic::{AtomicU64, Ordering};

use crate::letting_go::contain;

/// Any number of waiting tasks; one costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    first: Option<(u64, Waker)>,
    more: Vec<(u64, Waker)>,
}

/// No key is given twice in a process: one that outlives what it was for removes nobody else.
static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

/// Taken out under a lock, to be woken when it is released.
#[must_use = "wake them after the lock is released"]
#[derive(Debug, Default)]
pub(crate) struct Woken(Wakers);

impl Wakers {
    /// Enters a task, or renews its waker. The key is the task's own, and is set here.
    pub(crate) fn register(&mut self, key: &mut Option<u64>, waker: &Waker) {
        let key = *key.get_or_insert_with(|| NEXT_KEY.fetch_add(1, Ordering::Relaxed));
        let known = self.first.iter_mut().chain(&mut self.more);
        for (other, known) in known {
            if *other == key {
                known.clone_from(waker);
                return;
            }
        }
        let entry = (key, waker.clone());
        if self.first.is_none() {
            self.first = Some(entry);
        } else {
            self.more.push(entry);
        }
    }

    /// Removes a task that no longer waits.
    pub(crate) fn remove(&mut self, key: Option<u64>) {
        let Some(key) = key else { return };
        if self.first.as_ref().is_some_and(|(other, _)| *other == key) {
            self.first = None;
        }
        self.more.retain(|(other, _)| *other != key);
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    /// Takes all of them.
    pub(crate) fn take(&mut self) -> Woken {
        Woken(core::mem::take(self))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.first.iter().count() + self.more.len()
    }
}

impl Woken {
    /// These as well.
    pub(crate) fn join(&mut self, other: Self) {
        let Wakers { first, more } = other.0;
        match first {
            Some(first) if self.0.first.is_none() => self.0.first = Some(first),
            first => self.0.more.extend(first),
        }
        self.0.more.extend(more);
    }

    pub(crate) fn wake(self) {
        let Wakers { first, more } = self.0;
        if let Some((_, waker)) = first {
            wake(waker);
        }
        more.into_iter().for_each(|(_, waker)| wake(waker));
    }
}

/// Wakes a task. It may be one of the user's, whose waker panics: that is no reason for others to be late.
#[inline]
pub(crate) fn wake(waker: Waker) {
    contain(|| waker.wake());
}

#[cfg(test)]
pub(crate) mod tests {
    use core::sync::atomic::AtomicU32;
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    /// Counts how often it is woken, and panics.
    #[derive(Default)]
    pub(crate) struct Bad(pub(crate) AtomicU32);

    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        }
    }

    #[test]
    fn each_task_is_woken_though_each_panics() {
        let bad = Arc::new(Bad::default());
        let mut wakers = Wakers::default();
        for _ in 0..3 {
            wakers.register(&mut None, &Waker::from(bad.clone()));
        }
        wakers.take().wake();
        assert_eq!(bad.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_task_is_entered_once_and_leaves_nothing() {
        let mut wakers = Wakers::default();
        let (mut a, mut b) = (None, None);
        for _ in 0..3 {
            wakers.register(&mut a, Waker::noop());
            wakers.register(&mut b, Waker::noop());
        }
        assert_eq!(wakers.len(), 2);
        wakers.remove(a);
        wakers.remove(b);
        assert_eq!(wakers.len(), 0);
    }

    #[test]
    fn a_key_that_outlives_its_list_removes_nobody_from_another() {
        let (mut old, mut new) = (None, None);
        Wakers::default().register(&mut old, Waker::noop());
        let mut wakers = Wakers::default();
        wakers.register(&mut new, Waker::noop());
        wakers.remove(old);
        assert_eq!(wakers.len(), 1);
    }

    #[test]
    fn a_woken_task_may_wait_again() {
        let mut wakers = Wakers::default();
        let mut key = None;
        wakers.register(&mut key, Waker::noop());
        wakers.take().wake();
        assert_eq!(wakers.len(), 0);
        wakers.register(&mut key, Waker::noop());
        assert_eq!(wakers.len(), 1);
    }
}
