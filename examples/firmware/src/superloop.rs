//! A superloop over `embedded_can::nb::Can`: a link, a controller, and nothing else.
//!
//! Take [`turn`] as it is, and call it as often as you like, at the latest when the link's deadline is
//! due. It takes whatever frames there are and offers what the link wants to send. [`serve`] is a whole
//! program with it.
//!
//! # Why not `embedded_can::blocking::Can`
//! Its `receive` comes back when a frame has arrived, and its `transmit` when a frame is sent. A link has
//! deadlines while no frame comes (a lost flow control must end the transfer after N_Bs) and while none
//! goes (a controller that is bus-off must end it after N_As). A loop that stands in such a call serves
//! none of them, so a lost frame would hang it for ever.

mod demo;

pub use demo::{Node, demo};

// begin: page
use core::convert::Infallible;

use embedded_can::nb::Can;
use isotp_core::{Address, Config, Event, Frame, FrameKind, FrameView, Id, Instant, Link, Machine};

static CONFIG: Config = Config::uds();

/// An ECU with a controller and a clock: it listens on 7E0, answers on 7E8, and never ends. `None`
/// would be a setting that is refused.
pub fn serve<C: Can>(can: &mut C, now: impl Fn() -> Instant) -> Option<Infallible> {
    let (tx_id, rx_id) = (Id::standard(0x7E8).ok()?, Id::standard(0x7E0).ok()?);
    let address = Address::normal(tx_id, rx_id).ok()?;
    let mut memory = [0; 512]; // as long as the longest message that it receives
    let mut link = Link::with_spare(address, &CONFIG, &mut memory[..], [[0; 7]; 2]).ok()?;
    let mut held = None;
    loop {
        turn(can, &mut held, &mut link, now(), &mut |link, now| {
            let mut answer: Option<&'static [u8]> = None;
            while let Some(event) = link.poll_event() {
                if let Event::Received(message) = event {
                    answer = match message.data() {
                        [0x3E, 0x00] => Some(&[0x7E, 0x00]), // tester present
                        [0x22, 0xF1, 0x90] => Some(b"\x62\xF1\x90WVWZZZ1JZ3W386752"), // the VIN
                        _ => None,
                    };
                }
            }
            if let Some(answer) = answer {
                let _ = link.send(now, answer); // refused while the answer before is on its way
            }
        });
    }
}

/// One turn of the loop. `held` is the frame that the controller handed back, at first `None`; `drain`
/// takes the link's events, and may send.
pub fn turn<C: Can, L: Machine>(
    can: &mut C,
    held: &mut Option<C::Frame>,
    link: &mut L,
    now: Instant,
    drain: &mut impl FnMut(&mut L, Instant),
) {
    while let Ok(received) = can.receive() {
        if let Some(view) = FrameView::from_embedded_can(FrameKind::Classic, &received) {
            link.handle_frame(now, view);
            drain(link, now);
        }
    }
    link.handle_timeout(now);
    drain(link, now);
    if let Some(back) = held.take() {
        *held = can.transmit(&back).unwrap_or(Some(back)); // committed: it goes out first
    }
    let mut frame = Frame::new();
    while held.is_none()
        && let Some(offer) = link.poll_transmit(now, &mut frame)
    {
        match frame.to_embedded_can().map(|wire| can.transmit(&wire)) {
            None => offer.reject(now), // an FD frame, for a controller without FD
            Some(Err(_)) => return,    // full, or off the bus: the link offers the frame again
            Some(Ok(displaced)) => {
                *held = displaced;
                offer.commit(now);
            }
        }
        drain(link, now);
    }
}
// end: page
