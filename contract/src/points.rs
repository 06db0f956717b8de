//! Futures that are dropped in the middle, at each moment at which that can be.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};
use std::task::Wake;

/// Drops a future at a point, and gives its output if it was over by then.
///
/// Point 0 is before the first poll, 1 after it, 2 when it was woken and not polled again, 3 after the
/// second poll, and so on: each await point twice, still asleep and already woken.
pub(crate) async fn dropped_at<T>(point: u32, future: impl Future<Output = T>) -> Option<T> {
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(alarm.clone());
    let mut future = pin!(future);
    let mut at = 0;
    loop {
        if at == point {
            return None;
        }
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        if at + 1 == point {
            return None;
        }
        alarm.rings().await;
        at += 2;
    }
}

/// Goes through the points from 0 on, until the future is over before its point: then `once` gives `true`.
/// There must have been so many points.
pub(crate) async fn at_every_point(least: u32, mut once: impl AsyncFnMut(u32) -> bool) {
    let mut points = 0;
    while !once(points).await {
        points += 1;
    }
    assert!(points >= least, "{points} points, expected {least}");
}

/// A call that waits: it was polled once, and is polled again only when it was woken.
pub(crate) struct Begun<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    alarm: Arc<Alarm>,
}

impl<'a, T> Begun<'a, T> {
    /// # Panics
    /// It does not wait.
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        match Self::start(future) {
            Ok(begun) => begun,
            Err(_) => panic!("it does not wait"),
        }
    }

    /// Gives the output if it does not wait.
    pub(crate) fn start(future: impl Future<Output = T> + 'a) -> Result<Self, T> {
        let mut begun = Self {
            future: Box::pin(future),
            alarm: Arc::default(),
        };
        match begun.poll() {
            Poll::Pending => Ok(begun),
            Poll::Ready(output) => Err(output),
        }
    }

    /// Its output, once it is woken for that.
    pub(crate) async fn end(mut self) -> T {
        loop {
            self.alarm.rings().await;
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
        }
    }

    /// Whether it was woken since it was polled.
    pub(crate) fn is_woken(&self) -> bool {
        self.alarm.0.lock().unwrap().woken
    }

    fn poll(&mut self) -> Poll<T> {
        let waker = Waker::from(self.alarm.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Tells whether it was woken.
#[derive(Default)]
struct Alarm(Mutex<Rung>);

#[derive(Default)]
struct Rung {
    woken: bool,
    parent: Option<Waker>,
}

impl Alarm {
    /// Once.
    async fn rings(&self) {
        poll_fn(|cx| {
            let mut rung = self.0.lock().unwrap();
            if core::mem::take(&mut rung.woken) {
                return Poll::Ready(());
            }
            rung.parent = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let mut rung = self.0.lock().unwrap();
        rung.woken = true;
        let parent = rung.parent.take();
        drop(rung);
        parent.into_iter().for_each(Waker::wake);
    }
}
