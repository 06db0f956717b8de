use core::time::Duration;
use std::sync::Arc;

use isotp_tokio::virtual_bus::{BitTiming, Clock, Options, VirtualBus};
use isotp_tokio::{Cause, Config, Event, NResult, Network, Payload, StMin};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n_bs_expires_when_nobody_answers() {
    let (_network, connection, _peer) = scripted(Config::default()).await;
    let start = tokio::time::Instant::now();
    let error = connection.send([0; 20]).await.unwrap_err();
    assert_eq!(error.result(), Some(NResult::TimeoutBs));
    let elapsed = start.elapsed().as_millis();
    assert!((1000..=1002).contains(&elapsed), "{elapsed} ms");
}

#[tokio::test(start_paused = true)]
async fn n_cr_expires_when_the_sender_falls_silent() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    let start = tokio::time::Instant::now();
    play(&mut peer, &[0x10, 20, 1, 2, 3, 4, 5, 6]);
    let first = connection.next_event().await.unwrap();
    assert_eq!(
        first,
        Event::FirstFrame {
            size: 20,
            source: 0xE8
        }
    );
    assert_eq!(start.elapsed().as_millis(), 0);
    let failed = connection.next_event().await.unwrap();
    assert_eq!(failed, Event::Failed(NResult::TimeoutCr));
    let elapsed = start.elapsed().as_millis();
    assert!((1000..=1002).contains(&elapsed), "{elapsed} ms");
}

#[tokio::test(start_paused = true)]
async fn n_as_expires_when_the_bus_stays_full_and_nothing_spins() {
    let bus = Moody::default();
    let state = Arc::clone(&bus.state);
    state.lock().unwrap().full = true;
    let network = Network::with_bus(bus);
    let connection = network.connect(address(), Config::default()).await.unwrap();
    let error = connection.send([1]).await.unwrap_err();
    assert_eq!(error.result(), Some(NResult::TimeoutA));
    let offers = state.lock().unwrap().offers;
    assert!(offers <= 4, "offered {offers} times");
}

#[tokio::test(start_paused = true)]
async fn an_idle_network_is_never_woken() {
    let bus = Moody::default();
    let state = Arc::clone(&bus.state);
    let network = Network::with_bus(bus);
    let _connection = network.connect(address(), Config::default()).await.unwrap();
    settle().await;
    let polls = state.lock().unwrap().polls;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    settle().await;
    assert_eq!(state.lock().unwrap().polls, polls);
}

#[tokio::test(start_paused = true)]
async fn st_min_is_kept() {
    let mut config = Config::default();
    config.protocol.receive.st_min = StMin::at_least(Duration::from_millis(10)).unwrap();
    let Pair { tester, ecu, .. } = pair(Config::default(), config).await;
    let start = tokio::time::Instant::now();
    // first frame, then five consecutive frames: four gaps
    tester.send([0; 41]).await.unwrap();
    ecu.recv().await.unwrap();
    let elapsed = start.elapsed().as_millis();
    assert!((40..=48).contains(&elapsed), "{elapsed} ms");
}

struct Dry;

impl Payload for Dry {
    fn size(&self) -> u32 {
        100
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        (offset < 20).then_some(out.len())
    }
}

#[tokio::test(start_paused = true)]
async fn n_cs_expires_when_a_source_runs_dry() {
    let Pair { tester, ecu, .. } = pair(Config::default(), Config::default()).await;
    let error = tester.send_from(Dry).await.unwrap_err();
    assert_eq!(error.result(), Some(NResult::Error(Cause::NoData)));
    tester.send([7; 30]).await.unwrap();
    assert_eq!(ecu.recv().await.unwrap(), [7; 30]);
}

#[tokio::test(start_paused = true)]
async fn a_timed_bus_takes_as_long_as_its_bits() {
    let clock = Clock::Timed(BitTiming::new(20_000, 20_000).unwrap());
    let bus = VirtualBus::new(Options {
        clock,
        ..Options::default()
    });
    let network = Network::with_bus(bus.port());
    let tester = network.connect(address(), Config::default()).await.unwrap();
    let other = Network::with_bus(bus.port());
    let ecu = other.connect(address().reversed(), Config::default());
    let ecu = ecu.await.unwrap();
    let start = tokio::time::Instant::now();
    let (sent, received) = tokio::join!(tester.send([0x55; 200]), ecu.recv());
    sent.unwrap();
    assert_eq!(received.unwrap(), [0x55; 200]);
    let (elapsed, busy) = (start.elapsed(), bus.stats().busy);
    // 30 frames of 4 to 7 ms; tokio's timers are late by up to 2 ms a frame
    assert!(
        elapsed >= busy - Duration::from_millis(1),
        "{elapsed:?} {busy:?}"
    );
    assert!(
        elapsed < busy + Duration::from_millis(100),
        "{elapsed:?} {busy:?}"
    );
}
