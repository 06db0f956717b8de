//! Which addresses have a link of the kernel's, or of `socketcan:`, in this process.
//!
//! Two links on one pair would both answer with flow control, and each would get every message.

use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isotp_driver::{Address, AddressFormat, ConnectError, Half};

/// An address on an interface; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    place: Place,
    number: u64,
}

/// Interface, and the id without its priority, which says nothing where it is one.
type Place = (u32, bool, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A kernel socket.
    Kernel,
    /// A link of our own stack, on the bus of this number. Several of one bus may have the same address
    /// as far as this table knows: the link and who is about to make it, or two of which their network
    /// refuses one.
    Stack(u64),
}

impl Holder {
    /// Links of our own stack on a bus of their own.
    pub(crate) fn new_bus() -> Self {
        let mut table = table();
        table.next += 1;
        Self::Stack(table.next)
    }

    const fn tolerates(self, other: Self) -> bool {
        matches!((self, other), (Self::Stack(one), Self::Stack(other)) if one == other)
    }
}

struct Entry {
    number: u64,
    rx: Half,
    holder: Holder,
    /// The socket is being closed, which takes a while; whoever waits for that.
    closing: Option<Vec<Waker>>,
    /// It is being closed, and waits for no frame any more.
    idle: bool,
}

impl Entry {
    fn is_in_the_way(&self, rx: Half, holder: Holder) -> bool {
        !holder.tolerates(self.holder) && same_id(self.rx, rx) && !differ_by_byte(self.rx, rx)
    }
}

struct Table {
    next: u64,
    entries: BTreeMap<Place, Vec<Entry>>,
}

impl Claim {
    /// Claims an address; pending while another socket on it is being closed.
    pub(crate) fn poll(
        cx: &Context<'_>,
        index: u32,
        address: &Address,
        holder: Holder,
    ) -> Poll<Result<Self, ConnectError>> {
        let mut table = table();
        let number = table.next;
        table.next += 1;
        let rx = address.rx();
        let place = place(index, rx);
        let entries = table.entries.entry(place).or_default();
        let other = entries
            .iter_mut()
            .find(|entry| entry.is_in_the_way(rx, holder));
        match other {
            Some(Entry {
                closing: Some(wakers),
                ..
            }) => {
                wakers.push(cx.waker().clone());
                Poll::Pending
            }
            Some(entry) if entry.rx.prefix_len() != rx.prefix_len() => {
                Poll::Ready(Err(ConnectError::FormatInUse { id: rx.id() }))
            }
            Some(_) => Poll::Ready(Err(ConnectError::AddressInUse { id: rx.id() })),
            None => {
                entries.push(Entry {
                    number,
                    rx,
                    holder,
                    closing: None,
                    idle: false,
                });
                Poll::Ready(Ok(Self { place, number }))
            }
        }
    }

    /// Whether what is in the way of this claim is a socket that is about to be gone, however many are
    /// closed before it.
    pub(crate) fn is_near(index: u32, address: &Address, holder: Holder) -> bool {
        let (table, rx) = (table(), address.rx());
        let entries = table.entries.get(&place(index, rx));
        let mut others = entries.into_iter().flatten();
        others.any(|entry| entry.is_in_the_way(rx, holder) && entry.idle)
    }

    /// The socket is being closed.
    pub(crate) fn begin_close(&self) {
        self.change(|entry| {
            entry.closing.get_or_insert_default();
        });
    }

