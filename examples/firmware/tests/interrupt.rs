//! The task runs only when it is woken, the interrupt only when something happened to the controller:
//! whatever arrives, arrives with that alone.
#![allow(clippy::indexing_slicing, reason = "tests check by panicking")]

use core::convert::Infallible;

use embedded_can::nb::Can;
use isotp_core::{Address, Config, Confirmation, Event, Id, Instant, Link, Machine as _, NResult};
use isotp_firmware::controller::{CanFrame, Controller};
use isotp_firmware::interrupt::{Handler, Queues, Task};

type Vector = heapless::Vec<u8, 256>;

/// The firmware of one end.
struct Node<'a> {
    can: Controller,
    handler: Handler<'a, CanFrame>,
    task: Task<'a>,
    link: Link<Vector, Vec<u8>>,
    /// The interrupt is pending, the task was woken.
    pending: bool,
    woken: bool,
    received: Vec<Vec<u8>>,
    confirmed: Vec<NResult>,
}

fn config() -> &'static Config {
    let mut config = Config::uds();
    config.confirmation = Confirmation::Reported;
    config.receive.block_size = 3;
    Box::leak(Box::new(config))
}

fn address() -> Address {
    let id = |value| Id::standard(value).unwrap();
    let address = Address::normal(id(0x7E0), id(0x7E8)).unwrap();
    address.with_functional_tx(id(0x7DF)).unwrap()
}

impl<'a> Node<'a> {
    fn new(address: Address, queues: &'a mut Queues) -> Self {
        let (handler, task) = queues.split();
        Self {
            can: Controller::new(),
            handler,
            task,
            link: Link::new(address, config(), Vector::new()).unwrap(),
            pending: false,
            woken: false,
            received: Vec::new(),
            confirmed: Vec::new(),
        }
    }

    fn send(&mut self, now: Instant, message: Vec<u8>) {
        self.link.send(now, message).unwrap();
        self.woken = true;
    }

    /// Runs what has a reason to run, until nothing has.
    fn run(&mut self, now: Instant) {
        let mut turns = 0;
        loop {
            let due = self.link.poll_timeout().is_some_and(|next| next.at <= now);
            if core::mem::take(&mut self.pending) {
                self.woken |= self.handler.interrupt(&mut self.can, now);
            } else if core::mem::take(&mut self.woken) || due {
                let (received, confirmed) = (&mut self.received, &mut self.confirmed);
                self.pending |= self.task.run(&mut self.link, now, &mut |link, _| {
                    while let Some(event) = link.poll_event() {
                        match event {
                            Event::Received(message) => received.push(message.data().to_vec()),
                            Event::Confirmed(result) | Event::FunctionalConfirmed(result) => {
                                confirmed.push(result);
                            }
                            _ => {}
                        }
                    }
                });
            } else {
                return;
            }
            turns += 1;
            assert!(turns < 20, "interrupt and task keep each other awake");
        }
    }
}

/// Both run for so many milliseconds; a frame takes one.
fn run(a: &mut Node<'_>, b: &mut Node<'_>, millis: core::ops::Range<u64>, connected: bool) {
    for millis in millis {
        let now = Instant::from_millis(millis);
        a.run(now);
        b.run(now);
        if connected {
            let crossed = [a.can.pass(&mut b.can), b.can.pass(&mut a.can)];
            // a reception for one is a free mailbox for the other
            let any = crossed.iter().any(Option::is_some);
            a.pending |= any;
            b.pending |= any;
        }
    }
}

#[test]
fn messages_arrive_both_ways_by_wake_ups_alone() {
    let (mut one, mut two) = (Queues::new(), Queues::new());
    let mut a = Node::new(address(), &mut one);
    let mut b = Node::new(address().reversed(), &mut two);
    let message = |len: usize| (0..len).map(|index| index as u8).collect::<Vec<u8>>();
    a.send(Instant::ZERO, message(200));
    b.send(Instant::ZERO, message(150));
    run(&mut a, &mut b, 0..200, true);
    assert_eq!(b.received, [message(200)]);
    assert_eq!(a.received, [message(150)]);
    assert_eq!(
        (&a.confirmed, &b.confirmed),
        (&vec![NResult::Ok], &vec![NResult::Ok])
    );
    assert_eq!(a.handler.lost() + b.handler.lost(), 0);
}

