//! A bus that several tasks and threads share.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isotp_core::{Frame, FrameView, Instant};
use isotp_sim::{Bus, BusConfig, Clock, Faults, PortConfig, PortId, Stats};

use crate::port::Port;
use crate::registry::{self, NameInUse};

/// An in-process CAN bus. Clones are handles of the same bus.
///
/// It lives while there is a handle or a port, and moves when a port is used: it has no task or thread
/// of its own, and an idle one costs nothing.
#[derive(Clone)]
pub struct VirtualBus(Arc<Shared>);

pub(crate) struct Shared {
    state: Mutex<State>,
    options: Options,
}

pub(crate) struct State {
    pub(crate) bus: Bus,
    sleepers: BTreeMap<PortId, Sleeper>,
    taps: Vec<TapEntry>,
    next_tap: u64,
    /// Taps that have something to be shown.
    unseen: Vec<PortId>,
    frame: Frame,
}

/// What a port waits for.
#[derive(Default)]
struct Sleeper {
    ready: Ready,
    waker: Option<Waker>,
}

/// Whether something happened that a port has not looked at. Set and cleared under the lock of the bus,
/// so that whoever sees it cleared before the lock and under it has missed nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ready(Arc<AtomicBool>);

impl Ready {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// All that happened has been looked at.
    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Release);
    }
}

struct TapEntry {
    number: u64,
    port: PortId,
    look: Box<dyn FnMut(Instant, FrameView<'_>) + Send>,
}

/// How a bus behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether frames take time, and whether their bits are counted.
    pub clock: Clock,
    /// What goes wrong.
    pub faults: Faults,
    /// How its ports behave.
    pub port: PortConfig,
}

impl VirtualBus {
    /// A bus without a name.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let config = BusConfig {
            clock: options.clock,
            faults: options.faults.clone(),
        };
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                bus: Bus::new(config),
                sleepers: BTreeMap::new(),
                taps: Vec::new(),
                next_tap: 0,
                unseen: Vec::new(),
                frame: Frame::new(),
            }),
            options,
        }))
    }

    /// The bus of this name in this process; if there is none, one on which frames take no time.
    #[must_use]
    pub fn named(name: &str) -> Self {
        registry::find_or_create(name, None).unwrap_or_default()
    }

    /// A bus with a name, by which `virtual:NAME` finds it.
    ///
    /// # Errors
    /// [`NameInUse`] if there is one of this name already, with other options.
    pub fn create(name: &str, options: Options) -> Result<Self, NameInUse> {
        registry::find_or_create(name, Some(options))
    }

    /// A new port. It receives what is sent from now on, by other ports.
    #[must_use]
    pub fn port(&self) -> Port {
        let mut state = self.lock();
        let id = state.bus.attach(self.0.options.port);
        let ready = Ready::default();
        let sleeper = Sleeper {
            ready: ready.clone(),
            waker: None,
        };
        state.sleepers.insert(id, sleeper);
        drop(state);
        Port::new(self.clone(), id, ready)
    }

    /// Shows every frame that crosses the bus to `look`, until the tap is dropped.
    ///
    /// It is called in the task or thread that moves the bus, and must not use the bus itself.
    #[must_use = "the tap ends when it is dropped"]
    pub fn tap(&self, look: impl FnMut(Instant, FrameView<'_>) + Send + 'static) -> Tap {
        let mut state = self.lock();
        let port = state.bus.attach(PortConfig {
            confirms: false,
            ..PortConfig::default()
        });
        let number = state.next_tap;
        state.next_tap += 1;
        state.taps.push(TapEntry {
            number,
            port,
            look: Box::new(look),
        });
        drop(state);
        Tap {
            bus: self.clone(),
            number,
        }
    }

    /// What has been on the bus: frames, bits, and the time that they take.
    #[must_use]
    pub fn stats(&self) -> Stats {
        *self.lock().bus.stats()
    }

    /// Replaces the faults.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().bus.set_faults(faults);
    }

    /// How it was made.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn downgrade(&self) -> std::sync::Weak<Shared> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(weak: &std::sync::Weak<Shared>) -> Option<Self> {
        weak.upgrade().map(Self)
    }
}

