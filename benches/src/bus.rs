//! How much of a bus one transfer uses, in virtual time where idle time counts.

use core::time::Duration;

use isotp_core::{Address, Config, Confirmation, GrowingBuffer, Id, Instant, Link};
use isotp_sim::{
    BitTiming, Bus, BusConfig, Clock, FrameBits, Happening, NodeId, Stop, Trace, World,
};

use crate::Result;

static CC: Config = reported(Config::new());
static FD: Config = reported(Config::fd(64, true));

/// The bus that a transfer runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire {
    /// CAN CC at 500 kbit/s.
    Cc,
    /// CAN FD at 500 kbit/s and 2 Mbit/s, 64 bytes a frame.
    Fd,
}

/// What one transfer made of its bus.
pub(crate) struct Use {
    pub(crate) wire: Wire,
    /// Payload bytes a second, from the request to the indication.
    pub(crate) rate: f64,
    /// Payload bytes a second in the same consecutive frames, back to back.
    pub(crate) best: f64,
}

impl Wire {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Cc => "CC, 500 kbit/s",
            Self::Fd => "FD, 500 kbit/s and 2 Mbit/s, 64 bytes a frame",
        }
    }

    const fn config(self) -> &'static Config {
        match self {
            Self::Cc => &CC,
            Self::Fd => &FD,
        }
    }
}

/// Sends 1 MiB with STmin 0 and BS 0, and one consecutive frame in flight: the next is offered only
/// when the bus has confirmed the one before.
pub(crate) fn measure(wire: Wire) -> Result<Use> {
    let timing = BitTiming::new(500_000, 2_000_000).map_err(text)?;
    let mut world = World::new(Bus::new(BusConfig {
        clock: Clock::Timed(timing),
        ..BusConfig::default()
    }));
    let id = |value| Id::standard(value).map_err(text);
    let address = Address::normal(id(0x7E0)?, id(0x7E8)?).map_err(text)?;
    let link = |address| {
        let buffer = GrowingBuffer::new(SIZE);
        Link::new(address, wire.config(), buffer).map_err(text)
    };
    let tester = world.add("tester", link(address)?);
    let ecu = world.add("ecu", link(address.reversed())?);
    let payload: Vec<u8> = (0..SIZE).map(|index| ((index * 31) >> 3) as u8).collect();
    world
        .node_mut(tester)
        .send(Instant::ZERO, payload.clone())
        .map_err(|refused| text(refused.error))?;
    if world.run() != Stop::Quiet || world.messages(ecu).next() != Some(&payload) {
        return Err("the message was not delivered as it was sent".to_owned());
    }
    let (size, busy) = consecutive_frames(world.trace(), tester, timing);
    let received = world.trace().events().find(|(_, node, _, event)| {
        *node == Some(ecu) && matches!(event, Happening::Received { .. })
    });
    let (at, ..) = received.ok_or("the message was not indicated")?;
    let elapsed = at.saturating_duration_since(Instant::ZERO);
    Ok(Use {
        wire,
        rate: f64::from(SIZE) / elapsed.as_secs_f64(),
        best: size as f64 / busy.as_secs_f64(),
    })
}

/// Payload bytes in the consecutive frames, and how long these frames and the intermissions after them
/// are on the wire.
fn consecutive_frames(trace: &Trace, tester: NodeId, timing: BitTiming) -> (usize, Duration) {
    let mut size = SIZE as usize;
    let mut busy = Duration::ZERO;
    let frames = trace.frames();
    let sent = frames.filter(|(_, sender, _)| *sender == Some(tester));
    for (index, (_, _, frame)) in sent.enumerate() {
        // the first frame is followed by nothing but consecutive frames
        if index == 0 {
            size -= frame.data().len() - FIRST_FRAME_HEADER;
        } else {
            busy += timing.duration(FrameBits::of(frame.view()));
        }
    }
    (size, busy)
}

const fn reported(mut config: Config) -> Config {
    config.confirmation = Confirmation::Reported;
    config
}

fn text(error: impl core::fmt::Display) -> String {
    error.to_string()
}

const SIZE: u32 = 1 << 20;

/// Of a message above 4095 bytes, with normal addressing.
const FIRST_FRAME_HEADER: usize = 6;
