//! A tester that sends images to a bootloader, in virtual time.

use core::time::Duration;

use embedded_can::Frame as _;
use isotp_core::pdu::{FlowStatus, Pdu, Reading};
use isotp_core::{Address, Config, Event, Id, Instant, Link, NResult, Payload};

use super::{CONFIG, Image, Mood, PageBuffer, SimulatedFlash, checksum};
use crate::controller::{CanFrame, Controller};
use crate::superloop::turn;

/// A tester and a bootloader on one bus, each with a superloop of its own.
#[derive(Debug)]
pub struct Bench<'a> {
    tester: Link<&'a mut [u8], Image, &'static Config, [u8; 7]>,
    target: Link<PageBuffer<SimulatedFlash<'a>>, Image, &'static Config, [u8; 7]>,
    controllers: [Controller; 2],
    held: [Option<CanFrame>; 2],
    now: Instant,
}

/// What came of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the tester was told.
    pub sent: NResult,
    /// What the bootloader was told.
    pub received: NResult,
    /// How often the bootloader said "wait".
    pub waits: u32,
    /// From the request until all of it was in flash, or given up.
    pub took: Duration,
    /// Whether the image is in flash, byte by byte, and its checksum says so.
    pub intact: bool,
}

impl<'a> Bench<'a> {
    /// Both ends, with flash in `cells`; `None` if a setting is refused.
    pub fn new(cells: &'a mut [u8]) -> Option<Self> {
        let id = |value| Id::standard(value).ok();
        let address = Address::normal(id(0x7E0)?, id(0x7E8)?).ok()?;
        let (spare, buffer) = ([[0; 7]; 2], PageBuffer::new(SimulatedFlash::new(cells)));
        let nothing: &mut [u8] = &mut [];
        Some(Self {
            tester: Link::with_spare(address, &CONFIG, nothing, spare).ok()?,
            target: Link::with_spare(address.reversed(), &CONFIG, buffer, spare).ok()?,
            controllers: [const { Controller::new() }; 2],
            held: [None, None],
            now: Instant::ZERO,
        })
    }

    /// Sets what the flash does from now on.
    pub fn set_mood(&mut self, mood: Mood) {
        self.target.buffer_mut().flash_mut().set_mood(mood);
    }

    /// Sends the image and waits for both ends; `None` if it is refused, or if an end never comes.
    pub fn send(&mut self, image: Image) -> Option<Outcome> {
        let (begin, deadline) = (self.now, self.now + DEADLINE);
        self.tester.send(begin, image).ok()?;
        let (mut sent, mut received, mut waits) = (None, None, 0);
        while self.now < deadline {
            waits += u32::from(self.step(&mut sent, &mut received));
            let buffer = self.target.buffer();
            if let (Some(sent), Some(received)) = (sent, received)
                && (!received.is_ok() || buffer.is_written())
            {
                return Some(Outcome {
                    sent,
                    received,
                    waits,
                    took: self.now - begin,
                    intact: holds(buffer.flash().cells(), image),
                });
            }
        }
        None
    }

    /// The time of one frame. Whether the bootloader said "wait".
    fn step(&mut self, sent: &mut Option<NResult>, received: &mut Option<NResult>) -> bool {
        let now = self.now;
        let buffer = self.target.buffer_mut();
        buffer.flash_mut().pass_time(now);
        buffer.poll();
        let ([tester_can, target_can], [tester_held, target_held]) =
            (&mut self.controllers, &mut self.held);
        turn(
            tester_can,
            tester_held,
            &mut self.tester,
            now,
            &mut |link, _| {
                while let Some(event) = link.poll_event() {
                    if let Event::Confirmed(result) = event {
                        *sent = Some(result);
                    }
                }
            },
        );
        turn(
            target_can,
            target_held,
            &mut self.target,
            now,
            &mut |link, _| {
                while let Some(event) = link.poll_event() {
                    match event {
                        Event::Received(_) => *received = Some(NResult::Ok),
                        Event::ReceptionFailed(result) => *received = Some(result),
                        _ => {}
                    }
                }
            },
        );
        tester_can.pass(target_can);
        let answer = target_can.pass(tester_can);
        self.now = now + FRAME;
        answer.is_some_and(|frame| is_wait(&frame))
    }
}

fn is_wait(frame: &CanFrame) -> bool {
    let pdu = Pdu::decode(frame.data(), 0, Reading::default());
    matches!(pdu, Ok(Pdu::FlowControl(flow)) if flow.status == FlowStatus::Wait)
}

fn holds(flash: &[u8], image: Image) -> bool {
    let flash = flash.get(..image.size() as usize).unwrap_or_default();
    checksum(flash)
        && flash
            .iter()
            .zip(0..)
            .all(|(byte, at)| *byte == image.byte(at))
}

/// On a bus of 500 kbit/s.
const FRAME: Duration = Duration::from_micros(250);
/// Four times what 256 KiB take.
const DEADLINE: Duration = Duration::from_secs(60);
