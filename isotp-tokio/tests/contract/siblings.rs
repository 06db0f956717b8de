//! Connections of one network hear each other.

use core::task::{Context, Poll, Waker};
use core::time::Duration;

use isotp_tokio::driver::{Arrival, Frame, Instant, Interest, Taken, TxToken};
use isotp_tokio::virtual_bus::{BitTiming, Clock, Options, VirtualBus};
use isotp_tokio::{Address, Bus, BusError, Config, Network};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_frame_never_comes_back_to_its_sender() {
    let network = Network::with_bus(VirtualBus::default().port());
    let both = |address: Address| {
        let address = address.with_functional_tx(id(0x7DF)).unwrap();
        address.with_functional_rx(id(0x7DF)).unwrap()
    };
    let tester = network.connect(both(address()), Config::default());
    let tester = tester.await.unwrap();
    let ecu = network.connect(both(nth_address(0)), Config::default());
    let ecu = ecu.await.unwrap();
    tester.send_functional([0x3E]).await.unwrap();
    settle().await;
    assert_eq!(ecu.try_recv().unwrap().unwrap(), [0x3E]);
    assert_eq!(tester.try_recv().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_sibling_hears_a_frame_when_it_is_confirmed() {
    let clock = Clock::Timed(BitTiming::new(20_000, 20_000).unwrap());
    let bus = VirtualBus::new(Options {
        clock,
        ..Options::default()
    });
    let network = Network::with_bus(bus.port());
    let tester = network.connect(address(), Config::default()).await.unwrap();
    let ecu = network.connect(address().reversed(), Config::default());
    let ecu = ecu.await.unwrap();
    tester.try_send([1]).unwrap();
    settle().await;
    assert_eq!(tester.queued(), 1, "it is on its way");
    assert_eq!(ecu.try_recv().unwrap(), None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(tester.queued(), 0);
    assert_eq!(ecu.try_recv().unwrap().unwrap(), [1]);
}

/// Takes every frame, and says later that it failed, so many times; then that it is sent.
struct Failing {
    failures: u32,
    taken: Option<(Frame, TxToken)>,
    waker: Option<Waker>,
}

impl Bus for Failing {
    fn try_send(&mut self, _: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        if self.taken.is_some() {
            return Ok(Taken::Later);
        }
        let mut copy = Frame::new();
        copy.clone_from(frame);
        self.taken = Some((copy, token));
        self.waker.take().into_iter().for_each(Waker::wake);
        Ok(Taken::Took)
    }

    fn receive(&mut self, at: Instant, room: &mut Frame) -> Result<Option<Arrival>, BusError> {
        let Some((frame, token)) = self.taken.take() else {
            return Ok(None);
        };
        *room = frame;
        if self.failures == 0 {
            return Ok(Some(Arrival::Transmitted { at, token }));
        }
        self.failures -= 1;
        Ok(Some(Arrival::Failed { at, token }))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        if self.taken.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn confirms(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_failed_reaches_no_sibling() {
    for failures in 0..4 {
        let network = Network::with_bus(Failing {
            failures,
            taken: None,
            waker: None,
        });
        let tester = network.connect(address(), Config::default()).await.unwrap();
        let ecu = network.connect(address().reversed(), Config::default());
        let ecu = ecu.await.unwrap();
        tester.send([1]).await.unwrap();
        settle().await;
        assert_eq!(ecu.try_recv().unwrap().unwrap(), [1]);
        assert_eq!(ecu.try_recv().unwrap(), None, "{failures} failures");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_the_bus_never_takes_reaches_no_sibling() {
    let bus = Moody::default();
    bus.state.lock().unwrap().never = true;
    let network = Network::with_bus(bus);
    let tester = network.connect(address(), Config::default()).await.unwrap();
    let ecu = network.connect(address().reversed(), Config::default());
    let ecu = ecu.await.unwrap();
    tester.send([1]).await.unwrap_err();
    settle().await;
    assert_eq!(ecu.try_recv().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn one_connection_receives_from_any_source_and_answers_whom_it_wants() {
    let network = Network::with_bus(VirtualBus::default().port());
    let open = |address: Address| network.connect(address, Config::default());
    let ecu = Address::normal_fixed(0x10, 0xF1).and_then(Address::with_any_source);
    let ecu = open(ecu.unwrap()).await.unwrap();
    let mut testers = Vec::new();
    for source in [0xF1, 0xF2, 0xF3] {
        let address = Address::normal_fixed(source, 0x10).unwrap();
        testers.push(open(address).await.unwrap());
    }
    for (tester, byte) in testers.iter().zip(1..) {
        tester.send([byte; 30]).await.unwrap();
    }
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.push(ecu.recv().await.unwrap());
    }
    // the last to ask is the first to be answered, and the others are not forgotten
    for request in requests.iter().rev() {
        ecu.send_to(request.source(), request.to_vec())
            .await
            .unwrap();
    }
    for (tester, byte) in testers.iter().zip(1..) {
        assert_eq!(tester.recv().await.unwrap(), [byte; 30]);
        assert_eq!(tester.try_recv().unwrap(), None);
    }
}
