//! The frame side of a router.

use core::ops::Deref;

use super::heap::Heap;
use super::queue::{Purpose, Queue};
use super::slot::{NONE, Slot, Slots};
use super::{LinkId, Order, Router};
use crate::address::Recognised;
use crate::buffer::RxBuffer;
use crate::config::Config;
use crate::frame::{Frame, FrameView, Id};
use crate::link::{Link, Offered};
use crate::machine::{Machine, Transmit, TxToken};
use crate::payload::Payload;
use crate::time::{Instant, Timeout};

impl<T: Slots> Machine for Router<T> {
    #[inline]
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        self.dispatch(now, &frame, NONE, |_| {});
    }

    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        self.with_link(token.slot(), |link| link.handle_transmitted(now, token));
    }

    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        self.with_link(token.slot(), |link| link.handle_failed(now, token));
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.settle();
        while let Some((slot, timeout)) = self.heap.first(self.slots.slots()) {
            if timeout.at > now {
                return;
            }
            let slots = self.slots.slots_mut();
            let place = slots.get_mut(slot as usize);
            let Some(link) = place.and_then(|slot| slot.link.as_mut()) else {
                return;
            };
            // most keys that surface are of deadlines which have moved on
            let due = link.deadline().is_some_and(|deadline| deadline <= now);
            if due {
                link.handle_timeout(now);
            }
            // at the end of time a deadline is not later than now: it never comes
            let timeout = link.poll_timeout().filter(|timeout| timeout.at > now);
            self.heap.key(slots, slot, timeout);
            if due {
                self.update(slot);
            }
        }
    }

    #[inline]
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        self.settle();
        let slots = self.slots.slots_mut();
        let marks = &mut (&mut self.heap, &mut self.news);
        let (slot, offered) = match offer(&mut self.flow_control, slots, marks, now, frame) {
            Some(found) => found,
            None if self.order == Order::LowestId => {
                offer_lowest(&mut self.data, slots, marks, now, frame)?
            }
            None => offer(&mut self.data, slots, marks, now, frame)?,
        };
        let purpose = match offered {
            Offered::FlowControl => Purpose::FlowControl,
            _ => Purpose::Data,
        };
        let link = slots.get_mut(slot as usize)?.link.as_mut()?;
        self.pending.slot = slot;
        self.pending.offered = Some((purpose, link.frame_count()));
        Some(link.transmit(offered, slot))
    }

    fn poll_timeout(&self) -> Option<Timeout> {
        // a link that was lent out may have got an earlier deadline, or lost its own
        let slots = self.slots.slots();
        let lent = slots.get(self.pending.slot as usize);
        let lent = lent.and_then(|slot| slot.link.as_ref()?.poll_timeout());
        if !self.heap.is_armed_beside(slots, self.pending.slot) {
            return lent;
        }
        let first = self.heap.first(slots).map(|(_, first)| first);
        let timeouts = [lent, first].into_iter().flatten();
        timeouts.min_by_key(|timeout| timeout.at)
    }
}

impl<T: Slots> Router<T> {
    /// A frame that the link `from` of this router has sent, for the others: a bus on which the links of
    /// one router hear each other.
    pub fn handle_sibling_frame(&mut self, now: Instant, frame: FrameView<'_>, from: LinkId) {
        self.dispatch(now, &frame, from.slot(), |_| {});
    }

    /// [`handle_frame`](Machine::handle_frame), or with `from` the same as
    /// [`handle_sibling_frame`](Self::handle_sibling_frame), which also tells the slot of each link that
    /// the frame was for: for statistics.
    pub fn handle_frame_telling(
        &mut self,
        now: Instant,
        frame: FrameView<'_>,
        from: Option<LinkId>,
        heard: impl FnMut(u32),
    ) {
        self.dispatch(now, &frame, from.map_or(NONE, LinkId::slot), heard);
    }

