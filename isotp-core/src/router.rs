//! Many links on one bus.

mod heap;
mod index;
mod machine;
mod queue;
mod refusal;
mod slot;

pub use refusal::{InsertError, RefusedLink};
pub use slot::{Slot, Slots};

use heap::Heap;
use index::Index;
use queue::{Purpose, Queue};
use slot::NONE;

use crate::address::{Address, Filter};
use crate::error::{Refused, SendError};
use crate::event::Event;
use crate::link::Link;
use crate::machine::Machine;
use crate::time::Instant;

/// Finds the link that a frame is for, and takes turns in sending.
///
/// The frame side is [`Machine`](crate::Machine). A frame, a confirmation, a command cost the same for
/// one link and for ten thousand; a deadline that moves earlier, and one that fires, O(log n). After
/// [`insert`](Self::insert) the router allocates nothing. Flow control leaves before data, data takes
/// turns between links.
///
/// A router behaves as that many separate links on one bus would, except that a frame which one of its
/// links sends does not come back to the others: see [`handle_sibling_frame`](Self::handle_sibling_frame).
///
/// ```
/// use isotp_core::{Address, Config, Event, Frame, Id, Instant, Link, Machine, Router, Slot};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// static CONFIG: Config = Config::new();
/// let mut slots = [const { Slot::new() }; 4];
/// let mut router = Router::new(&mut slots[..]);
/// let mut memory = [0; 64];
/// let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
/// let link = Link::<_, &[u8]>::new(address, &CONFIG, &mut memory[..])?;
/// let id = router.insert(link).map_err(|refused| refused.error)?;
/// router.send(Instant::ZERO, id, &[0x3E, 0])?;
/// let mut frame = Frame::new();
/// router.poll_transmit(Instant::ZERO, &mut frame).unwrap().commit(Instant::ZERO);
/// assert_eq!(frame.to_string(), "7E0#023E00");
/// assert!(matches!(router.poll_event(), Some((link, Event::Confirmed(_))) if link == id));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Router<T> {
    slots: T,
    index: Index,
    heap: Heap,
    flow_control: Queue,
    data: Queue,
    news: Queue,
    order: Order,
    len: u32,
    free: u32,
    pending: Pending,
}

/// Which link sends its data next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Order {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the lowest id, as on the bus. O(n) of the links that have data ready.
    LowestId,
}

/// Names a link of a router. It is never given to another link of that router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LinkId {
    slot: u32,
    generation: u32,
}

impl LinkId {
    /// The slot, by which [`TxToken`](crate::TxToken) and [`Transmit`](crate::Transmit) name the link.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.slot
    }
}

/// A link whose borrow ended since the last call, and must be looked at again.
#[derive(Debug)]
struct Pending {
    slot: u32,
    /// It was offered to send, from this queue, when its frame count was this.
    offered: Option<(Purpose, u32)>,
}

impl<T: Slots> Router<T> {
    /// A router without links, in these slots.
    pub fn new(mut slots: T) -> Self {
        let count = slots.slots().len() as u32;
        for (at, slot) in (1..).zip(slots.slots_mut()) {
            *slot = Slot::new();
            slot.node.chains.physical_next = if at < count { at } else { NONE };
        }
        Self {
            slots,
            index: Index::default(),
            heap: Heap::default(),
            flow_control: Queue::new(Purpose::FlowControl),
            data: Queue::new(Purpose::Data),
            news: Queue::new(Purpose::News),
            order: Order::RoundRobin,
            len: 0,
            free: if count == 0 { NONE } else { 0 },
            pending: Pending {
                slot: NONE,
                offered: None,
            },
        }
    }

    /// Sets which link sends its data next.
    pub const fn set_order(&mut self, order: Order) {
        self.order = order;
    }

