//! A bus that keeps the table of addresses up to date.

use core::task::{Context, Poll, Waker};
use std::collections::HashMap;

use isotp_driver::{Address, Arrival, Bus, BusError, Frame, Instant, Interest, Taken, TxToken};

use crate::kernel::{Claim, Holder};

/// Claims the addresses of its links, so that no kernel socket takes one of them.
pub(super) struct WatchedBus<B> {
    bus: B,
    index: u32,
    holder: Holder,
    claims: HashMap<Address, Claim>,
}

impl<B: Bus> WatchedBus<B> {
    pub(super) fn new(bus: B, index: u32, holder: Holder) -> Self {
        Self {
            bus,
            index,
            holder,
            claims: HashMap::new(),
        }
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "a method that is not forwarded is one that the bus below does not have"
)]
impl<B: Bus> Bus for WatchedBus<B> {
    fn try_send(&mut self, now: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        self.bus.try_send(now, frame, token)
    }

    fn flush(&mut self, now: Instant) -> Result<(), BusError> {
        self.bus.flush(now)
    }

    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        self.bus.receive(now, frame)
    }

    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<Result<(), BusError>> {
        self.bus.poll_ready(cx, interest)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.bus.poll_timeout()
    }

    fn confirms(&self) -> bool {
        self.bus.confirms()
    }

    fn in_flight(&self) -> u8 {
        self.bus.in_flight()
    }

    fn supports_fd(&self) -> bool {
        self.bus.supports_fd()
    }

    fn connected(&mut self, address: &Address) {
        // whoever waits for the link has claimed the address for this bus; if nobody does any more, the
        // link is not made
        let cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(claim)) = Claim::poll(&cx, self.index, address, self.holder) {
            self.claims.insert(*address, claim);
        }
        self.bus.connected(address);
    }

    fn listen_to_all(&mut self, all: bool) {
        self.bus.listen_to_all(all);
    }

    fn disconnected(&mut self, address: &Address) {
        self.claims.remove(address);
        self.bus.disconnected(address);
    }
}

#[cfg(test)]
mod tests;
