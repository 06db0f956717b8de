//! Code of the user's that panics.

use core::sync::atomic::{AtomicU32, Ordering};

use isotp_driver::{Config, Payload};

use crate::buses::{Cable, PULLED};
use crate::ending::{all_that_wait, failing};
use crate::points::Begun;
use crate::world::World;

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

/// A message that is still queued is dropped at the end, and is the user's: its panic keeps the end from
/// nobody.
pub(crate) async fn a_panic_at_the_end_keeps_it_from_nobody(world: World) {
    let cable = Cable::default();
    let network = world.start(cable.clone());
    let bad = network
        .connect(world.address(100), Config::default())
        .await
        .unwrap();
    let mut sent = None;
    let end = || {
        let first = failing(bad.send([1; 9]));
        // waits for its turn
        sent = Some([first, failing(bad.send_from(PanicsAtTheEnd))]);
        cable.pull();
    };
    all_that_wait(&world, network, &cable, end, PULLED).await;
    for sent in sent.unwrap() {
        let said = sent.end().await;
        assert!(said.contains(PULLED), "{said}");
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
        5
    }

    fn copy_to(&mut self, _: u32, _: &mut [u8]) -> Option<usize> {
        None
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
