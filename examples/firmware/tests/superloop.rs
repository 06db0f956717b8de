//! The page of the README answers, and its loop neither loses frames nor waits for a controller.
#![allow(clippy::indexing_slicing, reason = "tests check by panicking")]

use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use embedded_can::nb::Can;
use isotp_core::{Address, Cause, Config, Event, Id, Instant, Link, NResult};
use isotp_firmware::controller::{CanFrame, Controller};
use isotp_firmware::superloop::{demo, serve, turn};

type Node = Link<Vector, Vec<u8>>;
type Vector = heapless::Vec<u8, 256>;

/// The controller of the page, which the rest of the world must reach too.
struct Shared<'a>(&'a RefCell<Controller>);

impl Can for Shared<'_> {
    type Frame = CanFrame;
    type Error = Infallible;

    fn transmit(&mut self, frame: &CanFrame) -> nb::Result<Option<CanFrame>, Infallible> {
        self.0.borrow_mut().transmit(frame)
    }

    fn receive(&mut self) -> nb::Result<CanFrame, Infallible> {
        self.0.borrow_mut().receive()
    }
}

fn node(config: Config) -> Node {
    let id = |value| Id::standard(value).unwrap();
    let address = Address::normal(id(0x7E0), id(0x7E8)).unwrap();
    Link::new(address, Box::leak(Box::new(config)), Vector::new()).unwrap()
}

/// A tester that the page's clock drives: each look at it is a millisecond.
struct Tester {
    link: Node,
    can: Controller,
    held: Option<CanFrame>,
    answers: Vec<Vec<u8>>,
}

impl Tester {
    fn turn(&mut self, ecu: &mut Controller, now: Instant) {
        let answers = &mut self.answers;
        let mut drain = |link: &mut Node, _| {
            while let Some(event) = link.poll_event() {
                if let Event::Received(message) = event {
                    answers.push(message.data().to_vec());
                }
            }
        };
        turn(
            &mut self.can,
            &mut self.held,
            &mut self.link,
            now,
            &mut drain,
        );
        self.can.pass(ecu);
        ecu.pass(&mut self.can);
    }
}

#[test]
fn the_page_answers_requests_in_one_frame_and_in_many() {
    let requests: [&[u8]; 4] = [&[0x3E, 0], &[0x22, 0xF1, 0x90], &[0x11, 1], &[0x3E, 0]];
    let tester = RefCell::new(Tester {
        link: node(Config::uds()),
        can: Controller::new(),
        held: None,
        answers: Vec::new(),
    });
    let (ecu, millis) = (RefCell::new(Controller::new()), Cell::new(0));
    let clock = || {
        let at = millis.replace(millis.get() + 1);
        let now = Instant::from_millis(at);
        let mut tester = tester.borrow_mut();
        if at % 100 == 0 {
            match requests.get(at as usize / 100) {
                Some(request) => tester.link.send(now, request.to_vec()).unwrap(),
                // the page never ends by itself
                None => resume_unwind(Box::new("the end")),
            }
        }
        tester.turn(&mut ecu.borrow_mut(), now);
        now
    };
    let ended = catch_unwind(AssertUnwindSafe(|| serve(&mut Shared(&ecu), clock)));
    assert_eq!(*ended.unwrap_err().downcast::<&str>().unwrap(), "the end");
    let answers = &tester.borrow().answers;
    let expected: [&[u8]; 3] = [&[0x7E, 0], b"\x62\xF1\x90WVWZZZ1JZ3W386752", &[0x7E, 0]];
    assert_eq!(answers, &expected, "and none to what it does not know");
}

#[test]
fn what_the_controller_hands_back_arrives() {
    let mut lines = Vec::new();
    demo(&mut |line| lines.push(line.to_string())).unwrap();
    assert_eq!(lines.len(), 3, "{lines:?}");
}

/// What the link of a loop with this controller is told, each millisecond one turn.
fn outcomes(config: Config, can: &mut impl Can, message: &[u8]) -> Vec<(u64, NResult)> {
    let (mut link, mut held, mut heard) = (node(config), None, Vec::new());
    link.send(Instant::ZERO, message.to_vec()).unwrap();
    for millis in 0..3000 {
        let mut drain = |link: &mut Node, _| {
            while let Some(event) = link.poll_event() {
                if let Event::Confirmed(result) = event {
                    heard.push((millis, result));
                }
            }
        };
        let now = Instant::from_millis(millis);
        turn(can, &mut held, &mut link, now, &mut drain);
    }
    heard
}

#[test]
fn a_controller_without_room_ends_the_message_at_n_as() {
    let mut can = Controller::new();
    let frame = embedded_can::Frame::new(embedded_can::StandardId::ZERO, &[]).unwrap();
    can.transmit(&frame).unwrap();
    let heard = outcomes(Config::uds(), &mut can, &[0; 20]);
    assert_eq!(heard, [(1000, NResult::TimeoutA)]);
}

/// Takes every frame, and hands it back at once.
struct Returning;

impl Can for Returning {
    type Frame = CanFrame;
    type Error = Infallible;

    fn transmit(&mut self, frame: &CanFrame) -> nb::Result<Option<CanFrame>, Infallible> {
        Ok(Some(frame.clone()))
    }

    fn receive(&mut self) -> nb::Result<CanFrame, Infallible> {
        Err(nb::Error::WouldBlock)
    }
}

#[test]
fn a_controller_that_hands_every_frame_back_stops_no_timer() {
    let heard = outcomes(Config::uds(), &mut Returning, &[0; 20]);
    assert_eq!(heard, [(1000, NResult::TimeoutBs)]);
}

#[test]
fn an_fd_frame_for_a_controller_without_fd_is_refused_at_once() {
    let heard = outcomes(Config::fd(64, true), &mut Controller::new(), &[0; 20]);
    assert_eq!(heard, [(0, NResult::Error(Cause::Refused))]);
}
