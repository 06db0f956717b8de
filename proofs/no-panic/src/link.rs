//! Links, over every kind of memory.

use core::ops::Deref;

use isotp_core::{Config, Link, Machine, Parameter, Payload, Prepared, RxBuffer};

use crate::memory::Make;
use crate::parts::{look, settle};
use crate::values::{address, config, frame, instant, token, view};
use crate::{call, opaque};

pub(crate) fn all() {
    shared::<&'static mut [u8], &'static [u8], [u8; 7]>();
    shared::<&'static mut [u8], [u8; 16], &'static mut [u8]>();
    shared::<heapless::Vec<u8, 64>, heapless::Vec<u8, 64>, [u8; 62]>();
    prepared::<&'static mut [u8]>();
    prepared::<heapless::Vec<u8, 64>>();
    #[cfg(feature = "alloc")]
    {
        use alloc::vec::Vec;
        use isotp_core::GrowingBuffer;
        shared::<GrowingBuffer, Vec<u8>, Vec<u8>>();
        prepared::<GrowingBuffer>();
        if let Some(config) = Option::<alloc::sync::Arc<Config>>::make() {
            link::<GrowingBuffer, Vec<u8>, _, [u8; 62]>(config);
        }
    }
}

fn shared<B, P, S>()
where
    B: RxBuffer + Make + AsRef<[u8]>,
    P: Payload + Make,
    S: AsRef<[u8]> + AsMut<[u8]> + Make,
{
    let config = config();
    link::<B, P, &Config, S>(&config);
    call!(Link::<B, P>::new(address(), Make::make(), B::make()).is_ok());
}

fn link<B, P, C, S>(config: C)
where
    B: RxBuffer + Make + AsRef<[u8]>,
    P: Payload + Make,
    C: Deref<Target = Config> + Clone,
    S: AsRef<[u8]> + AsMut<[u8]> + Make,
{
    let (spare, other) = ([S::make(), S::make()], config.clone());
    let Ok(link) = Link::<B, P, C, S>::with_spare(address(), config, B::make(), spare) else {
        return;
    };
    let mut link = opaque(link);
    while opaque(false) {
        commands(&mut link);
        machine(opaque(&mut link));
        if let Some(event) = opaque(&mut link).poll_event() {
            look(event);
        }
        call!(link.address(); link.config(); link.buffer().limit(); link.buffer_mut().limit());
        call!(opaque(&mut link).reconfigure(other.clone()).is_ok());
        call!(link.is_sending(); link.is_receiving(); link.sent(); link.received(); link.ignored());
    }
}

/// The commands of a link whose payload can be made.
pub(crate) fn commands<B, P, C, S>(link: &mut Link<B, P, C, S>)
where
    B: RxBuffer,
    P: Payload + Make,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    let now = instant();
    call!(opaque(&mut *link).send(now, P::make()).is_err());
    call!(opaque(&mut *link).send_functional(now, P::make()).is_err());
    opaque(&mut *link).answer_to(opaque(0x22));
    opaque(&mut *link).abort_send(now);
    opaque(&mut *link).abort_receive(now);
    call!(opaque(&mut *link).configure(opaque(Parameter::StMin), opaque(1)));
    call!(opaque(&mut *link).take_payload().is_some());
    call!(opaque(&mut *link).take_functional_payload().is_some());
}

/// The frame side of a link or a router.
pub(crate) fn machine(machine: &mut impl Machine) {
    let (now, mut frame) = (instant(), frame());
    opaque(&mut *machine).handle_frame(now, view());
    opaque(&mut *machine).handle_transmitted(now, token());
    opaque(&mut *machine).handle_failed(now, token());
    opaque(&mut *machine).handle_timeout(now);
    settle(opaque(&mut *machine).poll_transmit(now, &mut frame));
    call!(frame; opaque(&mut *machine).poll_timeout());
}

/// A link that keeps the memory of what it sends.
fn prepared<B: RxBuffer + Make + AsRef<[u8]>>() {
    let config = config();
    let link = Link::<B, Prepared<&'static mut [u8]>, _, [u8; 7]>::with_spare(
        address(),
        &config,
        B::make(),
        [Make::make(), Make::make()],
    );
    let Ok(link) = link else { return };
    let mut link = opaque(link);
    while opaque(false) {
        call!(opaque(&mut link).lend(Make::make()));
        if let Ok(memory) = opaque(&mut link).prepare(instant(), opaque(5)) {
            call!(memory);
        }
        call!(opaque(&mut link).send_prepared(instant()));
        commands(&mut link);
        machine(opaque(&mut link));
        if let Some(event) = opaque(&mut link).poll_event() {
            look(event);
        }
    }
}
