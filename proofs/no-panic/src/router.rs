//! Routers, over every kind of slots.

use core::ops::Deref;

use isotp_core::{Config, Link, Order, Payload, Router, RxBuffer, Slot, Slots};

use crate::link::{commands, machine};
use crate::memory::Make;
use crate::parts::look;
use crate::values::{address, config, instant, token, view};
use crate::{call, opaque};

type Small<'a> = Link<&'static mut [u8], &'static [u8], &'a Config, [u8; 7]>;

pub(crate) fn all() {
    let config = &config();
    let mut slots = [const { Slot::<Small<'_>>::new() }; 4];
    router(opaque(&mut slots[..]), config);
    router(opaque([const { Slot::<Small<'_>>::new() }; 4]), config);
    let mut slots =
        [const { Slot::<Link<heapless::Vec<u8, 64>, [u8; 16], &Config, [u8; 62]>>::new() }; 4];
    router(opaque(&mut slots[..]), config);
    #[cfg(feature = "alloc")]
    {
        use alloc::vec::Vec;
        router(opaque(Vec::<Slot<Small<'_>>>::new()), config);
        call!(Router::<Vec<Slot<Small<'_>>>>::default());
        type Growing<'a> = Link<isotp_core::GrowingBuffer, Vec<u8>, &'a Config, [u8; 62]>;
        router(opaque(Vec::<Slot<Growing<'_>>>::new()), config);
    }
}

fn router<T>(slots: T, config: T::Config)
where
    T: Slots,
    T::Buffer: Make + AsRef<[u8]>,
    T::Payload: Payload + Make,
    T::Config: Clone + Deref<Target = Config>,
    T::Spare: AsRef<[u8]> + AsMut<[u8]> + Make,
    T: core::fmt::Debug,
{
    call!(Slot::<u8>::default());
    let mut router = opaque(Router::new(slots));
    while opaque(false) {
        let spare = [Make::make(), Make::make()];
        let link = Link::with_spare(address(), config.clone(), Make::make(), spare);
        if let Ok(link) = link
            && let Ok(id) = opaque(&mut router).insert(opaque(link))
        {
            call!(id.slot());
        }
        opaque(&mut router).set_order(opaque(Order::LowestId));
        if let Some(id) = opaque(&router).link_in_slot(opaque(1)) {
            linked(&mut router, opaque(id));
        }
        machine(opaque(&mut router));
        if let Some((id, event)) = opaque(&mut router).poll_event() {
            call!(id);
            look(event);
        }
        let (now, from) = (instant(), opaque(None));
        opaque(&mut router).handle_frame_telling(now, view(), from, |slot| call!(slot));
        call!(router.find(&address()); router.len(); router.is_empty(); token().slot());
        call!(router.ids().map(isotp_core::LinkId::slot).max());
        call!(router.filters().count());
    }
}

fn linked<T>(router: &mut Router<T>, id: isotp_core::LinkId)
where
    T: Slots,
    T::Buffer: RxBuffer,
    T::Payload: Payload + Make,
{
    let now = instant();
    call!(opaque(&mut *router).send(now, id, Make::make()).is_err());
    call!(
        opaque(&mut *router)
            .send_functional(now, id, Make::make())
            .is_err()
    );
    opaque(&mut *router).wake(id);
    call!(opaque(&*router).link(id).is_some());
    if let Some(link) = opaque(&mut *router).link_mut(id) {
        commands(link);
    }
    opaque(&mut *router).handle_sibling_frame(now, view(), id);
    call!(opaque(&mut *router).remove(id).is_some());
}
