//! A raw socket as a frame bus of the driver.

mod health;
mod inlet;
mod monitor;
mod outlet;

use core::fmt;
use core::task::{Context, Poll};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use isotp_driver::{
    Address, Arrival, Bus, BusError, Frame, Instant, Interest, Readiness, Runtime, Taken, TxToken,
    Watch,
};
use socketcan::SocketOptions;

use super::echoes::Echoes;
use super::filters::{Filtering, Filters};
use super::socket::RawSocket;
use super::trouble::ErrorFrame;
use super::wire::{self, Content};
use crate::interface::{Interface, Refusal, Step};
use crate::sys::Options;
use health::Health;
use inlet::Inlet;
pub use monitor::RawMonitor;
use outlet::{Flushed, Outlet};

/// A [`RawSocket`] under the stack of this project, with any runtime.
///
/// `raw:can0` opens one. It confirms each frame by its echo, so by the moment at which it was on the bus,
/// with the kernel's time stamp.
///
/// What ends it, for every connection, with an error that says what to do: the interface goes down, is
/// removed, or its controller is off the bus for 0.9 s. What is only told, as a line in the log and a
/// figure of the [`monitor`](Self::monitor): other error frames, and frames lost in the receive queue.
pub struct RawBus<W> {
    interface: Interface,
    readiness: Readiness<W>,
    /// Another descriptor of the same socket, for its options.
    control: OwnedFd,
    inlet: Inlet,
    outlet: Outlet,
    echoes: Echoes,
    filters: Filters,
    health: Health,
    monitor: RawMonitor,
    in_flight: u8,
}

impl<W: Watch> RawBus<W> {
    /// A bus on this socket, for a network of this runtime.
    ///
    /// # Errors
    /// What the runtime's reactor answers.
    pub fn new<R: Runtime<Watch = W>>(runtime: &R, socket: RawSocket) -> Result<Self, Refusal> {
        let (descriptor, interface) = socket.into_parts();
        let refuse = |error| Refusal::new(Step::Configure(interface.name()), error);
        let control = descriptor.try_clone().map_err(refuse)?;
        // until there is a link, no frame shall wake anybody
        Options(control.as_fd())
            .set_filter_drop_all()
            .map_err(refuse)?;
        let watch = runtime.watch(descriptor).map_err(refuse)?;
        let readiness = Readiness::new(Arc::new(watch));
        Ok(Self::assemble(interface, readiness, control))
    }

    fn assemble(interface: Interface, readiness: Readiness<W>, control: OwnedFd) -> Self {
        Self {
            interface,
            readiness,
            control,
            inlet: Inlet::new(),
            outlet: Outlet::new(),
            echoes: Echoes::new(),
            filters: Filters::new(),
            health: Health::new(),
            monitor: RawMonitor::new(),
            in_flight: IN_FLIGHT,
        }
    }

    /// Sets how many consecutive frames of a transfer may be on their way at STmin 0, where its
    /// configuration leaves that open; 1 to 255.
    #[must_use]
    pub fn with_in_flight(mut self, frames: u8) -> Self {
        self.in_flight = frames.max(1);
        self
    }

    /// The interface, as it was when the socket was opened.
    #[must_use]
    pub const fn interface(&self) -> &Interface {
        &self.interface
    }

    /// Looks at this bus while a network has it.
    #[must_use]
    pub fn monitor(&self) -> RawMonitor {
        self.monitor.clone()
    }

    /// Whether a frame may be taken.
    fn has_room(&self) -> bool {
        self.outlet.has_room() && self.echoes.has_room() && !self.health.is_off()
    }

    /// Does what time has made due.
    fn keep_time(&mut self, now: Instant) -> Result<(), BusError> {
        self.health.check(now, self.interface.name())?;
        self.echoes.handle_timeout(now);
        if self.outlet.is_over(now) {
            let unsent = self.outlet.len();
            self.echoes.fail_unsent(unsent, unsent);
            self.outlet.clear();
        }
        if self.outlet.is_due(now) {
            self.send(now)?;
        }
        Ok(())
    }

    /// Gives the kernel what was taken.
    fn send(&mut self, now: Instant) -> Result<(), BusError> {
        // an echo will tell when there is room again
        let echo = self.echoes.len() > self.outlet.len();
        loop {
            let sent = self.outlet.send(now, echo, &self.readiness, &self.monitor);
            match sent.map_err(|error| self.over(error))? {
                Flushed::Well => return Ok(()),
                Flushed::Impossible => {
                    self.echoes.fail_unsent(self.outlet.len(), 1);
                    self.outlet.skip();
                }
            }
        }
    }

