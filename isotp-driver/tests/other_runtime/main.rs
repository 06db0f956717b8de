//! The traits fit more than one runtime and one kind of backend: a throwaway smol runtime, and a fake
//! backend of whole messages.

mod fakes;
mod smol;

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ::smol::block_on;
use isotp_driver::{
    Address, Arrival, Backend, Bus, BusError, Config, ConnectionError, Frame, Guarantees, Id,
    Instant, Interest, NResult, Network, Path, RxBuffer, SendError, Taken, TxToken,
};

use fakes::{Mirrors, Quiet};
use smol::{Hoarder, Smol};

fn address() -> Address {
    let id = |value| Id::standard(value).unwrap();
    Address::normal(id(0x7E0), id(0x7E8)).unwrap()
}

#[test]
fn two_connections_talk_under_smol() {
    for prompt in [false, true] {
        block_on(async {
            let quiet = Quiet { prompt };
            let network = Network::start(&Smol, Backend::bus(Path::new("quiet"), quiet));
            let tap = network.tap(4000).unwrap();
            let a = network.connect(address(), Config::uds()).await.unwrap();
            let b = network.connect(address().reversed(), Config::uds());
            let b = b.await.unwrap();
            a.send([7; 5000]).await.unwrap();
            assert_eq!(b.recv().await.unwrap(), [7; 5000]);
            b.send([8; 9]).await.unwrap();
            assert_eq!(a.recv().await.unwrap(), [8; 9]);
            let frames = network.statistics().frames_sent;
            network.close().await;
            assert!(matches!(b.recv().await, Err(ConnectionError::Closed)));
            let mut shown = 0;
            while let Ok(frame) = tap.recv().await {
                assert!(frame.sent);
                shown += 1;
            }
            assert_eq!(shown, frames);
        });
    }
}

#[test]
fn a_timer_of_smol_ends_a_transfer() {
    block_on(async {
        let network = Network::start(&Smol, Backend::bus(Path::new("quiet"), Quiet::default()));
        let mut config = Config::default();
        config.protocol.timing.n_bs = Duration::from_millis(20);
        let a = network.connect(address(), config).await.unwrap();
        let error = a.send([7; 50]).await.unwrap_err();
        assert_eq!(error.result(), Some(NResult::TimeoutBs));
    });
}

#[test]
fn whole_messages_go_through_the_same_connection() {
    block_on(async {
        let mirrors = Mirrors::default();
        let backend = Backend::channels(Path::new("mirror"), mirrors.clone());
        let network = Network::start(&Smol, backend);
        let a = network.connect(address(), Config::default()).await.unwrap();
        assert!(!a.guarantees().back_pressure && a.guarantees().confirmation);
        a.send([1, 2, 3]).await.unwrap();
        assert_eq!(a.recv().await.unwrap(), [1, 2, 3]);
        let failed = a.send([0xFF]).await.unwrap_err();
        assert_eq!(failed.result(), Some(NResult::TimeoutBs));
        let stuck = ::smol::future::poll_once(a.send([0xEE])).await;
        assert!(stuck.is_none());
        a.send([4]).await.unwrap();
        assert_eq!(a.recv().await.unwrap(), [4]);
        let broken = a.send([0xDE, 0xAD]).await;
        assert!(matches!(
            broken,
            Err(SendError::Connection(ConnectionError::Bus(_)))
        ));
        assert!(matches!(a.recv().await, Err(ConnectionError::Bus(_))));
        let b = network.connect(address(), Config::default()).await.unwrap();
        network.close().await;
        assert!(matches!(b.recv().await, Err(ConnectionError::Closed)));
        assert_eq!(*mirrors.0.lock().unwrap(), 2);
    });
}

#[test]
fn a_declined_link_goes_to_the_bus_and_says_why() {
    block_on(async {
        let backend =
            Backend::bus(Path::new("both"), Quiet::default()).and_channels(Mirrors::default());
        let network = Network::start(&Smol, backend);
        let padded = network.connect(address(), Config::uds()).await.unwrap();
        assert_eq!(padded.path().reason(), Some("transmit.pad_to_8"));
        assert_eq!(padded.guarantees(), Guarantees::FULL);
        let plain = network.connect(address(), Config::default()).await.unwrap();
        assert_eq!(plain.path().name(), "mirror");
    });
}

