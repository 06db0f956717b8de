//! A router or a lone link, as one type.

use isotp_core::{Frame, FrameView, Instant, Machine, Timeout, Transmit, TxToken};
use isotp_sim::{Happening, Node};
use isotp_testkit::{Fleet, Subject, TestLink};

pub(crate) enum End {
    Router(Box<Fleet>),
    Link(Box<TestLink>),
}

impl End {
    fn machine(&self) -> &dyn Node {
        match self {
            Self::Router(fleet) => &**fleet,
            Self::Link(link) => &**link,
        }
    }

    fn machine_mut(&mut self) -> &mut dyn Node {
        match self {
            Self::Router(fleet) => &mut **fleet,
            Self::Link(link) => &mut **link,
        }
    }
}

impl Subject for End {
    fn with_link<R>(&mut self, index: usize, act: impl Fn(&mut TestLink) -> R) -> R {
        match self {
            Self::Router(fleet) => fleet.with_link(index, act),
            Self::Link(link) => act(link),
        }
    }
}

impl Node for End {
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        self.machine_mut().poll_happening()
    }
}

impl Machine for End {
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
