//! Two routers on one bus, each with many links that are all busy.

use core::hint::black_box;
use core::time::Duration;

use isotp_core::{
    Address, Config, Event, Frame, Id, Instant, Link, LinkId, Machine, NResult, Router, Slot,
};

use crate::Result;
use crate::pair::{Tally, leak};

static CONFIG: Config = Config::new();

type MemoryRouter = Router<Vec<Slot<Link<&'static mut [u8], &'static [u8]>>>>;

/// Testers in one router, their ECUs in the other. Each tester sends message after message.
pub(crate) struct Routers {
    testers: MemoryRouter,
    ecus: MemoryRouter,
    frame: Frame,
    now: Instant,
    payload: &'static [u8],
    tally: Tally,
}

impl Routers {
    /// `links` links on each side, which all have begun to send messages of `size` bytes.
    pub(crate) fn new(links: usize, size: usize) -> Result<Self> {
        let mut routers = Self {
            testers: MemoryRouter::default(),
            ecus: MemoryRouter::default(),
            frame: Frame::new(),
            now: Instant::ZERO,
            payload: leak((0..size).map(|index| index as u8).collect()),
            tally: Tally::default(),
        };
        for index in 0..links {
            let address = address(index)?;
            let id = insert(&mut routers.testers, address, 0)?;
            insert(&mut routers.ecus, address.reversed(), size)?;
            routers.begin(id);
        }
        Ok(routers)
    }

    /// One frame crosses the bus: an answer if there is one, else data. Both routers drain their events
    /// and look at the clock after it.
    pub(crate) fn step(&mut self) {
        self.now = self.now + FRAME_TIME;
        if let Some(transmit) = self.ecus.poll_transmit(self.now, &mut self.frame) {
            transmit.commit(self.now);
            self.testers.handle_frame(self.now, self.frame.view());
            self.tally.frames += 1;
        } else if let Some(transmit) = self.testers.poll_transmit(self.now, &mut self.frame) {
            transmit.commit(self.now);
            self.ecus.handle_frame(self.now, self.frame.view());
            self.tally.frames += 1;
        } else {
            self.tally.failures += 1;
        }
        self.drain();
        tick(&mut self.testers, self.now);
        tick(&mut self.ecus, self.now);
    }

    pub(crate) const fn tally(&self) -> Tally {
        self.tally
    }

    fn begin(&mut self, id: LinkId) {
        if self
            .testers
            .send(self.now, id, black_box(self.payload))
            .is_err()
        {
            self.tally.failures += 1;
        }
    }

    #[inline]
    fn drain(&mut self) {
        while let Some((_, event)) = self.ecus.poll_event() {
            match event {
                Event::Received(message) => {
                    self.tally.bytes += black_box(message.data()).len() as u64;
                }
                Event::FirstFrame { .. } => {}
                _ => self.tally.failures += 1,
            }
        }
        while let Some((id, event)) = self.testers.poll_event() {
            match event {
                Event::Confirmed(NResult::Ok) => self.begin(id),
                _ => self.tally.failures += 1,
            }
        }
    }
}

#[inline]
fn tick(router: &mut MemoryRouter, now: Instant) {
    if router
        .poll_timeout()
        .is_some_and(|timeout| timeout.at <= now)
    {
        router.handle_timeout(now);
    }
}

fn address(index: usize) -> Result<Address> {
    let id = |value: usize| Id::extended(value as u32).map_err(|error| error.to_string());
    Address::normal(id(2 * index)?, id(2 * index + 1)?).map_err(|error| error.to_string())
}

fn insert(router: &mut MemoryRouter, address: Address, room: usize) -> Result<LinkId> {
    let link = Link::new(address, &CONFIG, leak(vec![0; room]));
    let link = link.map_err(|error| error.to_string())?;
    router
        .insert(link)
        .map_err(|refused| refused.error.to_string())
}

/// A fast bus: 50 000 frames a second, so that every link of 10 000 moves five times a second.
const FRAME_TIME: Duration = Duration::from_micros(20);