    /// Tells the kernel which frames the links need now.
    fn update_filters(&mut self) -> Result<(), BusError> {
        let Some(filtering) = self.filters.take_change() else {
            return Ok(());
        };
        let set = Options(self.control.as_fd()).set_filters(&self.filters.list());
        set.map_err(|error| self.over(error))?;
        let before = self.monitor.filtering();
        if let Filtering::Merged { .. } | Filtering::Everything = filtering
            && core::mem::discriminant(&before) != core::mem::discriminant(&filtering)
        {
            log::info!("{}: {filtering}", self.interface.name());
        }
        self.monitor.set_filtering(filtering);
        Ok(())
    }

    /// Makes something of the next message of the batch.
    fn next(&mut self, now: Instant, frame: &mut Frame) -> Option<Next> {
        let unsent = self.outlet.len();
        let taken = self.inlet.take(now)?;
        let (at, own) = (taken.at, taken.message.is_own());
        if taken.lost > 0 {
            self.echoes.doubt(now, unsent);
            self.monitor.add_dropped(self.interface.name(), taken.lost);
        }
        Some(match wire::decode(taken.message.bytes(), frame) {
            Content::Data if own => {
                self.health.alive();
                self.outlet.relieved();
                match self.echoes.confirm(at, frame.view(), unsent) {
                    Some(token) => Next::Arrival(Arrival::Transmitted { at, token }),
                    None => Next::Nothing,
                }
            }
            Content::Data => {
                self.health.alive();
                Next::Arrival(Arrival::Received { at })
            }
            Content::Error(error) => {
                self.note(now, error);
                Next::Nothing
            }
            Content::Other => Next::Nothing,
        })
    }

    fn note(&mut self, now: Instant, error: ErrorFrame) {
        self.monitor.add_error_frame();
        if self.health.note(now, self.interface.name(), error) {
            // the driver throws away what it had; what we have may be offered again
            self.outlet.clear();
            self.echoes.fail_all();
        }
    }

    /// The bus is gone.
    fn over(&self, error: io::Error) -> BusError {
        Refusal::new(self.interface.gone(&error), error).into()
    }
}

impl<W: Watch> Bus for RawBus<W> {
    fn try_send(&mut self, now: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        if !self.has_room() {
            return Ok(Taken::Later);
        }
        let frame = frame.view();
        if frame.kind.is_fd() && !self.interface.supports_fd() || !self.outlet.take(frame) {
            return Ok(Taken::Never);
        }
        self.echoes.take(now, frame, token);
        Ok(Taken::Took)
    }

    fn flush(&mut self, now: Instant) -> Result<(), BusError> {
        // first, or the echo might not come through
        self.update_filters()?;
        if self.outlet.is_due(now) {
            self.send(now)?;
        }
        Ok(())
    }

    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        self.update_filters()?;
        loop {
            self.keep_time(now)?;
            if let Some(arrival) = self.echoes.tell(now, frame) {
                self.inlet.told(now);
                return Ok(Some(arrival));
            }
            match self.next(now, frame) {
                Some(Next::Arrival(arrival)) => return Ok(Some(arrival)),
                Some(Next::Nothing) => continue,
                // the rest waits for the next round
                None if self.inlet.has_more() => return Ok(None),
                None => {}
            }
            let fetched = self.inlet.fetch(now, &self.readiness, &self.monitor);
            if !fetched.map_err(|error| self.over(error))? {
                return Ok(None);
            }
        }
    }

    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<Result<(), BusError>> {
        let room = interest.writable && self.has_room();
        if room || self.inlet.has_more() || self.echoes.has_news() {
            return Poll::Ready(Ok(()));
        }
        let interest = Interest {
            readable: true,
            writable: self.outlet.is_full(),
        };
        let Poll::Ready(ready) = self.readiness.poll_ready(cx, interest) else {
            return Poll::Pending;
        };
        let ready = ready.map_err(|error| self.over(error))?;
        if ready.writable {
            self.outlet.writable();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let own = [
            self.echoes.poll_timeout(),
            self.outlet.poll_timeout(),
            self.health.poll_timeout(),
        ];
        own.into_iter().flatten().min()
    }

    fn confirms(&self) -> bool {
        true
    }

    fn supports_fd(&self) -> bool {
        self.interface.supports_fd()
    }

    fn in_flight(&self) -> u8 {
        self.in_flight
    }

    fn connected(&mut self, address: &Address) {
        self.filters.connected(address);
    }

    fn listen_to_all(&mut self, all: bool) {
        self.filters.set_all(all);
    }

    fn disconnected(&mut self, address: &Address) {
        self.filters.disconnected(address);
    }
}

impl<W> fmt::Debug for RawBus<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawBus")
            .field("interface", &self.interface)
            .field("filters", &self.filters)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

/// What a received message means.
enum Next {
    Arrival(Arrival),
    Nothing,
}

/// Consecutive frames of a transfer on their way at STmin 0: enough to share the cost of system calls,
/// and few enough that a queue of the kernel holds them.
const IN_FLIGHT: u8 = 32;

#[cfg(test)]
mod tests;