    /// Takes a link in. O(1), and O(n) where the slots have to grow.
    ///
    /// # Errors
    /// [`InsertError`] with the link.
    pub fn insert(
        &mut self,
        mut link: Link<T::Buffer, T::Payload, T::Config, T::Spare>,
    ) -> Result<LinkId, RefusedLink<Link<T::Buffer, T::Payload, T::Config, T::Spare>>> {
        let id = link.address().rx().id();
        if self
            .index
            .find(self.slots.slots(), link.address())
            .is_some()
        {
            return Err(RefusedLink {
                error: InsertError::AddressInUse { id },
                link,
            });
        }
        if self
            .index
            .format_conflict(self.slots.slots(), link.address())
        {
            return Err(RefusedLink {
                error: InsertError::FormatInUse { id },
                link,
            });
        }
        if self.free == NONE {
            self.grow();
        }
        let slot = self.free;
        let Some(place) = self.slots.slots_mut().get_mut(slot as usize) else {
            return Err(RefusedLink {
                error: InsertError::Full { len: self.len },
                link,
            });
        };
        self.free = place.node.chains.physical_next;
        place.node.chains.physical_next = NONE;
        // a link that was busy elsewhere has up to 255 frames in flight: none of them had its token here
        let skip = |number: u32| number.wrapping_add(256);
        link.set_frame_numbers(place.node.frame_numbers.map(skip));
        let address = *link.address();
        place.link = Some(link);
        let generation = place.node.generation;
        self.len += 1;
        self.index.insert(self.slots.slots_mut(), slot, address);
        self.settle();
        self.update(slot);
        Ok(LinkId { slot, generation })
    }

    /// Takes a link out, with whatever it was doing. O(n) of the links that wait to send, and of those
    /// that share its functional id.
    pub fn remove(
        &mut self,
        id: LinkId,
    ) -> Option<Link<T::Buffer, T::Payload, T::Config, T::Spare>> {
        self.settle();
        self.link(id)?;
        let slots = self.slots.slots_mut();
        self.index.remove(slots, id.slot);
        self.heap.remove(slots, id.slot);
        self.flow_control.remove(slots, id.slot);
        self.data.remove(slots, id.slot);
        self.news.remove(slots, id.slot);
        let place = slots.get_mut(id.slot as usize)?;
        let link = place.link.take()?;
        place.node.frame_numbers = link.frame_numbers();
        place.node.generation = place.node.generation.wrapping_add(1);
        place.node.chains.physical_next = self.free;
        self.free = id.slot;
        self.len -= 1;
        Some(link)
    }

    /// [`Link::send`].
    ///
    /// # Errors
    /// [`SendError`] with the payload; [`SendError::NoLink`] if the link was removed.
    pub fn send(
        &mut self,
        now: Instant,
        id: LinkId,
        payload: T::Payload,
    ) -> Result<(), Refused<T::Payload>> {
        match self.link_mut(id) {
            Some(link) => link.send(now, payload),
            None => Err(Refused {
                error: SendError::NoLink,
                payload,
            }),
        }
    }

    /// [`Link::send_functional`].
    ///
    /// # Errors
    /// [`SendError`] with the payload; [`SendError::NoLink`] if the link was removed.
    pub fn send_functional(
        &mut self,
        now: Instant,
        id: LinkId,
        payload: T::Payload,
    ) -> Result<(), Refused<T::Payload>> {
        match self.link_mut(id) {
            Some(link) => link.send_functional(now, payload),
            None => Err(Refused {
                error: SendError::NoLink,
                payload,
            }),
        }
    }

    /// Asks a link again whose buffer was not ready or whose payload had no bytes. A router does not
    /// ask by itself, except when N_Br or N_Cs runs out and when a message is taken.
    pub fn wake(&mut self, id: LinkId) {
        self.link_mut(id);
    }

    /// Whether [`poll_event`](Self::poll_event) may have something to tell. `false` is certain, and cheaper
    /// to learn here.
    #[inline]
    pub fn has_events(&mut self) -> bool {
        self.settle();
        self.news.head().is_some()
    }

    /// What happened on any link, in order for each; `None` when the user knows everything. See
    /// [`Link::poll_event`].
    pub fn poll_event(&mut self) -> Option<(LinkId, Event<'_, T::Buffer>)> {
        self.settle();
        let slot = loop {
            let slot = self.news.head()?;
            let place = self.slots.slots().get(slot as usize)?;
            if place.link.as_ref().is_some_and(Link::has_news) {
                break slot;
            }
            self.news.pop_front(self.slots.slots_mut());
        };
        self.pending.slot = slot;
        let place = self.slots.slots_mut().get_mut(slot as usize)?;
        let id = LinkId {
            slot,
            generation: place.node.generation,
        };
        place.link.as_mut()?.poll_event().map(|event| (id, event))
    }

    /// A link, to look at.
    pub fn link(&self, id: LinkId) -> Option<&Link<T::Buffer, T::Payload, T::Config, T::Spare>> {
        let place = self.slots.slots().get(id.slot as usize)?;
        if place.node.generation == id.generation {
            place.link.as_ref()
        } else {
            None
        }
    }

