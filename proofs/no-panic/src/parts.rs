//! Senders, receivers and observers.

use isotp_core::pdu::Pdu;
use isotp_core::{
    Direction, Event, Observed, Observer, Payload, Prepared, Receiver, RxBuffer, Sender, StMin,
    Transmit,
};

use crate::memory::Make;
use crate::values::{address, config, flow, frame, half, instant, token, view};
use crate::{bytes, call, opaque};

pub(crate) fn all() {
    buffer::<&'static mut [u8]>();
    buffer::<heapless::Vec<u8, 64>>();
    payload::<&'static [u8]>();
    payload::<Prepared<&'static mut [u8]>>();
    sender::<&'static [u8]>();
    sender::<[u8; 16]>();
    sender::<heapless::Vec<u8, 16>>();
    receiver::<&'static mut [u8], [u8; 7]>();
    receiver::<&'static mut [u8], &'static mut [u8]>();
    receiver::<heapless::Vec<u8, 64>, [u8; 62]>();
    call!(Observer::new(address(), Make::make(), [<&mut [u8]>::make(), Make::make()]).is_ok());
    observer::<&'static mut [u8], [u8; 62]>();
    observer::<heapless::Vec<u8, 64>, &'static mut [u8]>();
    #[cfg(feature = "alloc")]
    {
        buffer::<isotp_core::GrowingBuffer>();
        payload::<alloc::vec::Vec<u8>>();
        sender::<alloc::vec::Vec<u8>>();
        receiver::<isotp_core::GrowingBuffer, alloc::vec::Vec<u8>>();
        observer::<isotp_core::GrowingBuffer, [u8; 62]>();
    }
}

/// What can be done with a frame that was offered.
pub(crate) fn settle(transmit: Option<Transmit<'_>>) {
    if let Some(transmit) = transmit {
        call!(transmit.token(); transmit.slot());
        match opaque(0) {
            0 => call!(opaque(transmit).commit(instant())),
            1 => call!(opaque(transmit).reject(instant())),
            _ => drop(opaque(transmit)),
        }
    }
}

pub(crate) fn look<B: RxBuffer + AsRef<[u8]>>(event: Event<'_, B>) {
    match opaque(event) {
        Event::Received(mut message) => {
            call!(message.data(); message.size(); message.single(); message.source());
            call!(message.is_functional(); message.buffer().is_some());
        }
        other => call!(other),
    }
}

/// In any order, and beyond what was announced.
fn buffer<B: RxBuffer + Make>() {
    let mut buffer = opaque(B::make());
    while opaque(false) {
        let (one, other) = (opaque(1), opaque(2));
        call!(opaque(&mut buffer).ready(one, other); buffer.limit());
        opaque(&mut buffer).start(one);
        call!(opaque(&mut buffer).write(other, bytes()));
    }
}

fn payload<P: Payload + Make>() {
    let (mut payload, mut memory) = (opaque(P::make()), opaque([0; 64]));
    let room = memory.get_mut(..opaque(5_usize)).unwrap_or_default();
    call!(payload.size(); payload.copy_to(opaque(1), opaque(room)); payload.contiguous());
}

fn sender<P: Payload + Make>() {
    let mut sender = opaque(Sender::<P>::new());
    loop {
        let (now, config, mut frame) = (instant(), config(), frame());
        call!(sender.send(now, half(), &config, P::make()).is_err());
        opaque(&mut sender).abort();
        call!(opaque(&mut sender).handle_flow_control(now, &config, flow()));
        opaque(&mut sender).handle_transmitted(now, &config, token());
        opaque(&mut sender).handle_failed(token());
        opaque(&mut sender).handle_timeout(now, &config);
        settle(opaque(&mut sender).poll_transmit(now, half(), &config, &mut frame));
        call!(frame; sender.poll_timeout(&config); opaque(&mut sender).poll_confirm());
        call!(opaque(&mut sender).take_payload().is_some(); sender.is_busy(); sender.sent());
        if opaque(true) {
            return;
        }
    }
}

fn receiver<B, S>()
where
    B: RxBuffer + Make + AsRef<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]> + Make,
{
    let config = config();
    let Ok(receiver) = Receiver::<B, S>::new(&config, B::make(), S::make()) else {
        return;
    };
    let (mut receiver, now, mut frame) = (opaque(receiver), instant(), frame());
    while opaque(false) {
        opaque(&mut receiver).abort();
        opaque(&mut receiver).set_block_size(opaque(1));
        opaque(&mut receiver).set_st_min(StMin::from_wire(opaque(1)));
        if let Ok(pdu) = Pdu::decode(bytes(), opaque(0), opaque(Default::default())) {
            let (len, source) = (opaque(8), opaque(1));
            call!(opaque(&mut receiver).handle_pdu(now, &config, opaque(pdu), len, source));
        }
        opaque(&mut receiver).handle_transmitted(now, &config, token());
        opaque(&mut receiver).handle_failed(now, &config, token());
        opaque(&mut receiver).handle_timeout(now, &config);
        settle(opaque(&mut receiver).poll_transmit(now, half(), &config, &mut frame));
        call!(frame; receiver.poll_timeout(&config));
        if let Some(event) = opaque(&mut receiver).poll_event() {
            look(event);
        }
        call!(receiver.buffer().limit(); receiver.buffer_mut().limit());
        call!(receiver.is_active(); receiver.received());
    }
}

fn observer<B, S>()
where
    B: RxBuffer + Make + AsRef<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]> + Make,
{
    let spare = [S::make(), S::make(), S::make(), S::make()];
    let buffers = [B::make(), B::make()];
    let config = config();
    let Ok(observer) = Observer::with_spare(address(), &config, buffers, spare) else {
        return;
    };
    let mut observer = opaque(observer);
    while opaque(false) {
        opaque(&mut observer).handle_frame(instant(), view());
        opaque(&mut observer).handle_timeout(instant());
        call!(observer.poll_timeout());
        match opaque(&mut observer).poll_event() {
            Some((_, Observed::Message(message))) => look(Event::Received(message)),
            Some(other) => call!(other),
            None => {}
        }
        let side = opaque(Direction::Tx);
        call!(observer.config(); observer.buffer(side).limit(); observer.is_receiving(side));
        call!(observer.ignored(side));
    }
}
