//! STmin on the clock of the system. What a busy machine adds has no bound, so that only the least is
//! asked of single gaps, and of the middle one that it is not a tick of tokio's late.

use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::time::Instant as StdInstant;

use isotp_tokio::driver::Instant;
use isotp_tokio::{Config, StMin};

use crate::support::*;

/// The times between consecutive frames: by the driver's clock, sorted, and in the mean by the system's.
struct Gaps {
    sorted: Vec<Duration>,
    mean: Duration,
}

impl Gaps {
    fn median(&self) -> Duration {
        self.sorted[self.sorted.len() / 2]
    }
}

/// Sends 201 consecutive frames at an STmin.
async fn gaps(st_min: Duration) -> Gaps {
    let mut config = Config::default();
    config.protocol.receive.st_min = StMin::at_least(st_min).unwrap();
    let Pair {
        tester, ecu, bus, ..
    } = pair(Config::default(), config).await;
    let times: Arc<Mutex<Vec<(Instant, StdInstant)>>> = Arc::default();
    let seen = times.clone();
    let _tap = bus.tap(move |at, _| seen.lock().unwrap().push((at, StdInstant::now())));
    let sent = tokio::time::timeout(Duration::from_secs(60), tester.send([0x55; 6 + 201 * 7]));
    sent.await.expect("sent within a minute").unwrap();
    ecu.recv().await.unwrap();
    // a first frame and a flow control come before
    let times = times.lock().unwrap().split_off(2);
    assert_eq!(times.len(), 201);
    let gap = |pair: &[(Instant, StdInstant)]| pair[1].0.saturating_duration_since(pair[0].0);
    let mut sorted: Vec<_> = times.windows(2).map(gap).collect();
    sorted.sort();
    let mean = (times[200].1 - times[0].1) / 200;
    println!(
        "STmin {st_min:?}: least {:?}, median {:?}, mean {mean:?}",
        sorted[0], sorted[100]
    );
    Gaps { sorted, mean }
}

#[tokio::test]
async fn an_st_min_below_a_millisecond_is_kept() {
    for n in 1..=9 {
        let st_min = Duration::from_micros(100 * n);
        let gaps = gaps(st_min).await;
        assert!(gaps.sorted[0] >= st_min, "{:?}", gaps.sorted[0]);
        assert!(gaps.mean >= st_min, "{:?}", gaps.mean);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_st_min_of_100_microseconds_is_no_millisecond() {
    let median = gaps(Duration::from_micros(100)).await.median();
    assert!(median < Duration::from_micros(900), "{median:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_st_min_of_a_millisecond_is_not_two() {
    let gaps = gaps(Duration::from_millis(1)).await;
    assert!(
        gaps.sorted[0] >= Duration::from_millis(1),
        "{gaps:?}",
        gaps = gaps.sorted
    );
    assert!(
        gaps.median() < Duration::from_micros(1800),
        "{:?}",
        gaps.median()
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_st_min_of_many_milliseconds_is_not_a_tick_late() {
    let gaps = gaps(Duration::from_millis(7)).await;
    assert!(
        gaps.sorted[0] >= Duration::from_millis(7),
        "{gaps:?}",
        gaps = gaps.sorted
    );
    assert!(
        gaps.median() < Duration::from_micros(7800),
        "{:?}",
        gaps.median()
    );
}
