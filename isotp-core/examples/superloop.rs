//! A bare-metal superloop over `embedded_can::nb::Can`, with a controller in memory so that it runs anywhere.
//!
//! `turn` is all that a firmware needs. The controller has one mailbox and, like many real ones, puts a
//! frame of higher priority in it by handing back the one that was there: that frame must go out later.
//!
//! Run with: `cargo run -p isotp-core --example superloop`

use core::convert::Infallible;
use std::collections::VecDeque;

use embedded_can::nb::Can;
use isotp_core::{Address, Config, Event, Frame, FrameKind, FrameView, Id, Instant, Link, Machine};

static CONFIG: Config = Config::uds();
type Node<'a> = Link<&'a mut [u8], &'static [u8]>;

/// One turn of the loop; `held` is the frame that the controller handed back.
fn turn<C: Can>(can: &mut C, link: &mut Node<'_>, held: &mut Option<C::Frame>, now: Instant) {
    while let Ok(received) = can.receive() {
        if let Some(view) = FrameView::from_embedded_can(FrameKind::Classic, &received) {
            link.handle_frame(now, view);
            drain(link);
        }
    }
    link.handle_timeout(now);
    drain(link);
    let mut frame = Frame::new();
    loop {
        if let Some(waiting) = held.take() {
            let Ok(displaced) = can.transmit(&waiting) else {
                *held = Some(waiting);
                return;
            };
            *held = displaced;
            continue;
        }
        let Some(transmit) = link.poll_transmit(now, &mut frame) else {
            return;
        };
        let Some(wire) = frame.to_embedded_can::<C::Frame>() else {
            transmit.reject(now);
            continue;
        };
        let Ok(displaced) = can.transmit(&wire) else {
            return; // full: the link offers the frame again
        };
        transmit.commit(now);
        *held = displaced;
    }
}

/// What the application does with events.
fn drain(link: &mut Node<'_>) {
    let own = link.address().tx().id();
    while let Some(event) = link.poll_event() {
        match event {
            Event::Received(message) => println!("{own}: received {:02X?}", message.data()),
            event => println!("{own}: {event:?}"),
        }
    }
}

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?
        .with_functional_tx(Id::standard(0x7DF)?)?;
    let (mut memory, mut peer_memory) = ([0; 256], [0; 256]);
    let mut tester = Node::new(address, &CONFIG, &mut memory)?;
    let mut ecu = Node::new(address.reversed(), &CONFIG, &mut peer_memory)?;
    let (mut tester_can, mut ecu_can) = (Controller::default(), Controller::default());
    let (mut tester_held, mut ecu_held) = (None, None);

    tester.send(Instant::ZERO, b"more than one frame of data")?;
    let mut displaced = 0;
    for millis in 0..50 {
        let now = Instant::from_millis(millis);
        turn(&mut tester_can, &mut tester, &mut tester_held, now);
        if millis == 0 {
            // its id has the higher priority, and the mailbox is taken by the first frame
            tester.send_functional(now, &[0x3E, 0x80])?;
            turn(&mut tester_can, &mut tester, &mut tester_held, now);
            displaced += u32::from(tester_held.is_some());
        }
        turn(&mut ecu_can, &mut ecu, &mut ecu_held, now);
        // the bus: each mailbox empties into the other node
        ecu_can.inbox.extend(tester_can.mailbox.take());
        tester_can.inbox.extend(ecu_can.mailbox.take());
    }
    assert_eq!(
        displaced, 1,
        "the first frame was handed back, and sent later"
    );
    assert!(!tester.is_sending() && !ecu.is_receiving());
    assert!(ecu.buffer().starts_with(b"more than one frame of data"));
    Ok(())
}

/// A controller with one mailbox for frames to be sent.
#[derive(Default)]
struct Controller {
    mailbox: Option<CanFrame>,
    inbox: VecDeque<CanFrame>,
}

impl Can for Controller {
    type Frame = CanFrame;
    type Error = Infallible;

    fn transmit(&mut self, frame: &CanFrame) -> nb::Result<Option<CanFrame>, Infallible> {
        match &self.mailbox {
            Some(waiting) if waiting.id <= frame.id => Err(nb::Error::WouldBlock),
            _ => Ok(self.mailbox.replace(frame.clone())),
        }
    }

    fn receive(&mut self) -> nb::Result<CanFrame, Infallible> {
        self.inbox.pop_front().ok_or(nb::Error::WouldBlock)
    }
}

/// The frame type of that controller: what a HAL brings.
#[derive(Clone)]
struct CanFrame {
    id: embedded_can::Id,
    data: Vec<u8>,
}

impl embedded_can::Frame for CanFrame {
    fn new(id: impl Into<embedded_can::Id>, data: &[u8]) -> Option<Self> {
        (data.len() <= 8).then(|| Self {
            id: id.into(),
            data: data.to_vec(),
        })
    }

    fn new_remote(_id: impl Into<embedded_can::Id>, _dlc: usize) -> Option<Self> {
        None
    }

    fn is_extended(&self) -> bool {
        matches!(self.id, embedded_can::Id::Extended(_))
    }

    fn is_remote_frame(&self) -> bool {
        false
    }

    fn id(&self) -> embedded_can::Id {
        self.id
    }

    fn dlc(&self) -> usize {
        self.data.len()
    }

    fn data(&self) -> &[u8] {
        &self.data
    }
}