    /// A link, for its other commands. Its frame side belongs to the router; another link comes in by
    /// [`remove`](Self::remove) and [`insert`](Self::insert), not through this reference.
    pub fn link_mut(
        &mut self,
        id: LinkId,
    ) -> Option<&mut Link<T::Buffer, T::Payload, T::Config, T::Spare>> {
        self.link(id)?;
        self.settle_for(id.slot);
        self.pending.slot = id.slot;
        let place = self.slots.slots_mut().get_mut(id.slot as usize);
        place.and_then(|place| place.link.as_mut())
    }

    /// The link in a slot, as tokens name it.
    pub fn link_in_slot(&self, slot: u32) -> Option<LinkId> {
        let place = self.slots.slots().get(slot as usize)?;
        place.link.as_ref()?;
        Some(LinkId {
            slot,
            generation: place.node.generation,
        })
    }

    /// The link that receives physical messages on the same address as `address`.
    pub fn find(&self, address: &Address) -> Option<LinkId> {
        self.link_in_slot(self.index.find(self.slots.slots(), address)?)
    }

    /// How many links there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are no links.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ids of all links, in slot order.
    pub fn ids(&self) -> impl Iterator<Item = LinkId> {
        (0..self.slots.slots().len() as u32).filter_map(|slot| self.link_in_slot(slot))
    }

    /// What frames the links expect, physical and functional, for the filters of a controller. Ids
    /// that many links share come as often.
    pub fn filters(&self) -> impl Iterator<Item = Filter> {
        let addresses = self
            .ids()
            .filter_map(|id| self.link(id).map(|link| *link.address()));
        addresses.flat_map(Address::filters)
    }

    /// Looks again at the link that was lent out by the last call.
    #[inline]
    fn settle(&mut self) {
        if self.pending.slot != NONE {
            self.settle_lent();
        }
    }

    /// The same before a slot is looked at anyway: if its link was lent out, that look is enough.
    #[inline]
    fn settle_for(&mut self, slot: u32) {
        if self.pending.slot == slot {
            self.take_back();
        } else {
            self.settle();
        }
    }

    fn settle_lent(&mut self) {
        let slot = self.take_back();
        self.update(slot);
    }

    /// Takes back the link that was lent out, and gives its slot: it is to be [updated](Self::update).
    fn take_back(&mut self) -> u32 {
        let slot = core::mem::replace(&mut self.pending.slot, NONE);
        if let Some((purpose, frames)) = self.pending.offered.take() {
            let slots = self.slots.slots_mut();
            let link = slots.get(slot as usize).and_then(|slot| slot.link.as_ref());
            if link.is_some_and(|link| link.frame_count() == frames) {
                // dropped: it keeps its turn
                let queue = match purpose {
                    Purpose::FlowControl => &mut self.flow_control,
                    _ => &mut self.data,
                };
                queue.push_front(slots, slot);
            }
        }
        slot
    }

    /// Enters a link into the heap and the queues as its state demands.
    #[inline]
    fn update(&mut self, slot: u32) {
        let slots = self.slots.slots_mut();
        let Some(link) = slots.get(slot as usize).and_then(|slot| slot.link.as_ref()) else {
            return;
        };
        let (answer, data, news) = (link.owes_answer(), link.has_data(), link.has_news());
        let deadline = link.deadline();
        if self.heap.note(slots, slot, deadline) {
            self.rekey(slot);
        }
        let slots = self.slots.slots_mut();
        if answer {
            self.flow_control.push_back(slots, slot);
        }
        if data {
            self.data.push_back(slots, slot);
        }
        if news {
            self.news.push_back(slots, slot);
        }
    }

    #[inline(never)]
    fn rekey(&mut self, slot: u32) {
        let slots = self.slots.slots_mut();
        let link = slots.get(slot as usize).and_then(|slot| slot.link.as_ref());
        let timeout = link.and_then(Machine::poll_timeout);
        self.heap.key(slots, slot, timeout);
    }

    /// Asks for more slots, and puts them on the list of free ones.
    fn grow(&mut self) {
        let before = self.slots.slots().len();
        self.slots.grow();
        let slots = self.slots.slots_mut();
        if slots.len() == before {
            return;
        }
        for (at, slot) in slots.iter_mut().enumerate().skip(before).rev() {
            slot.node.chains.physical_next = self.free;
            self.free = at as u32;
        }
        self.index.rebuild(slots);
    }
}

impl<T: Slots + Default> Default for Router<T> {
    /// A router in slots of their default: an empty vector, with `alloc`, which grows with its links.
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests;
