//! A lone link or a router with many, as one type.

use isotp_core::{Frame, FrameView, Instant, Machine, Timeout, Transmit, TxToken};
use isotp_sim::{Happening, Node};

use crate::fleet::Fleet;
use crate::script::Subject;
use crate::setup::TestLink;

/// A lone link, or a router with many.
#[derive(Debug)]
pub enum Host {
    Link(Box<TestLink>),
    Router(Box<Fleet>),
}

impl Host {
    /// One link.
    #[must_use]
    pub fn of_link(link: TestLink) -> Self {
        Self::Link(Box::new(link))
    }

    /// A router.
    #[must_use]
    pub fn of_fleet(fleet: Fleet) -> Self {
        Self::Router(Box::new(fleet))
    }

    /// The link of this number.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn link(&self, index: usize) -> &TestLink {
        match self {
            Self::Link(link) => link,
            Self::Router(fleet) => {
                let id = fleet.ids[index];
                fleet.router.link(id).expect("no test removes links")
            }
        }
    }

    fn machine(&self) -> &dyn Node {
        match self {
            Self::Link(link) => &**link,
            Self::Router(fleet) => &**fleet,
        }
    }

    fn machine_mut(&mut self) -> &mut dyn Node {
        match self {
            Self::Link(link) => &mut **link,
            Self::Router(fleet) => &mut **fleet,
        }
    }
}

impl Subject for Host {
    fn with_link<R>(&mut self, index: usize, act: impl Fn(&mut TestLink) -> R) -> R {
        match self {
            Self::Router(fleet) => fleet.with_link(index, act),
            Self::Link(link) => act(link),
        }
    }
}

impl Node for Host {
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        self.machine_mut().poll_happening()
    }
}

impl Machine for Host {
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        self.machine_mut().handle_frame(now, frame);
    }
    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        self.machine_mut().handle_transmitted(now, token);
    }
    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        self.machine_mut().handle_failed(now, token);
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.machine_mut().handle_timeout(now);
    }
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        self.machine_mut().poll_transmit(now, frame)
    }
    fn poll_timeout(&self) -> Option<Timeout> {
        self.machine().poll_timeout()
    }
}
