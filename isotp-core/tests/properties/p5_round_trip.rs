//! P5: what one end sends, the other reassembles, for every length, TX_DL, BS, STmin, padding and address.

use core::time::Duration;

use isotp_core::{Event, Frame, FrameKind, Instant, Machine as _, NResult, Timing};
use isotp_sim::{BitTiming, Bus, BusConfig, Clock, Faults, Happening, Stop, World};
use isotp_testkit::{FORMATS, Format, Setup, Side, TestLink, Verdict, ensure, pattern};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::{length, setup};

/// Random setups; both ends send at once, on a bus where frames take time or none.
#[test]
fn p5_round_trip() {
    let lengths = || proptest::collection::vec(length(), 1..4);
    let cases = (setup(), lengths(), lengths(), any::<bool>());
    check("P5", 400, &cases, |(mut setup, there, back, timed)| {
        // long enough for any STmin, and for waiting behind the frames of the other end
        let second = Duration::from_secs(1);
        (setup.timing.n_as, setup.timing.n_ar) = (second, second);
        (setup.timing.n_bs, setup.timing.n_cr) = (second, second);
        setup.sides.iter_mut().for_each(|side| side.moods = 0);
        let timing = BitTiming::new(500_000, 4_000_000).unwrap();
        let clock = if timed {
            Clock::Timed(timing)
        } else {
            Clock::Free
        };
        let mut world = World::new(Bus::new(BusConfig {
            clock,
            faults: Faults::none(),
        }));
        let ends = [world.add("a", setup.link(0)), world.add("b", setup.link(1))];
        for round in 0..there.len().max(back.len()) {
            for (side, lengths) in [&there, &back].into_iter().enumerate() {
                if let Some(len) = lengths.get(round) {
                    let now = world.now();
                    let message = (2 * round + side) as u64;
                    world
                        .node_mut(ends[side])
                        .send(now, pattern(message, *len))
                        .unwrap();
                }
            }
            ensure!(world.run() == Stop::Quiet, "it never ends");
        }
        for (side, lengths) in [there, back].into_iter().enumerate() {
            let sent = lengths.iter().enumerate();
            let sent = sent.map(|(round, len)| pattern((2 * round + side) as u64, *len));
            ensure!(world.messages(ends[1 - side]).eq(sent), "{}", world.trace());
            let confirmed = Happening::Confirmed(NResult::Ok);
            let count = world
                .events(ends[side])
                .filter(|event| **event == confirmed)
                .count();
            ensure!(count == lengths.len(), "{}", world.trace());
        }
        Ok(())
    });
}

/// Every length up to some blocks, and around 4095, for every TX_DL, padding and address format.
#[test]
fn p5_round_trip_of_every_length() {
    let lengths = (1..=200).chain(4090..=4100).chain([70_000]);
    let lengths: Vec<usize> = lengths.collect();
    for format in FORMATS {
        for (fd, tx_dl) in [
            (false, 8),
            (true, 8),
            (true, 12),
            (true, 16),
            (true, 20),
            (true, 24),
            (true, 32),
            (true, 48),
            (true, 64),
        ] {
            for pad_to_8 in [false, true] {
                let setup = plain(format, fd, tx_dl, pad_to_8);
                let (mut sender, mut receiver) = (setup.link(0), setup.link(1));
                *receiver.buffer_mut() = isotp_testkit::Buffer::new(100_000, 0);
                for &len in &lengths {
                    round_trip(&mut sender, &mut receiver, len)
                        .unwrap_or_else(|error| panic!("{setup:?}, {len} bytes: {error}"));
                }
            }
        }
    }
}

fn plain(format: Format, fd: bool, tx_dl: u8, pad_to_8: bool) -> Setup {
    let side = Side {
        tx_dl,
        pad_to_8,
        block_size: 7,
        st_min: 0,
        max_wait: 0,
        in_flight: 1,
        first_only: false,
        reported: false,
        moods: 0,
    };
    let kind = if fd {
        FrameKind::Fd { brs: true }
    } else {
        FrameKind::Classic
    };
    Setup {
        pair: 0,
        format,
        kind,
        timing: Timing::default(),
        sides: [side.clone(), side],
    }
}

/// Frames from hand to hand, with no bus between.
fn round_trip(sender: &mut TestLink, receiver: &mut TestLink, len: usize) -> Verdict {
    let (now, mut frame) = (Instant::ZERO, Frame::new());
    let sent = pattern(len as u64, len);
    sender
        .send(now, sent.clone())
        .map_err(|refused| refused.error.to_string())?;
    loop {
        if let Some(transmit) = receiver.poll_transmit(now, &mut frame) {
            transmit.commit(now);
            sender.handle_frame(now, frame.view());
        } else if let Some(transmit) = sender.poll_transmit(now, &mut frame) {
            transmit.commit(now);
            receiver.handle_frame(now, frame.view());
        } else {
            break;
        }
    }
    let Some(Event::Confirmed(NResult::Ok)) = sender.poll_event() else {
        return Err("not confirmed".into());
    };
    let announced = match receiver.poll_event() {
        Some(Event::FirstFrame { size, .. }) => Some(size as usize),
        Some(Event::Received(message)) if message.data() == sent => return Ok(()),
        other => return Err(format!("received {other:?}")),
    };
    ensure!(announced == Some(len), "announced {announced:?} bytes");
    match receiver.poll_event() {
        Some(Event::Received(message)) if message.data() == sent => Ok(()),
        other => Err(format!("received {other:?}")),
    }
}