impl State {
    /// Lets the bus move up to `now`. A tap may panic: by then, all others that have something to do are
    /// in `woken`.
    pub(crate) fn advance(&mut self, now: Instant, by: PortId, woken: &mut Woken) {
        loop {
            self.bus.handle_timeout(now);
            // a full tap may have held the bus up
            if !self.tell(by, woken) {
                return;
            }
        }
    }

    /// Sends a frame as [`Bus::send_at_once`] does, if it can go that way.
    pub(crate) fn send_at_once(
        &mut self,
        now: Instant,
        by: PortId,
        frame: FrameView<'_>,
        woken: &mut Woken,
    ) -> bool {
        let sent = self.bus.send_at_once(now, by, frame);
        if sent {
            self.tell(by, woken);
        }
        sent
    }

    /// Wakes who has something to do, and shows the taps what they have received. `true` if that was
    /// anything.
    fn tell(&mut self, by: PortId, woken: &mut Woken) -> bool {
        while let Some(port) = self.bus.poll_wake() {
            if let Some(sleeper) = self.sleepers.get_mut(&port) {
                sleeper.ready.set();
                if port != by {
                    woken.add(sleeper.waker.take());
                }
            } else {
                self.unseen.push(port);
            }
        }
        let mut tapped = false;
        while let Some(port) = self.unseen.pop() {
            tapped |= self.show(port);
        }
        tapped
    }

    /// Whether nothing happened to the port that it has not looked at; then its task is woken by the next.
    pub(crate) fn sleep(&mut self, port: PortId, waker: &Waker) -> bool {
        let Some(sleeper) = self.sleepers.get_mut(&port) else {
            return false;
        };
        if sleeper.ready.is_set() {
            return false;
        }
        match &mut sleeper.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        true
    }

    /// Takes a port off the bus.
    pub(crate) fn detach(&mut self, port: PortId, woken: &mut Woken) {
        self.bus.detach(port);
        self.sleepers.remove(&port);
        self.wake_all(woken);
    }

    /// All must look at the time again: of a deadline may have known only one port, which may be gone, or
    /// never be used again.
    pub(crate) fn wake_all(&mut self, woken: &mut Woken) {
        for sleeper in self.sleepers.values_mut() {
            sleeper.ready.set();
            woken.add(sleeper.waker.take());
        }
    }

    /// Shows a tap what it has received; `false` if there was nothing.
    fn show(&mut self, port: PortId) -> bool {
        let Some(tap) = self.taps.iter_mut().find(|tap| tap.port == port) else {
            return false;
        };
        let mut shown = false;
        while let Some(delivery) = self.bus.poll_receive(port, &mut self.frame) {
            (tap.look)(delivery.at, self.frame.view());
            shown = true;
        }
        shown
    }
}

