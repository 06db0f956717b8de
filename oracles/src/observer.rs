//! An observer hears any frames of both sides: each direction says what a reference says that only listens, and
//! what the other side's flow controls do to it.

use core::time::Duration;
use std::sync::Arc;

use isotp_core::pdu::{FlowControl, FlowStatus, Pdu};
use isotp_core::{
    Address, Config, Direction, FrameKind, FrameView, Id, Instant, Observed, Observer, RxPadding,
};
use isotp_testkit::{Buffer, Choose as _};

use crate::model::{Memory, Receiving, Said, Terms, decode};
use crate::source::Source;
use crate::{Verdict, ensure};

type Ears = Observer<Buffer, Arc<Config>, [u8; 62]>;

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let mut config = Config::listening();
    config.kind = FrameKind::Fd { brs: false };
    config.receive.padding = source.pick(&[RxPadding::Any, RxPadding::Padded, RxPadding::Exact]);
    config.timing.n_cr = Duration::from_millis(1 + source.below(1000));
    let limit = source.pick(&[5000, 62, 5]);
    // what is not ready at the first frame misses the message
    let moods = [(); 2].map(|()| if source.below(8) == 7 { u32::MAX } else { 0 });
    let id = |value| Id::standard(value).map_err(|error| error.to_string());
    let ids = [id(0x7E0)?, id(0x7E8)?];
    let address = Address::normal(ids[0], ids[1]).map_err(|error| error.to_string())?;
    let mut models = moods.map(|moods| Ear::new(&config, limit, moods));
    let buffers = moods.map(|moods| Buffer::new(limit, moods));
    let mut ears = Observer::with_spare(address, Arc::new(config), buffers, [[0; 62]; 4])
        .map_err(|error| error.to_string())?;
    let (mut now, mut numbers) = (Instant::from_millis(1), [1u8; 2]);
    while !source.is_empty() {
        let pause = if source.below(6) == 0 { 500_000 } else { 1000 };
        now = now + Duration::from_micros(source.below(pause));
        ears.handle_timeout(now);
        let next = ears.poll_timeout();
        ensure!(
            next.is_none_or(|next| next.at > now),
            "P1: {next:?} at {now:?}"
        );
        models.iter_mut().for_each(|ear| ear.model.time(now));
        compare(&mut ears, &mut models, now)?;
        let side = usize::from(source.flag());
        let data = frame(&mut source, &mut numbers[side]);
        ears.handle_frame(
            now,
            FrameView {
                id: ids[side],
                kind: FrameKind::Fd { brs: false },
                data: &data,
            },
        );
        if let Some(flow) = models[side].hear(now, &data) {
            models[1 - side].answered(now, flow);
        }
        compare(&mut ears, &mut models, now)?;
    }
    Ok(())
}

/// Often what goes on where the other frames stopped.
fn frame(source: &mut Source<'_>, number: &mut u8) -> Vec<u8> {
    let mut data = match source.below(8) {
        0 => {
            *number = 1;
            vec![0x10, source.byte()]
        }
        1 => source.bytes(65),
        2 => vec![1 + source.below(7) as u8],
        3 => vec![0x30, source.below(5) as u8, source.byte()],
        4 => vec![0x30 | source.below(8) as u8, source.byte(), source.byte()],
        _ => {
            let pci = 0x20 | *number & 0xF;
            *number = number.wrapping_add(1);
            vec![pci]
        }
    };
    if data.len() < 8 {
        data.resize(8, source.byte());
    }
    data
}

/// The reference of one direction.
struct Ear {
    model: Receiving,
    /// BS of the flow control that holds; none came since the first frame.
    block_size: Option<u8>,
    /// Consecutive frames since.
    frames: u32,
}

impl Ear {
    fn new(config: &Config, limit: u32, moods: u32) -> Self {
        let ready_below = if moods == 0 { u32::MAX } else { 0 };
        let memory = Memory {
            ready_below,
            ..Memory::FREE
        };
        Self {
            model: Receiving::new(Terms::of(config, limit), memory),
            block_size: None,
            frames: 0,
        }
    }

    /// A frame of this direction; gives back a flow control.
    fn hear(&mut self, now: Instant, data: &[u8]) -> Option<FlowControl> {
        let before = self.model.received();
        self.model.hear(now, data, 0);
        match decode(data, 0, self.model.reading())? {
            Pdu::FirstFrame { .. } => (self.block_size, self.frames) = (None, 0),
            Pdu::FlowControl(flow) => {
                self.model.said.push(Said::Flow(flow));
                return Some(flow);
            }
            _ => self.frames += u32::from(self.model.received() != before),
        }
        None
    }

    /// A flow control from the other side.
    fn answered(&mut self, now: Instant, flow: FlowControl) {
        let awaited = match self.block_size {
            None => true,
            Some(0) => false,
            Some(count) => self.frames >= u32::from(count),
        };
        match flow.status {
            FlowStatus::ContinueToSend | FlowStatus::Wait => self.model.keep_alive(now),
            FlowStatus::Overflow if awaited => self.model.fail("N_BUFFER_OVFLW"),
            FlowStatus::Reserved(_) if awaited => self.model.fail("N_INVALID_FS"),
            _ => {}
        }
        if awaited && flow.status == FlowStatus::ContinueToSend {
            (self.block_size, self.frames) = (Some(flow.block_size), 0);
        }
    }
}

fn compare(ears: &mut Ears, models: &mut [Ear; 2], now: Instant) -> Verdict {
    let mut said = [Vec::new(), Vec::new()];
    while let Some((direction, observed)) = ears.poll_event() {
        said[usize::from(direction == Direction::Rx)].push(match observed {
            Observed::FirstFrame { size, .. } => Said::First(size),
            Observed::Message(message) => {
                Said::Message(message.data()[..message.size() as usize].to_vec())
            }
            Observed::Failed(result) => Said::Failed(result.name()),
            Observed::FlowControl(flow) => Said::Flow(flow),
            Observed::Dropped(count) => Said::Dropped(count),
            other => return Err(format!("{other:?} of an observer")),
        });
    }
    for (said, ear) in said.iter().zip(models.iter_mut()) {
        let expected = core::mem::take(&mut ear.model.said);
        ensure!(*said == expected, "{said:?}, expected {expected:?}");
    }
    let deadline = ears.poll_timeout().map(|next| next.at);
    let expected = models.iter().filter_map(|ear| ear.model.deadline()).min();
    let expected = expected.map(|at| at.max(now));
    ensure!(
        deadline == expected,
        "N_Cr {deadline:?}, expected {expected:?}"
    );
    Ok(())
}
