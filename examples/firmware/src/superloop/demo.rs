//! Two superloops on one bus.

use core::fmt;

use isotp_core::{Address, Config, Event, Id, Instant, Link};

use super::turn;
use crate::controller::Controller;

static CONFIG: Config = Config::uds();
const MESSAGE: &[u8] = b"more than one frame of data";
const ANSWER: &[u8] = b"and as many in return";

/// A link of a small ECU: messages to be sent lie in flash, received ones in memory of the caller.
pub type Node<'a> = Link<&'a mut [u8], &'static [u8], &'static Config, [u8; 7]>;

/// A tester sends a segmented and a functional message, the ECU answers. Says what arrives.
///
/// # Errors
/// What did not come to pass.
pub fn demo(show: &mut dyn FnMut(fmt::Arguments<'_>)) -> Result<(), &'static str> {
    let address = address().ok_or("an address was refused")?;
    let (mut memory, mut peer_memory) = ([0; 256], [0; 256]);
    let node = |address, memory| Node::with_spare(address, &CONFIG, memory, [[0; 7]; 2]);
    let tester = node(address, &mut memory[..]);
    let mut tester = tester.map_err(|_| "the configuration was refused")?;
    let ecu = node(address.reversed(), &mut peer_memory[..]);
    let mut ecu = ecu.map_err(|_| "the configuration was refused")?;
    let (mut tester_can, mut ecu_can) = (Controller::new(), Controller::new());
    let (mut tester_held, mut ecu_held) = (None, None);
    let mut received = 0;
    let mut drain = |link: &mut Node<'_>, now| {
        let own = link.address().tx().id();
        let mut answer = false;
        while let Some(event) = link.poll_event() {
            if let Event::Received(message) = event {
                let text = core::str::from_utf8(message.data()).unwrap_or("no text");
                show(format_args!("{own} received {text:?}"));
                received += 1;
                answer = message.data() == MESSAGE;
            }
        }
        if answer && link.send(now, ANSWER).is_err() {
            show(format_args!("{own} cannot answer"));
        }
    };

    let sent = tester.send(Instant::ZERO, MESSAGE);
    sent.map_err(|_| "the message was refused")?;
    for millis in 0..50 {
        let now = Instant::from_millis(millis);
        turn(
            &mut tester_can,
            &mut tester_held,
            &mut tester,
            now,
            &mut drain,
        );
        if millis == 0 {
            // its id has the higher priority, and the mailbox is taken by the first frame
            let sent = tester.send_functional(now, b"to all");
            sent.map_err(|_| "the functional message was refused")?;
            turn(
                &mut tester_can,
                &mut tester_held,
                &mut tester,
                now,
                &mut drain,
            );
        }
        turn(&mut ecu_can, &mut ecu_held, &mut ecu, now, &mut drain);
        tester_can.pass(&mut ecu_can);
        ecu_can.pass(&mut tester_can);
    }
    match (received, tester_can.displaced()) {
        (3, 1) => Ok(()),
        (3, _) => Err("expected the controller to hand one frame back"),
        _ => Err("expected three messages"),
    }
}

/// The tester's.
fn address() -> Option<Address> {
    let id = |value| Id::standard(value).ok();
    let address = Address::normal(id(0x7E0)?, id(0x7E8)?).ok()?;
    address.with_functional_tx(id(0x7DF)?).ok()
}