impl Default for VirtualBus {
    /// A bus without a name on which frames take no time.
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl fmt::Debug for VirtualBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualBus")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

/// Shows the frames of a bus while it is kept.
#[derive(Debug)]
pub struct Tap {
    bus: VirtualBus,
    number: u64,
}

impl Drop for Tap {
    fn drop(&mut self) {
        let mut state = self.bus.lock();
        let at = state.taps.iter().position(|tap| tap.number == self.number);
        let tap = at.map(|at| state.taps.remove(at));
        if let Some(tap) = &tap {
            state.bus.detach(tap.port);
        }
        // what `look` holds may be a port of this bus, which takes the lock when it is dropped
        drop(state);
        drop(tap);
    }
}

/// Wakes tasks when it is dropped, which is to be after the lock is released; one costs no allocation.
#[derive(Default)]
pub(crate) struct Woken {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Woken {
    fn add(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.first.is_none() => self.first = Some(waker),
            waker => self.more.extend(waker),
        }
    }
}

impl Drop for Woken {
    #[inline]
    fn drop(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
            self.more.drain(..).for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::panic::AssertUnwindSafe;
    use core::sync::atomic::AtomicU32;
    use std::panic::catch_unwind;
    use std::sync::TryLockError;
    use std::task::Wake;

    use isotp_core::{FrameKind, Id};

    use super::*;

    /// Counts how often it was woken while nobody held the lock of the bus.
    struct Woke(VirtualBus, AtomicU32);

    impl Wake for Woke {
        fn wake(self: Arc<Self>) {
            let held = matches!(self.0.0.state.try_lock(), Err(TryLockError::WouldBlock));
            self.1.fetch_add(u32::from(!held), Ordering::SeqCst);
        }
    }

    #[test]
    fn a_tap_that_panics_keeps_no_other_port_asleep() {
        for tap_is_first in [true, false] {
            let bus = VirtualBus::default();
            let panics = |_, _: FrameView<'_>| panic!("a tap, on purpose");
            let early = tap_is_first.then(|| bus.tap(panics));
            let (mut sender, sleeper) = (bus.port(), bus.port());
            let late = (!tap_is_first).then(|| bus.tap(panics));
            let woke = Arc::new(Woke(bus.clone(), AtomicU32::new(0)));
            assert!(bus.lock().sleep(sleeper.id(), &woke.clone().into()));
            let sent = catch_unwind(AssertUnwindSafe(|| sender.send_frame(one())));
            assert!(sent.is_err(), "the tap saw it");
            assert_eq!(woke.1.load(Ordering::SeqCst), 1, "{tap_is_first}");
            drop((early, late));
        }
    }

    /// A plain port may never be used again, so somebody else must know when its frame is over.
    #[test]
    fn a_frame_that_takes_time_is_told_to_whoever_sleeps() {
        let timing = isotp_sim::BitTiming::new(500_000, 500_000).unwrap();
        for (clock, times) in [(Clock::Timed(timing), [1, 2]), (Clock::Free, [1, 1])] {
            let bus = VirtualBus::new(Options {
                clock,
                ..Options::default()
            });
            let (mut sender, mut sleeper) = (bus.port(), bus.port());
            let woke = Arc::new(Woke(bus.clone(), AtomicU32::new(0)));
            let waker = Waker::from(woke.clone());
            assert!(bus.lock().sleep(sleeper.id(), &waker));
            assert!(sender.send_frame(one()));
            let ends = bus.lock().bus.poll_timeout();
            assert_eq!(ends.is_some(), clock != Clock::Free);
            assert_eq!(woke.1.load(Ordering::SeqCst), times[0], "{clock:?}");
            assert!(!bus.lock().sleep(sleeper.id(), &waker));
            // it looks, and waits until the frame is over
            assert_eq!(sleeper.try_frame().is_some(), clock == Clock::Free);
            assert!(bus.lock().sleep(sleeper.id(), &waker));
            let mut woken = Woken::default();
            let now = ends.unwrap_or_default();
            bus.lock().advance(now, sender.id(), &mut woken);
            drop(woken);
            assert_eq!(woke.1.load(Ordering::SeqCst), times[1], "{clock:?}");
        }
    }

    fn one() -> FrameView<'static> {
        FrameView {
            id: Id::standard(1).unwrap(),
            kind: FrameKind::Classic,
            data: &[1],
        }
    }

    #[test]
    fn a_tap_may_hold_a_port_of_its_bus() {
        let bus = VirtualBus::default();
        let port = bus.port();
        let tap = bus.tap(move |_, _| {
            let _ = port.bus();
        });
        let (done, dropped) = std::sync::mpsc::channel();
        let dropping = std::thread::spawn(move || {
            drop(tap);
            done.send(()).unwrap();
        });
        let in_time = dropped.recv_timeout(core::time::Duration::from_secs(10));
        assert!(in_time.is_ok(), "dropping the tap waits for itself");
        dropping.join().unwrap();
    }
}
