//! Pairs of connections, scripted peers, and buses that misbehave.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::thread::Thread;

use isotp_tokio::driver::{Arrival, Frame, FrameView, Instant, Interest, Taken, TxToken};
use isotp_tokio::virtual_bus::{Port, Tap, VirtualBus};
use isotp_tokio::{Address, Bus, BusError, Config, Connection, FrameKind, Id, Network};

pub(crate) fn id(value: u16) -> Id {
    Id::standard(value).unwrap()
}

pub(crate) fn address() -> Address {
    Address::normal(id(0x7E0), id(0x7E8)).unwrap()
}

/// The `n`th of many addresses.
pub(crate) fn nth_address(n: u32) -> Address {
    let id = |value| Id::extended(value).unwrap();
    Address::normal(id(0x10_0000 + n), id(0x20_0000 + n)).unwrap()
}

/// Two connections of one network that talk to each other: tester and ECU.
pub(crate) struct Pair {
    pub(crate) network: Network,
    pub(crate) bus: VirtualBus,
    pub(crate) tester: Connection,
    pub(crate) ecu: Connection,
}

pub(crate) async fn pair(tester: Config, ecu: Config) -> Pair {
    let bus = VirtualBus::default();
    let network = Network::with_bus(bus.port());
    Pair {
        tester: network.connect(address(), tester).await.unwrap(),
        ecu: network.connect(address().reversed(), ecu).await.unwrap(),
        network,
        bus,
    }
}

/// A connection, and a port that plays its peer.
pub(crate) async fn scripted(config: Config) -> (Network, Connection, Port) {
    let bus = VirtualBus::default();
    let network = Network::with_bus(bus.port());
    let connection = network.connect(address(), config).await.unwrap();
    (network, connection, bus.port())
}

/// The peer sends a frame.
pub(crate) fn play(peer: &mut Port, data: &[u8]) {
    let sent = peer.send_frame(FrameView {
        id: id(0x7E8),
        kind: FrameKind::Classic,
        data,
    });
    assert!(sent);
}

/// What the peer has received, as text.
pub(crate) fn heard(peer: &mut Port) -> Vec<String> {
    core::iter::from_fn(|| peer.try_frame())
        .map(|frame| frame.to_string())
        .collect()
}

/// Lets all tasks run until they wait for time or for each other.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Polls a future once, and drops it.
pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    poll_pinned(pin!(future))
}

/// Polls a future that is awaited later.
pub(crate) fn poll_pinned<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs a future in this thread, which is in no runtime.
pub(crate) fn outside<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let end = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let left = end.saturating_duration_since(std::time::Instant::now());
        assert!(!left.is_zero(), "not within 20 seconds");
        std::thread::park_timeout(left);
    }
}

/// A runtime that goes on while nobody is in it.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().unwrap()
}

/// All frames that cross a bus, as text.
pub(crate) fn record(bus: &VirtualBus) -> (Tap, Arc<Mutex<Vec<String>>>) {
    let frames = Arc::new(Mutex::new(Vec::new()));
    let seen = frames.clone();
    let tap = bus.tap(move |_, frame| seen.lock().unwrap().push(frame.to_string()));
    (tap, frames)
}

/// A bus that does as it is told, and counts how it is used.
#[derive(Default)]
pub(crate) struct Moody {
    pub(crate) state: Arc<Mutex<Mood>>,
}

#[derive(Default)]
pub(crate) struct Mood {
    pub(crate) full: bool,
    pub(crate) never: bool,
    pub(crate) broken: bool,
    pub(crate) offers: u32,
    pub(crate) polls: u32,
    pub(crate) dropped: bool,
    pub(crate) waker: Option<Waker>,
}

impl Mood {
    /// Something has changed.
    pub(crate) fn wake(&mut self) {
        self.waker.take().unwrap().wake();
    }
}

impl Bus for Moody {
    fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
        let mut state = self.state.lock().unwrap();
        state.offers += 1;
        Ok(match (state.full, state.never) {
            (true, _) => Taken::Later,
            (_, true) => Taken::Never,
            _ => Taken::Took,
        })
    }

    fn receive(&mut self, _: Instant, _: &mut Frame) -> Result<Option<Arrival>, BusError> {
        if self.state.lock().unwrap().broken {
            return Err(BusError::new("the cable is out; put it in"));
        }
        Ok(None)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        let mut state = self.state.lock().unwrap();
        state.polls += 1;
        state.waker = Some(cx.waker().clone());
        if state.broken {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    fn supports_fd(&self) -> bool {
        false
    }
}

impl Drop for Moody {
    fn drop(&mut self) {
        self.state.lock().unwrap().dropped = true;
    }
}