#[test]
fn a_frame_that_was_handed_back_goes_out() {
    let (mut one, mut two) = (Queues::new(), Queues::new());
    let mut a = Node::new(address(), &mut one);
    let mut b = Node::new(address().reversed(), &mut two);
    a.send(Instant::ZERO, vec![7; 20]);
    a.run(Instant::ZERO);
    a.link.send_functional(Instant::ZERO, vec![1]).unwrap();
    a.woken = true;
    a.run(Instant::ZERO);
    assert_eq!(a.can.displaced(), 1);
    run(&mut a, &mut b, 0..50, true);
    assert_eq!(b.received, [vec![1], vec![7; 20]]);
    assert_eq!(a.confirmed, [NResult::Ok, NResult::Ok]);
}

/// The deadline is the only thing that wakes a task whose peer says nothing.
#[test]
fn a_silent_peer_ends_the_transfer_at_n_bs_and_a_dead_bus_at_n_as() {
    let (mut one, mut two) = (Queues::new(), Queues::new());
    let mut a = Node::new(address(), &mut one);
    let mut b = Node::new(address().reversed(), &mut two);
    a.send(Instant::ZERO, vec![7; 20]);
    run(&mut a, &mut b, 0..1500, false);
    assert_eq!(
        a.confirmed,
        [NResult::TimeoutBs],
        "the mailbox took the frame"
    );
    a.send(Instant::from_millis(1500), vec![8; 20]);
    run(&mut a, &mut b, 1500..3000, false);
    assert_eq!(a.confirmed[1..], [NResult::TimeoutA], "it is still there");
    // the bus is back: what was in the mailbox is stale, and the next message goes through
    run(&mut a, &mut b, 3000..4500, true);
    a.send(Instant::from_millis(4500), vec![9; 20]);
    run(&mut a, &mut b, 4500..4600, true);
    assert_eq!(a.confirmed[2..], [NResult::Ok]);
    assert_eq!(b.received, [vec![9; 20]]);
}

#[test]
fn frames_that_a_slow_task_leaves_are_counted() {
    let (mut one, mut two) = (Queues::new(), Queues::new());
    let mut a = Node::new(address(), &mut one);
    let mut b = Node::new(address().reversed(), &mut two);
    for number in 0..20 {
        a.link.send(Instant::ZERO, vec![number]).unwrap();
        a.woken = true;
        a.run(Instant::ZERO);
        a.can.pass(&mut b.can).unwrap();
        b.handler.interrupt(&mut b.can, Instant::ZERO);
        a.pending = true;
        a.run(Instant::ZERO);
    }
    assert_eq!(b.handler.lost(), 5);
    b.woken = true;
    b.run(Instant::ZERO);
    assert_eq!(b.received.len(), 15);
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
fn a_controller_that_hands_every_frame_back_holds_up_no_interrupt() {
    let mut queues = Queues::new();
    let (mut handler, mut task) = queues.split();
    let mut link = Link::<_, Vec<u8>>::new(address(), config(), Vector::new()).unwrap();
    link.send(Instant::ZERO, vec![7; 20]).unwrap();
    let mut confirmed = Vec::new();
    for millis in 0..1500 {
        let now = Instant::from_millis(millis);
        task.run(&mut link, now, &mut |link, _| {
            while let Some(event) = link.poll_event() {
                if let Event::Confirmed(result) = event {
                    confirmed.push((millis, result));
                }
            }
        });
        handler.interrupt(&mut Returning, now);
    }
    assert_eq!(confirmed, [(1000, NResult::TimeoutBs)]);
}
