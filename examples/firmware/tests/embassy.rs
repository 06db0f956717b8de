//! The task for embassy on a clock that the test moves: no executor, no time that really passes.
#![allow(clippy::indexing_slicing, reason = "tests check by panicking")]

use core::cell::RefCell;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use embassy_futures::select::select;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use embassy_time::{Duration, MockDriver};
use isotp_core::{Address, Config, Event, Frame, Id, Instant, Link, NResult};
use isotp_firmware::embassy::{Read, Write, now, run};

/// The clock is one for the whole program.
static CLOCK: Mutex<()> = Mutex::new(());

static CONFIG: Config = {
    let mut config = Config::uds();
    config.receive.block_size = 4;
    config
};

/// One direction of a bus: room for two frames.
type Wire = Channel<NoopRawMutex, Frame, 2>;
type Requests = Channel<NoopRawMutex, Vec<u8>, 2>;

struct Reader<'a>(&'a Wire);

impl Read for Reader<'_> {
    async fn read(&mut self, frame: &mut Frame) -> Instant {
        *frame = self.0.receive().await;
        now()
    }
}

/// A controller that hands back every frame of which the number is listed, once, as FDCAN does.
struct Writer<'a> {
    wire: &'a Wire,
    written: u32,
    displaces: &'a [u32],
}

impl Write for Writer<'_> {
    async fn write(&mut self, frame: &Frame) -> Option<Frame> {
        self.written += 1;
        if self.displaces.contains(&self.written) {
            return Some(frame.clone());
        }
        self.wire.send(frame.clone()).await;
        None
    }
}

/// What the application of one end heard.
#[derive(Debug, Default)]
struct Heard {
    received: Vec<Vec<u8>>,
    confirmed: Vec<(u64, NResult)>,
}

/// A task with a clock at zero that is this test's alone.
fn clock() -> MutexGuard<'static, ()> {
    let guard = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    MockDriver::get().reset();
    guard
}

fn address() -> Address {
    let id = |value| Id::standard(value).unwrap();
    Address::normal(id(0x7E0), id(0x7E8)).unwrap()
}

async fn end(
    address: Address,
    wires: (&Wire, &Wire),
    requests: &Requests,
    displaces: &[u32],
    heard: &RefCell<Heard>,
) {
    let mut memory = [0; 256];
    let mut link = Link::new(address, &CONFIG, &mut memory[..]).unwrap();
    let writer = &mut Writer {
        wire: wires.1,
        written: 0,
        displaces,
    };
    let can = (&mut Reader(wires.0), writer);
    run(&mut link, can, requests.receiver(), |told| {
        let mut heard = heard.borrow_mut();
        match told.unwrap() {
            Event::Received(message) => heard.received.push(message.data().to_vec()),
            Event::Confirmed(result) => heard.confirmed.push((now().as_micros(), result)),
            _ => {}
        }
    })
    .await;
}

/// Whether the task was woken.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls the future whenever it was woken, for so long. Says how often.
fn pass(future: impl Future, millis: u64) -> u32 {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut polls = 0;
    for _ in 0..millis {
        while woken.0.swap(false, Ordering::Relaxed) {
            assert!(matches!(future.as_mut().poll(&mut context), Poll::Pending));
            polls += 1;
            assert!(polls < 1000, "the task does not come to rest");
        }
        MockDriver::get().advance(Duration::from_millis(1));
    }
    polls
}

#[test]
fn messages_go_both_ways_one_after_the_other() {
    let _clock = clock();
    let (there, back) = (Wire::new(), Wire::new());
    let (tester, ecu) = (Requests::new(), Requests::new());
    let heard = [(); 2].map(|()| RefCell::<Heard>::default());
    for (requests, len) in [(&tester, 200), (&tester, 5), (&ecu, 100)] {
        requests.try_send(vec![len as u8; len]).unwrap();
    }
    // the second frame of the tester is handed back, and one that is sent again too
    let one = end(address(), (&back, &there), &tester, &[2, 7, 8], &heard[0]);
    let two = end(address().reversed(), (&there, &back), &ecu, &[], &heard[1]);
    pass(select(one, two), 100);
    assert_eq!(heard[1].borrow().received, [vec![200; 200], vec![5; 5]]);
    assert_eq!(heard[0].borrow().received, [vec![100; 100]]);
    let confirmed = |end: &RefCell<Heard>| -> Vec<NResult> {
        end.borrow()
            .confirmed
            .iter()
            .map(|outcome| outcome.1)
            .collect()
    };
    assert_eq!(confirmed(&heard[0]), [NResult::Ok; 2]);
    assert_eq!(confirmed(&heard[1]), [NResult::Ok]);
}

/// Deadlines wake the task where no frame does.
#[test]
fn a_silent_peer_and_a_full_controller_end_a_transfer_in_time() {
    let _clock = clock();
    let (there, back, requests) = (Wire::new(), Wire::new(), Requests::new());
    let heard = RefCell::default();
    for byte in 0..2 {
        requests.try_send(vec![byte; 20]).unwrap();
    }
    // nobody takes frames from the wire: it has room for both first frames, and for no third
    let task = end(address(), (&back, &there), &requests, &[], &heard);
    let third = async {
        embassy_time::Timer::after_millis(1500).await;
        requests.send(vec![2; 20]).await;
        core::future::pending::<()>().await;
    };
    let polls = pass(select(task, third), 3500);
    assert!(polls < 20, "{polls} polls for three deadlines");
    let seconds = |at: u64| at * 1_000_000;
    let expected = [
        (seconds(1), NResult::TimeoutBs),
        (seconds(2), NResult::TimeoutBs),
        (seconds(3), NResult::TimeoutA),
    ];
    assert_eq!(heard.borrow().confirmed, expected);
}

/// Takes every frame, and hands it back at once.
struct Returning;

impl Write for Returning {
    async fn write(&mut self, frame: &Frame) -> Option<Frame> {
        Some(frame.clone())
    }
}

#[test]
fn a_controller_that_hands_every_frame_back_stops_no_timer() {
    let _clock = clock();
    let (wire, requests) = (Wire::new(), Requests::new());
    requests.try_send(vec![7; 20]).unwrap();
    let (mut memory, mut confirmed) = ([0; 256], Vec::new());
    let mut link = Link::new(address(), &CONFIG, &mut memory[..]).unwrap();
    {
        let can = (&mut Reader(&wire), &mut Returning);
        let mut task = pin!(run(&mut link, can, requests.receiver(), |told| {
            if let Event::Confirmed(result) = told.unwrap() {
                confirmed.push((now().as_micros(), result));
            }
        }));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..1500 {
            assert!(task.as_mut().poll(&mut context).is_pending());
            MockDriver::get().advance(Duration::from_millis(1));
        }
    }
    assert_eq!(confirmed, [(1_000_000, NResult::TimeoutBs)]);
}
