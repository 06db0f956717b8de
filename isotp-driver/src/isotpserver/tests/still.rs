//! A runtime whose time stands still, with one peer that does as it is told.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
#[cfg(unix)]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard};

use isotp_core::{Address, Frame, FrameKind, FrameView, Id, Instant, TxToken};

use super::super::{Bridge, BridgeOptions, IsotpServerScheme};
#[cfg(unix)]
use crate::runtime::Watch;
use crate::runtime::{Interest, Listener, Runtime, Stream, Timer};
use crate::{
    Arrival, Backend, Bus, BusError, Config, Connection, MessageChannel, Network, Opened, Path,
    Scheme, Taken,
};

/// A runtime with one peer.
#[derive(Clone, Default)]
pub(super) struct Still {
    executor: Arc<smol::Executor<'static>>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) now: Instant,
    pub(super) timers: Vec<Waker>,
    /// What the listener answers, once each; then nothing comes.
    pub(super) accepts: VecDeque<io::Result<()>>,
    pub(super) asked: usize,
    /// How often it was connected with, and how often that fails from now on.
    pub(super) connected: usize,
    pub(super) refuses: usize,
    /// What each stream gives, again and again.
    pub(super) text: &'static [u8],
    /// No stream gives anything.
    pub(super) silent: bool,
    /// No stream takes anything: not now, or never.
    pub(super) stuck: bool,
    pub(super) deaf: bool,
    pub(super) reads: usize,
    /// How often one was told its end.
    pub(super) closed: usize,
    pub(super) frames: usize,
    /// How many messages of one byte come from the bus.
    arrives: usize,
    driver: Option<Waker>,
}

impl Still {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Runs all tasks until they sleep, or so many turns.
    pub(super) fn run(&self, turns: usize) -> bool {
        (0..turns).any(|_| !self.executor.try_tick())
    }

    pub(super) fn pass(&self, time: Duration) {
        let mut state = self.state();
        state.now = state.now + time;
        let timers = core::mem::take(&mut state.timers);
        drop(state);
        timers.into_iter().for_each(Waker::wake);
    }

    /// So many messages come from the bus.
    pub(super) fn hears(&self, messages: usize) {
        let mut state = self.state();
        state.arrives = messages;
        let driver = state.driver.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
    }

    /// The output of a future that needs nothing but the tasks of this runtime.
    pub(super) fn finish<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        for _ in 0..1000 {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            self.executor.try_tick();
        }
        panic!("not within 1000 turns");
    }

    pub(super) fn connection(&self) -> (Network, Connection) {
        let backend = Backend::bus(Path::new("still"), Frames(self.clone()));
        let network = Network::start(self, backend);
        let connection = self.finish(network.connect(address(), Config::default()));
        (network, connection.unwrap())
    }

    pub(super) fn bridge(&self) -> (Bridge, Network) {
        let (network, connection) = self.connection();
        let options = BridgeOptions::default();
        let bridge = self.finish(Bridge::listen(self, "still:1", connection, options));
        (bridge.unwrap(), network)
    }

    /// A connection across TCP.
    pub(super) fn client(&self, config: Config) -> (Network, Connection) {
        let backend = self.finish(IsotpServerScheme.open("still:1", self));
        let network = Network::start(self, backend.unwrap());
        let connection = self.finish(network.connect(address(), config));
        (network, connection.unwrap())
    }

    pub(super) fn channel(&self, string: &str) -> Box<dyn MessageChannel> {
        let backend = self.finish(IsotpServerScheme.open(string, self)).unwrap();
        let channels = backend.channels.unwrap();
        match self.finish(channels.open(&address(), &Config::default())) {
            Ok(Opened::Channel { channel, .. }) => channel,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn address() -> Address {
    let id = |value| Id::standard(value).unwrap();
    Address::normal(id(0x7E0), id(0x7E8)).unwrap()
}

/// More bytes than any turn may read, so that a loop ends.
const MANY_READS: usize = 10_000;

/// Counts how often a task was woken.
#[derive(Default)]
pub(super) struct Woke(Mutex<usize>);

impl Woke {
    pub(super) fn count(&self) -> usize {
        *self.0.lock().unwrap()
    }
}

impl std::task::Wake for Woke {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

/// Takes every frame, and counts it.
struct Frames(Still);

impl Bus for Frames {
    fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
        self.0.state().frames += 1;
        Ok(Taken::Took)
    }

    fn receive(&mut self, at: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        let mut state = self.0.state();
        let Some(left) = state.arrives.checked_sub(1) else {
            return Ok(None);
        };
        state.arrives = left;
        frame.copy_from(FrameView {
            id: address().rx().id(),
            kind: FrameKind::Classic,
            data: &[1, 7],
        });
        Ok(Some(Arrival::Received { at }))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        self.0.state().driver = Some(cx.waker().clone());
        Poll::Pending
    }
}

pub(super) struct StillTimer(Still, Option<Instant>);

impl Timer for StillTimer {
    fn set(&mut self, at: Option<Instant>) {
        self.1 = at;
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.state();
        if self.1.is_some_and(|at| at <= state.now) {
            return Poll::Ready(());
        }
        state.timers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl Stream for Still {
    fn poll_read(&mut self, _: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        state.reads += 1;
        if state.silent {
            return Poll::Pending;
        }
        if state.reads > MANY_READS {
            return Poll::Ready(Ok(0));
        }
        let text = state.text;
        bytes[..text.len()].copy_from_slice(text);
        Poll::Ready(Ok(text.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = self.state();
        match (state.stuck, state.deaf) {
            (true, _) => Poll::Pending,
            (_, true) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().closed += 1;
        Poll::Ready(Ok(()))
    }
}

impl Listener for Still {
    type Stream = Self;

    /// No task is woken when something comes after a failure, as with the listeners of the system.
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<(Self, String)>> {
        let mut state = self.state();
        let Some(accepted) = state.accepts.pop_front() else {
            return Poll::Pending;
        };
        state.asked += 1;
        drop(state);
        Poll::Ready(accepted.map(|()| (self.clone(), "peer".to_owned())))
    }

    fn local_address(&self) -> io::Result<String> {
        Ok("still:1".to_owned())
    }
}

#[cfg(unix)]
impl Watch for Still {
    fn ready(&self, _: Interest) -> impl Future<Output = io::Result<Interest>> + Send {
        core::future::pending()
    }

    fn try_io<T>(
        &self,
        _: Interest,
        _: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn clear(&self, _: Interest) {}
}

impl Runtime for Still {
    type Timer = StillTimer;
    #[cfg(unix)]
    type Watch = Self;
    type Stream = Self;
    type Listener = Self;

    fn now(&self) -> Instant {
        self.state().now
    }

    fn timer(&self) -> StillTimer {
        StillTimer(self.clone(), None)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
    }

    #[cfg(unix)]
    fn watch(&self, _: OwnedFd) -> io::Result<Self> {
        Ok(self.clone())
    }

    async fn connect(&self, _: &str) -> io::Result<Self> {
        let mut state = self.state();
        state.connected += 1;
        if state.refuses > 0 {
            state.refuses -= 1;
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(self.clone())
    }

    async fn listen(&self, _: &str) -> io::Result<Self> {
        Ok(self.clone())
    }
}
