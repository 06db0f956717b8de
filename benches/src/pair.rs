//! Two links in memory that send messages to each other.

use core::hint::black_box;

use isotp_core::{Address, Config, Event, Frame, Id, Instant, Link, Machine, NResult};

use crate::Result;

static CONFIG: Config = Config::new();

type MemoryLink = Link<&'static mut [u8], &'static [u8]>;

/// A sender and a receiver, with nothing between them but one frame.
pub(crate) struct Pair {
    tester: MemoryLink,
    ecu: MemoryLink,
    frame: Frame,
    now: Instant,
    payload: &'static [u8],
    tally: Tally,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) failures: u64,
}

impl Pair {
    /// Two idle links and a payload of `size` bytes.
    pub(crate) fn new(size: usize) -> Result<Self> {
        let id = |value| Id::standard(value).map_err(|error| error.to_string());
        let address = Address::normal(id(0x7E0)?, id(0x7E8)?).map_err(|error| error.to_string())?;
        let link = |address| {
            Link::new(address, black_box(&CONFIG), leak(vec![0; 4096]))
                .map_err(|error| error.to_string())
        };
        Ok(Self {
            tester: link(address)?,
            ecu: link(address.reversed())?,
            frame: Frame::new(),
            now: Instant::ZERO,
            payload: leak((0..size).map(|index| index as u8).collect()),
            tally: Tally::default(),
        })
    }

    /// Sends one message across, as a driver does it: a frame is polled, committed and handed over, and
    /// events are drained after each commit and each frame. Both ends are counted.
    pub(crate) fn transfer(&mut self) {
        self.now = self.now + core::time::Duration::from_micros(1);
        if self.tester.send(self.now, black_box(self.payload)).is_err() {
            self.tally.failures += 1;
        }
        loop {
            let data = self.cross(Direction::Data);
            let answers = self.cross(Direction::Answers);
            self.tally.frames += data + answers;
            // without an answer, nothing has changed for the tester
            if answers == 0 {
                break;
            }
        }
    }

    pub(crate) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Everything that one side wants to send, to the other.
    #[inline]
    fn cross(&mut self, direction: Direction) -> u64 {
        let (from, to) = match direction {
            Direction::Data => (&mut self.tester, &mut self.ecu),
            Direction::Answers => (&mut self.ecu, &mut self.tester),
        };
        let mut frames = 0;
        while let Some(transmit) = from.poll_transmit(self.now, &mut self.frame) {
            transmit.commit(self.now);
            drain(from, &mut self.tally);
            to.handle_frame(self.now, self.frame.view());
            drain(to, &mut self.tally);
            frames += 1;
        }
        frames
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Data,
    Answers,
}

#[inline]
fn drain(link: &mut MemoryLink, tally: &mut Tally) {
    while let Some(event) = link.poll_event() {
        match event {
            Event::Received(message) => tally.bytes += black_box(message.data()).len() as u64,
            Event::Confirmed(NResult::Ok) | Event::FirstFrame { .. } => {}
            _ => tally.failures += 1,
        }
    }
}

/// Memory for the whole run.
pub(crate) fn leak(bytes: Vec<u8>) -> &'static mut [u8] {
    Box::leak(bytes.into_boxed_slice())
}
