//! Timers and the clock.

use core::time::Duration;

use isotp_core::{Config, Instant, Machine as _, Payload, Timer};

use crate::node::{Node, counting, reported, tester};

/// A payload of which only so many bytes are there yet.
#[derive(Debug)]
struct Trickle {
    size: u32,
    here: std::rc::Rc<core::cell::Cell<usize>>,
}

impl Payload for Trickle {
    fn size(&self) -> u32 {
        self.size
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let offset = offset as usize;
        let len = self.here.get().checked_sub(offset)?.min(out.len());
        for (index, byte) in out.iter_mut().enumerate().take(len) {
            *byte = (offset + index) as u8;
        }
        Some(len)
    }
}

fn trickling(here: usize) -> (Node<Trickle>, std::rc::Rc<core::cell::Cell<usize>>) {
    let mut config = Config::new();
    config.timing.n_cs = Duration::from_millis(50);
    let mut node = Node::new(tester(), &config);
    let cell = std::rc::Rc::new(core::cell::Cell::new(here));
    let payload = Trickle {
        size: 20,
        here: cell.clone(),
    };
    node.request(0, payload);
    (node, cell)
}

/// `TIM-08`: N_Cs ends a transfer whose payload has no bytes, with N_ERROR.
#[test]
fn n_cs_ends_a_transfer_without_data() {
    let (mut node, _) = trickling(6);
    assert_eq!(node.sent(0), ["7E0#1014000102030405"]);
    node.receive(1000, "7E8#300000");
    assert_eq!(node.sent(1000), [""; 0]);
    let timeout = node.link.poll_timeout().unwrap();
    assert_eq!(
        (timeout.timer, timeout.at),
        (Timer::NCs, Instant::from_micros(51_000))
    );
    node.pass_time(50_999);
    assert_eq!(node.events(), [""; 0]);
    node.pass_time(51_000);
    assert_eq!(node.events(), ["cfm N_ERROR"]);
    assert_eq!(node.deadline(), None);
}

/// `TIM-08`: bytes that come within N_Cs go out, in whole frames only.
#[test]
fn bytes_that_come_in_time_are_sent() {
    let (mut node, here) = trickling(0);
    assert_eq!(node.sent(0), [""; 0]);
    here.set(6);
    assert_eq!(node.sent(40_000), ["7E0#1014000102030405"]);
    node.receive(41_000, "7E8#300000");
    here.set(12);
    assert_eq!(
        node.sent(42_000),
        [""; 0],
        "seven bytes make a frame, six are here"
    );
    here.set(13);
    assert_eq!(node.sent(43_000), ["7E0#21060708090A0B0C"]);
    here.set(20);
    assert_eq!(node.sent(44_000), ["7E0#220D0E0F10111213"]);
    assert_eq!(node.events(), ["cfm N_OK"]);
}

/// `TIM-02`: the deadline is exposed, with the timer that it belongs to, in every state.
#[test]
fn the_next_deadline_and_its_timer_are_told() {
    let mut config = reported();
    config.timing.n_as = Duration::from_micros(10);
    config.timing.n_ar = Duration::from_micros(20);
    config.timing.n_bs = Duration::from_micros(30);
    config.timing.n_br = Duration::from_micros(40);
    config.timing.n_cr = Duration::from_micros(60);
    config.receive.max_wait = 1;
    let mut node = Node::new(tester(), &config);
    let told = |node: &Node, timer, at| {
        let timeout = node.link.poll_timeout().unwrap();
        assert_eq!((timeout.timer, timeout.at.as_micros()), (timer, at));
    };
    assert_eq!(node.link.poll_timeout(), None);
    node.request(100, counting(20));
    told(&node, Timer::NAs, 110);
    node.sent(101);
    told(&node, Timer::NAs, 110);
    node.confirm(105);
    told(&node, Timer::NBs, 135);
    node.receive(110, "7E8#3000F1");
    node.sent(110);
    told(&node, Timer::NAs, 120);
    node.confirm(115);
    told(&node, Timer::StMin, 215);
    node.link.abort_send(Instant::from_micros(116));
    node.events();
    assert_eq!(node.link.poll_timeout(), None);
    node.link.buffer_mut().is_ready = false;
    node.receive(200, "7E8#100A000102030405");
    told(&node, Timer::NBr, 240);
    node.pass_time(240);
    told(&node, Timer::NAr, 260);
    node.link.buffer_mut().is_ready = true;
    node.sent(245);
    node.confirm(250);
    told(&node, Timer::NCr, 310);
    node.pass_time(310);
    assert_eq!(node.events(), ["ff 10", "ind! N_TIMEOUT_Cr"]);
    assert_eq!(node.link.poll_timeout(), None);
}

/// `TIM-02`: a timeout that is polled late is reported then, once, and later deadlines move on.
#[test]
fn a_jump_of_an_hour_leaves_no_deadline_behind() {
    let mut node = Node::new(tester(), &Config::new());
    node.receive(0, "7E8#100A000102030405");
    node.request(0, counting(20));
    node.sent(0);
    node.events();
    node.pass_time(3_600_000_000);
    let mut events = node.events();
    events.sort();
    assert_eq!(events, ["cfm N_TIMEOUT_Bs", "ind! N_TIMEOUT_Cr"]);
    assert_eq!(node.deadline(), None);
    node.pass_time(3_600_000_001);
    assert_eq!(node.events(), [""; 0]);
}

/// `TIM-09`: a frame that is stamped before the deadline wins, although the clock has passed it.
#[test]
fn a_frame_delivered_before_the_poll_wins_over_the_deadline() {
    let mut node = Node::<Vec<u8>>::new(tester(), &Config::new());
    node.receive(0, "7E8#100A000102030405");
    node.sent(0);
    node.receive(999_999, "7E8#2106070809");
    node.pass_time(5_000_000);
    assert_eq!(node.events(), ["ff 10", "ind 00010203040506070809"]);
}

/// `TIM-01`: a clock that runs backward is held, timers fire by the latest time seen.
#[test]
fn a_clock_that_runs_backward_is_held() {
    let mut node = Node::new(tester(), &Config::new());
    node.pass_time(5_000_000);
    node.request(1_000_000, counting(20));
    assert_eq!(node.deadline(), Some(6_000_000));
    node.sent(0);
    node.pass_time(5_999_999);
    assert_eq!(node.events(), [""; 0]);
    node.pass_time(6_000_000);
    assert_eq!(node.events(), ["cfm N_TIMEOUT_Bs"]);
}