    /// Gives a frame to the links that it is for, but not to the one in the slot `except`.
    #[inline]
    fn dispatch(
        &mut self,
        now: Instant,
        frame: &FrameView<'_>,
        except: u32,
        mut heard: impl FnMut(u32),
    ) {
        self.settle();
        match self.index.physical(self.slots.slots(), frame) {
            Some((slot, recognised)) if slot != except => {
                heard(slot);
                self.deliver(now, frame, slot, recognised);
            }
            _ => {}
        }
        for class in self.index.functional_classes() {
            let first = self.index.functional(self.slots.slots(), class, frame);
            let Some((mut slot, recognised)) = first else {
                continue;
            };
            while slot != NONE {
                if slot != except {
                    heard(slot);
                    self.deliver(now, frame, slot, recognised);
                }
                let place = self.slots.slots().get(slot as usize);
                slot = place.map_or(NONE, |place| place.node.chains.member_next);
            }
        }
    }

    #[inline]
    fn deliver(&mut self, now: Instant, frame: &FrameView<'_>, slot: u32, recognised: Recognised) {
        let place = self.slots.slots_mut().get_mut(slot as usize);
        if let Some(link) = place.and_then(|place| place.link.as_mut()) {
            if recognised.functional || !link.take_usual(now, frame) {
                link.handle_matched(now, frame, recognised);
            }
            self.update(slot);
        }
    }

    fn with_link(
        &mut self,
        slot: u32,
        act: impl FnOnce(&mut Link<T::Buffer, T::Payload, T::Config, T::Spare>),
    ) {
        self.settle_for(slot);
        let place = self.slots.slots_mut().get_mut(slot as usize);
        if let Some(link) = place.and_then(|place| place.link.as_mut()) {
            act(link);
            self.update(slot);
        }
    }
}

/// Writes the frame of the first link in the queue that has one, and takes it out, and all before it.
#[inline]
fn offer<B, P, C, S>(
    queue: &mut Queue,
    slots: &mut [Slot<Link<B, P, C, S>>],
    marks: &mut (&mut Heap, &mut Queue),
    now: Instant,
    frame: &mut Frame,
) -> Option<(u32, Offered)>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    loop {
        let slot = queue.head()?;
        queue.pop_front(slots);
        let link = slots.get_mut(slot as usize)?.link.as_mut();
        if let Some(offered) = link.and_then(|link| link.write_apart(now, frame)) {
            return Some((slot, offered));
        }
        missed(slots, marks, slot);
    }
}

/// The same for the link whose next frame has the lowest id.
fn offer_lowest<B, P, C, S>(
    queue: &mut Queue,
    slots: &mut [Slot<Link<B, P, C, S>>],
    marks: &mut (&mut Heap, &mut Queue),
    now: Instant,
    frame: &mut Frame,
) -> Option<(u32, Offered)>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    loop {
        let mut best: Option<(Id, u32, u32)> = None;
        let (mut before, mut at) = (NONE, queue.head()?);
        loop {
            let link = slots.get(at as usize)?.link.as_ref()?;
            let id = link.next_data_id();
            if best.is_none_or(|(lowest, ..)| id < lowest) {
                best = Some((id, before, at));
            }
            before = at;
            match queue.after(slots, at) {
                Some(next) => at = next,
                None => break,
            }
        }
        let (_, before, slot) = best?;
        queue.remove_after(slots, before);
        let link = slots.get_mut(slot as usize)?.link.as_mut();
        if let Some(offered) = link.and_then(|link| link.write_apart(now, frame)) {
            return Some((slot, offered));
        }
        missed(slots, marks, slot);
    }
}

/// A link that was asked for a frame had none: its payload or buffer may have given it an earlier
/// deadline, or an outcome.
#[cold]
fn missed<B, P, C, S>(
    slots: &mut [Slot<Link<B, P, C, S>>],
    (heap, news): &mut (&mut Heap, &mut Queue),
    slot: u32,
) where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    let link = slots.get(slot as usize).and_then(|slot| slot.link.as_ref());
    let Some(link) = link else { return };
    let (timeout, has_news) = (link.poll_timeout(), link.has_news());
    heap.key(slots, slot, timeout);
    if has_news {
        news.push_back(slots, slot);
    }
}
