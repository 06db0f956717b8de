//! A router with several links, as the subject of a script.

use std::sync::Arc;

use isotp_core::{
    Frame, FrameView, Instant, Link, LinkId, Machine, Router, Slot, Timeout, Transmit, TxToken,
};
use isotp_sim::{Happening, Node};

use crate::script::Subject;
use crate::setup::{Buffer, LIMIT, Setup, TestLink};

/// A router and its links, by number.
#[derive(Debug)]
pub struct Fleet {
    pub router: Router<Vec<Slot<TestLink>>>,
    pub ids: Vec<LinkId>,
}

impl Fleet {
    /// These links, the first in the first slot.
    pub fn new(links: impl Iterator<Item = TestLink>) -> Self {
        let mut router = Router::new(Vec::new());
        let ids = links.map(|link| router.insert(link).unwrap()).collect();
        Self { router, ids }
    }

    /// One side of as many pairs.
    #[must_use]
    pub fn of_side(setup: &Setup, side: usize, count: u8) -> Self {
        Self::new((0..count).map(|pair| paired_link(setup, side, pair)))
    }
}

/// One side of pair number `pair`.
pub fn paired_link(setup: &Setup, side: usize, pair: u8) -> TestLink {
    let address = setup.format.address(pair);
    let address = if side == 0 {
        address
    } else {
        address.reversed()
    };
    let buffer = Buffer::new(LIMIT, setup.sides[side].moods);
    Link::with_spare(address, Arc::new(setup.config(side)), buffer, [[0; 62]; 2]).unwrap()
}

impl Subject for Fleet {
    fn with_link<R>(&mut self, index: usize, act: impl Fn(&mut TestLink) -> R) -> R {
        let id = self.ids[index % self.ids.len()];
        act(self.router.link_mut(id).expect("no test removes links"))
    }
}

impl Node for Fleet {
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        self.router.poll_happening()
    }
}

impl Machine for Fleet {
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        self.router.handle_frame(now, frame);
    }
    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        self.router.handle_transmitted(now, token);
    }
    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        self.router.handle_failed(now, token);
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.router.handle_timeout(now);
    }
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        self.router.poll_transmit(now, frame)
    }
    fn poll_timeout(&self) -> Option<Timeout> {
        self.router.poll_timeout()
    }
}