#[test]
fn a_buffer_of_the_users_goes_to_the_bus_or_is_refused() {
    static MEMORY: Mutex<[u8; 64]> = Mutex::new([0; 64]);
    struct Kept;
    impl RxBuffer for Kept {
        fn limit(&self) -> u32 {
            64
        }
        fn start(&mut self, _size: u32) {}
        fn write(&mut self, offset: u32, data: &[u8]) -> bool {
            MEMORY.lock().unwrap()[offset as usize..][..data.len()].copy_from_slice(data);
            true
        }
    }
    block_on(async {
        let backend = Backend::channels(Path::new("mirror"), Mirrors::default());
        let network = Network::start(&Smol, backend);
        let refused = network.connect_into(address(), Config::default(), Kept);
        let error = refused.await.unwrap_err().to_string();
        assert!(error.contains("buffer of the caller's"), "{error}");

        let backend =
            Backend::bus(Path::new("both"), Quiet::default()).and_channels(Mirrors::default());
        let network = Network::start(&Smol, backend);
        let kept = network.connect_into(address(), Config::default(), Kept);
        let kept = kept.await.unwrap();
        let sender = network.connect(address().reversed(), Config::uds());
        sender.await.unwrap().send([9; 50]).await.unwrap();
        assert_eq!(kept.recv().await.unwrap().size(), 50);
        assert_eq!(MEMORY.lock().unwrap()[..50], [9; 50]);
    });
}

#[test]
fn a_network_is_closed_when_its_bus_is_let_go_of() {
    for breaks in [false, true] {
        block_on(async {
            let bus = Late::default();
            let backend = Backend::bus(Path::new("late"), bus.clone());
            let network = Network::start(&Hoarder, backend);
            let connection = network.connect(address(), Config::default());
            let connection = connection.await.unwrap();
            assert_eq!(Arc::strong_count(&bus.0), 2, "the network has the bus");
            if breaks {
                bus.0.lock().unwrap().broken = true;
                let over = connection.send([1]).await;
                assert!(matches!(over, Err(SendError::Connection(_))), "{over:?}");
            } else {
                network.close().await;
            }
            assert_eq!(Arc::strong_count(&bus.0), 1, "the network is over");
        });
    }
}

/// Looks at a connection and its bus when it is woken.
struct Look {
    connection: isotp_driver::Connection,
    bus: Late,
    seen: Mutex<Vec<(bool, usize)>>,
}

impl Look {
    fn look(&self) {
        let closed = matches!(self.connection.try_recv(), Err(ConnectionError::Closed));
        let seen = (closed, Arc::strong_count(&self.bus.0));
        self.seen.lock().unwrap().push(seen);
    }
}

impl std::task::Wake for Look {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

#[test]
fn whoever_closes_a_network_hears_of_it_last() {
    block_on(async {
        let bus = Late::default();
        let backend = Backend::bus(Path::new("late"), bus.clone());
        let network = Network::start(&Smol, backend);
        let connection = network.connect(address(), Config::default());
        let look = Arc::new(Look {
            connection: connection.await.unwrap(),
            bus,
            seen: Mutex::default(),
        });
        let waker = Waker::from(look.clone());
        let mut closing = Box::pin(network.close());
        while closing
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            ::smol::future::yield_now().await;
        }
        look.look();
        // closed, and nobody has the bus but the test; also where it is seen before the wake-up
        let seen = look.seen.lock().unwrap();
        assert!(seen.iter().all(|seen| *seen == (true, 1)), "{seen:?}");
    });
}

/// A bus that confirms the frames it took only when it is told to.
#[derive(Clone, Default)]
struct Late(Arc<Mutex<LateState>>);

#[derive(Default)]
struct LateState {
    broken: bool,
    taken: VecDeque<(Frame, TxToken)>,
    confirmed: VecDeque<(Frame, TxToken)>,
    waker: Option<Waker>,
}

impl Bus for Late {
    fn try_send(&mut self, _: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        let mut state = self.0.lock().unwrap();
        if state.broken {
            return Err(BusError::new("broken"));
        }
        state.taken.push_back((frame.clone(), token));
        Ok(Taken::Took)
    }

    fn receive(&mut self, at: Instant, room: &mut Frame) -> Result<Option<Arrival>, BusError> {
        let next = self.0.lock().unwrap().confirmed.pop_front();
        Ok(next.map(|(frame, token)| {
            room.copy_from(frame.view());
            Arrival::Transmitted { at, token }
        }))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        let mut state = self.0.lock().unwrap();
        state.waker = Some(cx.waker().clone());
        if state.confirmed.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn confirms(&self) -> bool {
        true
    }
}

#[test]
fn the_successor_of_a_link_hears_its_last_frame() {
    block_on(async {
        let bus = Late::default();
        let network = Network::start(&Smol, Backend::bus(Path::new("late"), bus.clone()));
        let first = network.connect(address(), Config::default()).await.unwrap();
        first.try_send([0x3E, 0]).unwrap();
        while bus.0.lock().unwrap().taken.is_empty() {
            ::smol::future::yield_now().await;
        }
        drop(first);
        // it gets the slot of the first, and is whom the frame is for
        let second = network.connect(address().reversed(), Config::default());
        let second = second.await.unwrap();
        {
            let mut state = bus.0.lock().unwrap();
            let taken = core::mem::take(&mut state.taken);
            state.confirmed.extend(taken);
            state.waker.take().unwrap().wake();
        }
        assert_eq!(second.recv().await.unwrap(), [0x3E, 0]);
    });
}
