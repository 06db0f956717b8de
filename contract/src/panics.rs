//! Code of the user's that panics.

use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::{Context, Waker};
use std::sync::Arc;
use std::task::Wake;

use futures_lite::future::pending;
use isotp_driver::{Backend, Config, Path, Payload, RxBuffer};

use crate::buses::{Cable, PULLED};
use crate::dropping::LONG;
use crate::ending::{all_that_wait, failing};
use crate::points::Begun;
use crate::world::{Pair, World, eventually};

/// A payload of the user's panics in the driver: its own network ends, and no other, though one thread may
/// drive both.
pub(crate) async fn a_panic_in_the_driver_ends_every_call_that_waits(world: World) {
    let other = world.pair(Config::default(), Config::default()).await;
    let cable = Cable::default();
    let network = world.start(cable.clone());
    let bad = network
        .connect(world.address(100), Config::default())
        .await
        .unwrap();
    let mut panics = None;
    let panic = || panics = Some(Begun::start(bad.send_from(Panics(AtomicU32::new(0)))));
    all_that_wait(&world, network, &cable, panic, "is gone").await;
    let sent = match panics.unwrap() {
        Ok(waits) => waits.end().await,
        Err(sent) => sent,
    };
    assert!(sent.unwrap_err().to_string().contains("is gone"));
    other.tester.send([1; 20]).await.unwrap();
    assert_eq!(other.ecu.recv().await.unwrap(), [1; 20]);
}

/// What is the user's may panic at the end, and keeps it from nobody: messages that are being sent or wait, and
/// a buffer, when they are dropped; tasks, when they are woken.
pub(crate) async fn a_panic_at_the_end_keeps_it_from_nobody(world: World) {
    let cable = Cable::default();
    let network = world.start(cable.clone());
    let mut config = Config::default();
    // longer than the case
    config.protocol.timing.n_bs = LONG;
    let address = world.address(100);
    let bad = network.connect_into(address, config, PanicsAtTheEnd).await;
    let bad = bad.unwrap();
    // its first frame is out, and nobody answers it
    let current = failing(bad.send_from(PanicsAtTheEnd));
    eventually(|| cable.offered() > 0).await;
    let waits = failing(bad.send_from(PanicsAtTheEnd));
    let (mut woken, mut told) = (Vec::new(), vec![current, waits]);
    let end = || {
        woken.extend([
            in_a_bad_task(bad.send([1; 9])),
            in_a_bad_task(bad.recv()),
            in_a_bad_task(bad.next_event()),
            in_a_bad_task(bad.configure(Config::uds())),
            in_a_bad_task(bad.configure(Config::uds())),
        ]);
        told.extend([
            failing(bad.send([2; 9])),
            failing(bad.recv()),
            failing(bad.configure(Config::uds())),
        ]);
        cable.pull();
    };
    all_that_wait(&world, network, &cable, end, PULLED).await;
    for told in told {
        let said = told.end().await;
        assert!(said.contains(PULLED), "{said}");
    }
}

/// So may what a handler has that runs.
pub(crate) async fn a_handler_that_panics_at_the_end_keeps_it_from_nobody(world: World) {
    let backend = Backend::bus(Path::new("contract"), Cable::default());
    let (network, stop) = (world.runner.stoppable)(backend);
    let (address, config) = (world.address(0), Config::default());
    let runs = Arc::new(AtomicBool::new(false));
    let told = runs.clone();
    let server = network.serve(address.reversed(), config.clone(), move |_, _| {
        told.store(true, Ordering::Relaxed);
        let bad = PanicsAtTheEnd;
        async move {
            let _bad = bad;
            pending().await
        }
    });
    let (server, client) = (
        server.await.unwrap(),
        network.connect(address, config).await,
    );
    client.unwrap().send([1]).await.unwrap();
    eventually(|| runs.load(Ordering::Relaxed)).await;
    let ended = Begun::new(server.ended());
    stop();
    let said = ended.end().await.to_string();
    assert!(said.contains("is gone"), "{said}");
}

/// The tasks of those who began to wait first panic when they are woken.
pub(crate) async fn a_waker_that_panics_harms_no_other(world: World) {
    let Pair { tester, ecu, .. } = world.pair(world.config(), world.config()).await;
    let received = in_a_bad_task(ecu.recv());
    let other = Begun::new(ecu.recv());
    let sent = in_a_bad_task(tester.send([1; 20]));
    assert_eq!(other.end().await.unwrap(), [1; 20]);
    tester.send([2; 20]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [2; 20]);
    sent.await;
    drop(received);
    let changes = if world.way.guarantees().timing { 9 } else { 0 };
    for _ in 0..changes {
        let mut changed = pin!(tester.configure(world.config()));
        let waker = panics_when_woken();
        // the driver may have been faster
        let _ = changed.as_mut().poll(&mut Context::from_waker(&waker));
        tester.configure(world.config()).await.unwrap();
    }
}

/// A call that began to wait in a task which panics when it is woken.
fn in_a_bad_task<'a, T>(
    call: impl Future<Output = T> + 'a,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    let mut call: Pin<Box<dyn Future<Output = ()> + 'a>> = Box::pin(async {
        call.await;
    });
    let polled = call
        .as_mut()
        .poll(&mut Context::from_waker(&panics_when_woken()));
    assert!(polled.is_pending(), "it does not wait");
    call
}

fn panics_when_woken() -> Waker {
    Waker::from(Arc::new(PanicsWhenWoken))
}

struct PanicsWhenWoken;

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

/// Panics when it is dropped.
struct PanicsAtTheEnd;

impl Drop for PanicsAtTheEnd {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

impl Payload for PanicsAtTheEnd {
    fn size(&self) -> u32 {
        9
    }

    fn copy_to(&mut self, _: u32, out: &mut [u8]) -> Option<usize> {
        Some(out.len())
    }
}

impl RxBuffer for PanicsAtTheEnd {
    fn limit(&self) -> u32 {
        9
    }

    fn start(&mut self, _: u32) {}

    fn write(&mut self, _: u32, _: &[u8]) -> bool {
        true
    }
}

/// Panics when its size is asked for the second time, which the driver does.
struct Panics(AtomicU32);

impl Payload for Panics {
    fn size(&self) -> u32 {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "on purpose");
        5
    }

    fn copy_to(&mut self, _: u32, _: &mut [u8]) -> Option<usize> {
        None
    }
}
