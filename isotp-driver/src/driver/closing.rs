//! Links that leave when all is sent.

use std::collections::BTreeMap;

use isotp_core::{Instant, LinkId};

use crate::bus::FLUSH_PATIENCE;

/// Links that close. One of which no data frame goes out for [`FLUSH_PATIENCE`] is given up.
///
/// A frame costs one look-up here, be there thousands of them: the moment at which the first is given up is
/// looked for when it may have come, and not with each frame that moves it.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// By slot: when the link sent its last data frame, or began to close.
    moved: BTreeMap<u32, (LinkId, Instant)>,
    /// None is given up earlier.
    earliest: Option<Instant>,
}

impl Closing {
    /// The link closes from now on, if it did not already.
    pub(super) fn begin(&mut self, now: Instant, id: LinkId) {
        self.moved.entry(id.slot()).or_insert((id, now));
        let given_up = now + FLUSH_PATIENCE;
        self.earliest = Some(self.earliest.map_or(given_up, |at| at.min(given_up)));
    }

    /// The link in this slot sent a data frame.
    pub(super) fn moved(&mut self, now: Instant, slot: u32) {
        if let Some((_, moved)) = self.moved.get_mut(&slot) {
            *moved = now;
        }
    }

    /// The link has left.
    pub(super) fn end(&mut self, id: LinkId) {
        if let Some((other, _)) = self.moved.get(&id.slot())
            && *other == id
        {
            self.moved.remove(&id.slot());
        }
        if self.moved.is_empty() {
            self.earliest = None;
        }
    }

    /// When [`give_up`](Self::give_up) is to be asked again, or earlier.
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.earliest
    }

    /// Takes out the links that have stood still for too long.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<LinkId> {
        let mut late = Vec::new();
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return late;
        }
        self.earliest = None;
        self.moved.retain(|_, (id, moved)| {
            let given_up = *moved + FLUSH_PATIENCE;
            if given_up <= now {
                late.push(*id);
                return false;
            }
            self.earliest = Some(self.earliest.map_or(given_up, |at| at.min(given_up)));
            true
        });
        late
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use isotp_core::{Address, Config, Id, Link, Router, Slot};

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    type Links<'a> = Router<Vec<Slot<Link<&'a mut [u8], &'a [u8], &'a Config>>>>;

    /// Names of three links.
    fn ids() -> [LinkId; 3] {
        let config = Config::default();
        let mut router = Links::default();
        [0, 2, 4].map(|n| {
            let id = |n| Id::standard(n).unwrap();
            let address = Address::normal(id(n), id(n + 1)).unwrap();
            let link = Link::with_spare(address, &config, &mut [][..], [[0; 62]; 2]).unwrap();
            router.insert(link).unwrap()
        })
    }

    #[test]
    fn a_link_is_given_up_when_it_stood_still_for_so_long_and_once() {
        let [a, b, c] = ids();
        let mut closing = Closing::default();
        assert_eq!(closing.poll_timeout(), None);
        closing.begin(at(1), a);
        closing.begin(at(2), b);
        closing.begin(at(2), c);
        assert_eq!(closing.poll_timeout(), Some(at(11)));
        closing.moved(at(5), a.slot());
        assert_eq!(closing.give_up(at(11)), [], "the first has moved");
        assert_eq!(closing.poll_timeout(), Some(at(12)));
        assert_eq!(closing.give_up(at(12)), [b, c]);
        assert_eq!(closing.poll_timeout(), Some(at(15)));
        assert_eq!(closing.give_up(at(14)), []);
        assert_eq!(closing.give_up(at(20)), [a]);
        assert_eq!(closing.give_up(at(30)), []);
        assert_eq!(closing.poll_timeout(), None);
    }

    #[test]
    fn a_link_that_closes_already_gets_no_more_time_by_closing_again() {
        let [a, ..] = ids();
        let mut closing = Closing::default();
        closing.begin(at(1), a);
        closing.begin(at(6), a);
        assert_eq!(closing.give_up(at(11)), [a]);
    }

    #[test]
    fn a_link_that_has_left_is_not_given_up_and_leaves_no_deadline() {
        let [a, b, _] = ids();
        let mut closing = Closing::default();
        closing.begin(at(1), a);
        closing.begin(at(1), b);
        closing.end(a);
        closing.moved(at(2), a.slot());
        assert_eq!(closing.give_up(at(11)), [b]);
        closing.begin(at(12), a);
        closing.end(b);
        assert_eq!(closing.poll_timeout(), Some(at(22)));
        closing.end(a);
        assert_eq!(closing.poll_timeout(), None);
    }
}