    /// The socket that is being closed has finished with its message.
    pub(crate) fn idle(&self) {
        self.change(|entry| entry.idle = true);
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        let mut table = table();
        let entries = table.entries.get_mut(&self.place).into_iter().flatten();
        let own = entries
            .into_iter()
            .find(|entry| entry.number == self.number);
        if let Some(entry) = own {
            change(entry);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = table();
        let mut left = None;
        if let Some(entries) = table.entries.get_mut(&self.place) {
            let own = entries.iter().position(|entry| entry.number == self.number);
            left = own.map(|at| entries.swap_remove(at));
            if entries.is_empty() {
                table.entries.remove(&self.place);
            }
        }
        drop(table);
        let wakers = left.and_then(|entry| entry.closing);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

fn place(index: u32, half: Half) -> Place {
    let (id, extended) = (half.id().value(), half.id().is_extended());
    (index, extended, id & WITHOUT_PRIORITY)
}

/// Of ids that name their nodes, the priority says nothing.
fn same_id(one: Half, other: Half) -> bool {
    let fixed = |half: Half| {
        matches!(
            half.format(),
            AddressFormat::NormalFixed | AddressFormat::Mixed29
        )
    };
    let significant = if fixed(one) || fixed(other) {
        WITHOUT_PRIORITY
    } else {
        u32::MAX
    };
    one.id().value() & significant == other.id().value() & significant
}

fn differ_by_byte(one: Half, other: Half) -> bool {
    matches!((one.byte(), other.byte()), (Some(one), Some(other)) if one != other)
}

const WITHOUT_PRIORITY: u32 = 0x03FF_FFFF;

fn table() -> MutexGuard<'static, Table> {
    static TABLE: Mutex<Table> = Mutex::new(Table {
        next: 0,
        entries: BTreeMap::new(),
    });
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use isotp_driver::Id;

    use super::*;

    fn id(value: u16) -> Id {
        Id::standard(value).unwrap()
    }

    fn claim(index: u32, address: &Address, holder: Holder) -> Poll<Result<Claim, ConnectError>> {
        Claim::poll(&Context::from_waker(Waker::noop()), index, address, holder)
    }

    fn taken(answer: Poll<Result<Claim, ConnectError>>) -> Claim {
        match answer {
            Poll::Ready(Ok(claim)) => claim,
            other => panic!("{other:?}"),
        }
    }

    // each test has an interface of its own: the table is one for the process

    #[test]
    fn a_second_link_on_a_pair_is_refused_unless_its_network_does_that() {
        let address = Address::normal(id(1), id(2)).unwrap();
        let (one, other) = (Holder::new_bus(), Holder::new_bus());
        for (at, (first, second, refused)) in [
            (Holder::Kernel, Holder::Kernel, true),
            (Holder::Kernel, one, true),
            (one, Holder::Kernel, true),
            (one, other, true),
            (one, one, false),
        ]
        .into_iter()
        .enumerate()
        {
            let index = 1000 + at as u32;
            let held = taken(claim(index, &address, first));
            let again = claim(index, &address, second);
            let is_refused = matches!(&again, Poll::Ready(Err(ConnectError::AddressInUse { id })) if *id == self::id(2));
            assert_eq!(is_refused, refused, "{first:?} {second:?}");
            drop((held, again));
            taken(claim(index, &address, Holder::Kernel));
        }
    }

    #[test]
    fn interfaces_directions_and_address_bytes_tell_links_apart() {
        let address = Address::extended(id(1), 0xA, id(2), 0xB).unwrap();
        let held = taken(claim(1010, &address, Holder::Kernel));
        let _other_interface = taken(claim(1011, &address, Holder::Kernel));
        let _reversed = taken(claim(1010, &address.reversed(), Holder::Kernel));
        let byte = Address::extended(id(1), 0xA, id(2), 0xC).unwrap();
        let _byte = taken(claim(1010, &byte, Holder::Kernel));
        let plain = Address::normal(id(1), id(2)).unwrap();
        assert!(matches!(
            claim(1010, &plain, Holder::Kernel),
            Poll::Ready(Err(ConnectError::FormatInUse { .. }))
        ));
        drop(held);
    }

    #[test]
    fn the_priority_does_not_tell_links_apart() {
        let address = Address::normal_fixed(0xF1, 0x10).unwrap();
        let other = address.reversed().with_priority(3).unwrap().reversed();
        let _held = taken(claim(1020, &address, Holder::Kernel));
        assert!(matches!(
            claim(1020, &other, Holder::Kernel),
            Poll::Ready(Err(ConnectError::AddressInUse { .. }))
        ));
    }

    #[test]
    fn an_address_whose_socket_is_being_closed_is_waited_for() {
        let address = Address::normal(id(3), id(4)).unwrap();
        let held = taken(claim(1030, &address, Holder::Kernel));
        held.begin_close();
        assert!(claim(1030, &address, Holder::Kernel).is_pending());
        let is_near = || Claim::is_near(1030, &address, Holder::Kernel);
        assert!(!is_near(), "its message may take for ever");
        held.idle();
        assert!(is_near() && claim(1030, &address, Holder::Kernel).is_pending());
        assert!(!Claim::is_near(1031, &address, Holder::Kernel));
        assert!(!Claim::is_near(1030, &address.reversed(), Holder::Kernel));
        drop(held);
        taken(claim(1030, &address, Holder::Kernel));
    }
}
