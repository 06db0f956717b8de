//! What the driver may expect of a timer.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use isotp_tokio::driver::{Instant, Runtime, Timer};
use isotp_tokio::{Tokio, TokioTimer};

use crate::support::settle;

/// A timer, and its clock.
fn timer() -> (TokioTimer, impl Fn() -> Instant) {
    let runtime = Tokio::current();
    (runtime.timer(), move || runtime.now())
}

fn is_fired(timer: &mut TokioTimer) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    timer.poll_fired(&mut cx).is_ready()
}

/// Waits for a timer, and gives the moment at which it fired.
async fn fired(timer: &mut TokioTimer) -> Instant {
    let fired = poll_fn(|cx| timer.poll_fired(cx));
    let fired = tokio::time::timeout(Duration::from_secs(10), fired);
    fired.await.expect("it fires within ten seconds");
    Tokio::current().now()
}

fn micros(n: u64) -> Duration {
    Duration::from_micros(n)
}

#[tokio::test]
async fn it_never_fires_early() {
    let (mut timer, now) = timer();
    for after in [
        1, 50, 100, 300, 900, 1000, 1500, 3000, 3999, 4001, 5000, 9000,
    ] {
        let at = now() + micros(after);
        timer.set(Some(at));
        let came = fired(&mut timer).await;
        assert!(came >= at, "{after} us: {came:?} before {at:?}");
    }
}

#[tokio::test]
async fn it_stays_fired_until_it_is_set_anew() {
    let (mut timer, now) = timer();
    let at = now() + micros(200);
    timer.set(Some(at));
    fired(&mut timer).await;
    assert!(is_fired(&mut timer));
    timer.set(Some(at));
    assert!(is_fired(&mut timer), "the same moment is nothing new");
    timer.set(Some(now() + Duration::from_secs(3600)));
    assert!(!is_fired(&mut timer));
    timer.set(Some(at));
    assert!(is_fired(&mut timer), "a moment that is past");
    timer.set(None);
    assert!(!is_fired(&mut timer));
}

#[tokio::test]
async fn a_moment_that_is_past_fires_at_once() {
    let (mut timer, now) = timer();
    for at in [Instant::ZERO, now()] {
        timer.set(Some(at));
        assert!(is_fired(&mut timer));
    }
}

#[tokio::test]
async fn unset_it_never_fires() {
    for after in [500, 6000] {
        let (mut timer, now) = timer();
        assert!(!is_fired(&mut timer), "it was never set");
        timer.set(Some(now() + micros(after)));
        assert!(!is_fired(&mut timer));
        timer.set(None);
        // a second one tells that the moment of the first is over
        let mut other = Tokio::current().timer();
        other.set(Some(now() + micros(after + 1000)));
        tokio::select! {
            biased;
            () = poll_fn(|cx| timer.poll_fired(cx)) => panic!("it fired"),
            _ = fired(&mut other) => {}
        }
        timer.set(Some(now() + micros(after)));
        fired(&mut timer).await;
    }
}

#[tokio::test]
async fn moved_earlier_it_fires_earlier() {
    for (first, second) in [(3_600_000_000, 300), (3000, 100), (3_600_000_000, 8000)] {
        let (mut timer, now) = timer();
        timer.set(Some(now() + micros(first)));
        assert!(!is_fired(&mut timer));
        timer.set(Some(now() + micros(second)));
        fired(&mut timer).await;
    }
}

#[tokio::test]
async fn moved_later_it_fires_later() {
    for (first, second) in [(200, 3000), (200, 9000), (5000, 9000), (200, 400)] {
        let (mut timer, now) = timer();
        timer.set(Some(now() + micros(first)));
        assert!(!is_fired(&mut timer));
        let at = now() + micros(second);
        timer.set(Some(at));
        let came = fired(&mut timer).await;
        assert!(came >= at, "{first} {second}: {came:?} before {at:?}");
    }
}

#[tokio::test]
async fn moved_after_it_fired_unheard_it_waits_for_the_new_moment() {
    let (mut timer, now) = timer();
    let first = now() + micros(200);
    timer.set(Some(first));
    assert!(!is_fired(&mut timer));
    let mut other = Tokio::current().timer();
    other.set(Some(first + micros(300)));
    fired(&mut other).await;
    let at = now() + micros(1000);
    timer.set(Some(at));
    assert!(fired(&mut timer).await >= at);
}

#[tokio::test]
async fn every_tick_of_many_is_heard() {
    let (mut timer, now) = timer();
    let start = now();
    for tick in 1..=500 {
        let at = start + micros(100 * tick);
        timer.set(Some(at));
        assert!(fired(&mut timer).await >= at);
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_is_the_clock() {
    let (mut timer, now) = timer();
    for after in [100, 3000, 5000, 9_000_000] {
        let at = now() + micros(after);
        timer.set(Some(at));
        settle().await;
        assert!(!is_fired(&mut timer));
        let came = fired(&mut timer).await;
        assert!(
            came >= at && came <= at + micros(2000),
            "{after} us: {came:?}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_paused_later_is_followed() {
    for after in [2000, 5000, 9_000_000] {
        let (mut timer, now) = timer();
        let at = now() + micros(after);
        timer.set(Some(at));
        assert!(!is_fired(&mut timer));
        tokio::time::pause();
        let came = fired(&mut timer).await;
        assert!(
            came >= at && came <= at + micros(2000),
            "{after} us: {came:?}"
        );
        // it runs on, apart from the clock of the system
        tokio::time::resume();
        let at = now() + micros(500);
        timer.set(Some(at));
        assert!(fired(&mut timer).await >= at);
    }
}

#[test]
fn a_runtime_without_a_reactor_has_timers_all_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut timer, now) = timer();
        for after in [300, 5000] {
            let at = now() + micros(after);
            timer.set(Some(at));
            assert!(fired(&mut timer).await >= at);
        }
    });
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn a_runtime_without_timers_is_refused_when_a_network_is_opened() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let opened = runtime.block_on(isotp_tokio::Network::open("virtual:without-timers"));
    panic!("{opened:?}");
}

#[tokio::test]
async fn many_timers_run_side_by_side() {
    let (_, now) = timer();
    let mut timers: Vec<_> = (1..=20)
        .map(|n| {
            let mut timer = Tokio::current().timer();
            let at = now() + micros(n * 150);
            timer.set(Some(at));
            (timer, at)
        })
        .collect();
    let all = poll_fn(|cx| {
        timers.retain_mut(|(timer, at)| {
            let ready = timer.poll_fired(cx).is_ready();
            assert!(!ready || now() >= *at);
            !ready
        });
        match timers.len() {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    });
    let all = tokio::time::timeout(Duration::from_secs(10), all);
    all.await.expect("all fire");
}
