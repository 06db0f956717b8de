//! Where a router keeps its links: memory of the caller's, or a vector.

use core::ops::Deref;

use crate::address::Address;
use crate::buffer::RxBuffer;
use crate::config::Config;
use crate::link::Link;
use crate::payload::Payload;
use crate::time::{Instant, Timer};

/// Room for one link in a [`Router`](crate::Router), and the router's own marks on it.
#[derive(Debug)]
pub struct Slot<L> {
    pub(super) link: Option<L>,
    pub(super) node: Node,
}

impl<L> Slot<L> {
    /// An empty slot.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link: None,
            node: Node::new(),
        }
    }
}

impl<L> Default for Slot<L> {
    fn default() -> Self {
        Self::new()
    }
}

/// The slots of a router: `&mut [Slot<L>]`, `[Slot<L>; N]`, or, with `alloc`, a growing `Vec<Slot<L>>`,
/// where `L` is a [`Link`].
pub trait Slots {
    /// The links' buffers.
    type Buffer: RxBuffer;
    /// What the links send.
    type Payload: Payload;
    /// The pointer to the links' configuration.
    type Config: Deref<Target = Config>;
    /// The links' spare memory.
    type Spare: AsRef<[u8]> + AsMut<[u8]>;

    /// All slots.
    fn slots(&self) -> &[Slot<Link<Self::Buffer, Self::Payload, Self::Config, Self::Spare>>];

    /// All slots.
    fn slots_mut(
        &mut self,
    ) -> &mut [Slot<Link<Self::Buffer, Self::Payload, Self::Config, Self::Spare>>];

    /// Adds some empty slots, if that is possible. The present ones stay what they are.
    fn grow(&mut self) {}
}

macro_rules! impl_slots {
    ([$($generics:tt)*] $slots:ty { $($grow:item)? }) => {
        impl<B, P, C, S, $($generics)*> Slots for $slots
        where
            B: RxBuffer,
            P: Payload,
            C: Deref<Target = Config>,
            S: AsRef<[u8]> + AsMut<[u8]>,
        {
            type Buffer = B;
            type Payload = P;
            type Config = C;
            type Spare = S;
            fn slots(&self) -> &[Slot<Link<B, P, C, S>>] {
                self
            }
            fn slots_mut(&mut self) -> &mut [Slot<Link<B, P, C, S>>] {
                self
            }
            $($grow)?
        }
    };
}

impl_slots!([] &mut [Slot<Link<B, P, C, S>>] {});
impl_slots!([const N: usize] [Slot<Link<B, P, C, S>>; N] {});

#[cfg(feature = "alloc")]
impl_slots!([] alloc::vec::Vec<Slot<Link<B, P, C, S>>> {
    /// By a quarter, so that little memory lies idle.
    fn grow(&mut self) {
        let more = (self.len() / 4).max(8);
        if self.try_reserve_exact(more).is_ok() {
            for _ in 0..more {
                // never so, but the optimiser sees by it that `push` allocates nothing
                if self.len() == self.capacity() {
                    return;
                }
                self.push(Slot::new());
            }
        }
    }
});

/// The router's marks on a slot. The tables of the router are spread over these, entry `i` of each
/// being in slot `i`.
#[derive(Debug)]
pub(super) struct Node {
    /// Counts the links that were here.
    pub(super) generation: u32,
    /// Where frame numbers went on when the last link left.
    pub(super) frame_numbers: [u32; 3],
    pub(super) chains: Chains,
    pub(super) heap: HeapNode,
    pub(super) queues: QueueNode,
}

/// Entry `i` of the hash table, and this link's place in its chains.
#[derive(Debug)]
pub(super) struct Chains {
    /// The first link in bucket `i`, by physical and by functional address.
    pub(super) physical_head: u32,
    pub(super) functional_head: u32,
    /// The next link in the same bucket; the next free slot, where there is no link.
    pub(super) physical_next: u32,
    /// The first link of the next functional address in the same bucket.
    pub(super) group_next: u32,
    /// The next link with the same functional address.
    pub(super) member_next: u32,
    /// See `index::class`.
    pub(super) class: u8,
    /// The address by which the link was chained. The link's own may become another, if it is replaced
    /// through `Router::link_mut`; the chains must not.
    pub(super) address: Option<Address>,
}

/// Entry `i` of the heap of deadlines, and this link's place in it.
#[derive(Debug)]
pub(super) struct HeapNode {
    pub(super) key: Instant,
    /// The timer that gave the key.
    pub(super) timer: Timer,
    pub(super) slot: u32,
    pub(super) place: u32,
    /// The link has a deadline. Its entry may outlive it.
    pub(super) armed: bool,
}

/// This link's place in the queues; see `queue`.
#[derive(Debug)]
pub(super) struct QueueNode {
    pub(super) next: [u32; 3],
    pub(super) queued: [bool; 3],
}

impl Node {
    const fn new() -> Self {
        Self {
            generation: 0,
            frame_numbers: [0; 3],
            chains: Chains {
                physical_head: NONE,
                functional_head: NONE,
                physical_next: NONE,
                group_next: NONE,
                member_next: NONE,
                class: 0,
                address: None,
            },
            heap: HeapNode {
                key: Instant::ZERO,
                timer: Timer::NAs,
                slot: NONE,
                place: NONE,
                armed: false,
            },
            queues: QueueNode {
                next: [NONE; 3],
                queued: [false; 3],
            },
        }
    }
}

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

pub(super) fn node<L>(slots: &[Slot<L>], slot: u32) -> Option<&Node> {
    slots.get(slot as usize).map(|slot| &slot.node)
}

pub(super) fn node_mut<L>(slots: &mut [Slot<L>], slot: u32) -> Option<&mut Node> {
    slots.get_mut(slot as usize).map(|slot| &mut slot.node)
}
