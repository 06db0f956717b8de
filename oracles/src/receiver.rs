//! A receiver, given any frames at any times, says and sends what the reference does: with buffers that are
//! ready or not, small, or full too soon, and a controller that takes flow controls at once, late or never.

use core::time::Duration;

use isotp_core::pdu::{FlowStatus, Pdu};
use isotp_core::{
    Config, Confirmation, Event, Frame, FrameKind, Half, Ignored, Instant, Receiver, RxBuffer,
    RxPadding, StMin, TxToken,
};
use isotp_testkit::Choose as _;

use crate::model::{Memory, Receiving, Said, Terms, frame_of};
use crate::source::Source;
use crate::{Verdict, ensure};

struct Bench {
    receiver: Receiver<Store>,
    model: Receiving,
    config: Config,
    half: Half,
    now: Instant,
    said: Vec<Said>,
    /// The controller takes nothing.
    full: bool,
    /// Of the newest flow control.
    token: TxToken,
}

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let mut bench = Bench::new(&mut source)?;
    // where the next well formed consecutive frame stands
    let (mut number, mut rx_dl) = (1, 8);
    while !source.is_empty() {
        let pause = match source.below(4) {
            0 => source.below(2_000_000),
            _ => source.below(1000),
        };
        bench.pass(Duration::from_micros(pause))?;
        let x = bench.half.prefix_len();
        match source.below(16) {
            0..11 => {
                let bytes = frame(&mut source, x, &mut number, &mut rx_dl);
                bench.hear(&bytes)?;
            }
            11 | 12 => bench.remember(&mut source),
            13 => bench.full = !bench.full,
            14 => bench.confirm(&mut source),
            _ => bench.give_up(&mut source),
        }
        bench.compare()?;
    }
    bench.full = true;
    for _ in 0..4 {
        bench.pass(Duration::from_secs(3600))?;
    }
    ensure!(
        bench.receiver.poll_timeout(&bench.config).is_none(),
        "not at rest after hours"
    );
    Ok(())
}

/// Often a frame that goes on where the last one stopped.
fn frame(source: &mut Source<'_>, x: usize, number: &mut u8, rx_dl: &mut usize) -> Vec<u8> {
    let mut bytes = vec![0xF1; x];
    match source.below(8) {
        0 => {
            *rx_dl = source.pick(&[8, 8, 8, 12, 64]);
            *number = 1;
            bytes.extend([0x10, source.byte()]);
            bytes.resize(*rx_dl, source.byte());
        }
        1 => return source.bytes(65),
        2 => {
            let len = 1 + source.below(7) as u8;
            bytes.push(len);
            bytes.resize(bytes.len() + usize::from(len), source.byte());
        }
        _ => {
            bytes.push(0x20 | *number & 0xF);
            *number = number.wrapping_add(1);
            bytes.resize(*rx_dl, source.byte());
        }
    }
    bytes
}

impl Bench {
    fn new(source: &mut Source<'_>) -> Result<Self, String> {
        let mut config = Config::new();
        config.kind = FrameKind::Fd { brs: false };
        config.receive.block_size = source.pick(&[0, 0, 1, 2, 3, 8, 255]);
        config.receive.st_min = StMin::from_wire(source.byte());
        config.receive.padding =
            source.pick(&[RxPadding::Any, RxPadding::Padded, RxPadding::Exact]);
        config.receive.lenient_length = source.flag();
        config.receive.listen_only = source.below(8) == 7;
        config.receive.max_wait = source.below(4) as u8;
        config.transmit.pad_to_8 = source.flag();
        let mut ms = || Duration::from_millis(1 + source.below(2000));
        (config.timing.n_ar, config.timing.n_br, config.timing.n_cr) = (ms(), ms(), ms());
        if source.flag() {
            config.confirmation = Confirmation::Reported;
        }
        let limit = source.pick(&[5000, 300, 62, 20, 8, 5, 1, 0]);
        let store = Store {
            bytes: Vec::new(),
            limit,
            memory: Memory::FREE,
        };
        let receiver = Receiver::new(&config, store, [0; 62]);
        Ok(Self {
            receiver: receiver.map_err(|error| error.to_string())?,
            model: Receiving::new(Terms::of(&config, limit), Memory::FREE),
            half: crate::pdu::half(source),
            config,
            now: Instant::from_millis(1),
            said: Vec::new(),
            full: false,
            token: TxToken::from_bits(0),
        })
    }

    fn pass(&mut self, pause: Duration) -> Verdict {
        self.now = self.now + pause;
        self.model.time(self.now);
        self.receiver.handle_timeout(self.now, &self.config);
        let next = self.receiver.poll_timeout(&self.config);
        ensure!(
            next.is_none_or(|next| next.at > self.now),
            "P1: {next:?} at {:?}",
            self.now
        );
        self.compare()
    }

    fn hear(&mut self, bytes: &[u8]) -> Verdict {
        let x = self.half.prefix_len();
        self.model.hear(self.now, bytes, x);
        let Ok(pdu) = Pdu::decode(bytes, x, self.model.reading()) else {
            return Ok(());
        };
        let handled = self
            .receiver
            .handle_pdu(self.now, &self.config, pdu, bytes.len(), 0);
        // what else it ignores is seen by what it does not say
        if handled == Err(Ignored::NoRoom) {
            self.drain()?;
            self.said.push(Said::Dropped(1));
        }
        Ok(())
    }

    /// From now on the buffer answers otherwise: ready, not ready, ready up to some byte; and full at some.
    fn remember(&mut self, source: &mut Source<'_>) {
        let some = u32::from(source.byte());
        let memory = Memory {
            ready_below: source.pick(&[u32::MAX, u32::MAX, 0, some]),
            full_at: match self.config.confirmation {
                // what comes early would be seen early
                Confirmation::Reported => u32::MAX,
                Confirmation::OnCommit => source.pick(&[u32::MAX, u32::MAX, 2 * some]),
            },
        };
        self.model.memory = memory;
        self.receiver.buffer_mut().memory = memory;
    }

    /// The newest flow control is on the bus, or will never be, or somebody else's is.
    fn confirm(&mut self, source: &mut Source<'_>) {
        match source.below(4) {
            0 => {
                self.model.failed(self.now);
                self.receiver
                    .handle_failed(self.now, &self.config, self.token);
            }
            1 => {
                let older = self.token.to_bits().wrapping_sub(4);
                let token = TxToken::from_bits(older);
                self.receiver
                    .handle_transmitted(self.now, &self.config, token);
                self.receiver.handle_failed(self.now, &self.config, token);
            }
            _ => {
                self.model.confirmed(self.now);
                self.receiver
                    .handle_transmitted(self.now, &self.config, self.token);
            }
        }
    }

    /// The user does, or the controller.
    fn give_up(&mut self, source: &mut Source<'_>) {
        if source.flag() {
            self.model.abort();
            self.receiver.abort();
        } else if self.model.offer(self.now).is_some() {
            let mut frame = Frame::new();
            let transmit =
                self.receiver
                    .poll_transmit(self.now, self.half, &self.config, &mut frame);
            if let Some(transmit) = transmit {
                transmit.reject(self.now);
            }
            self.model.rejected();
        }
    }

    /// Polls, and compares all that can be seen.
    fn compare(&mut self) -> Verdict {
        self.drain()?;
        while let Some(status) = self.offered()? {
            if self.full {
                break;
            }
            let mut frame = Frame::new();
            let transmit =
                self.receiver
                    .poll_transmit(self.now, self.half, &self.config, &mut frame);
            let transmit =
                transmit.ok_or_else(|| format!("P3: {status:?} is offered once only"))?;
            self.token = transmit.commit(self.now);
            self.model.committed(self.now);
        }
        self.drain()?;
        ensure!(
            self.said == self.model.said,
            "{:?}, expected {:?}",
            self.said,
            self.model.said
        );
        self.said.clear();
        self.model.said.clear();
        let deadline = self.receiver.poll_timeout(&self.config).map(|next| next.at);
        let expected = self.model.deadline();
        ensure!(
            deadline == expected,
            "deadline {deadline:?}, expected {expected:?}"
        );
        Ok(())
    }

    /// The flow control that wants to go out is the one of the reference.
    fn offered(&mut self) -> Result<Option<FlowStatus>, String> {
        let mut frame = Frame::new();
        let transmit = self
            .receiver
            .poll_transmit(self.now, self.half, &self.config, &mut frame);
        let offered = transmit.is_some().then(|| frame.data().to_vec());
        let status = self.model.offer(self.now);
        let expected = status.map(|status| {
            let status = match status {
                FlowStatus::ContinueToSend => 0x30,
                FlowStatus::Wait => 0x31,
                _ => 0x32,
            };
            let receive = &self.config.receive;
            let content = [status, receive.block_size, receive.st_min.code()];
            frame_of(&self.config, self.half, &content)
        });
        ensure!(
            offered == expected,
            "offers {offered:02X?}, expected {expected:02X?}"
        );
        Ok(status)
    }

    fn drain(&mut self) -> Verdict {
        while let Some(event) = self.receiver.poll_event() {
            self.said.push(match event {
                Event::FirstFrame { size, .. } => Said::First(size),
                Event::Received(message) => {
                    let size = message.size() as usize;
                    ensure!(
                        message.data().len() >= size,
                        "a message of less than its size"
                    );
                    Said::Message(message.data()[..size].to_vec())
                }
                Event::ReceptionFailed(result) => Said::Failed(result.name()),
                other => return Err(format!("{other:?} of a receiver")),
            });
        }
        Ok(())
    }
}

/// A receive buffer that answers as it is told, and panics if the core breaks its contract.
#[derive(Debug)]
struct Store {
    bytes: Vec<u8>,
    limit: u32,
    memory: Memory,
}

impl AsRef<[u8]> for Store {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl RxBuffer for Store {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn ready(&mut self, size: u32, received: u32) -> bool {
        assert!(size <= self.limit && received < size);
        received < self.memory.ready_below
    }

    fn start(&mut self, size: u32) {
        assert!(size <= self.limit);
        self.bytes.clear();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset as usize, self.bytes.len(), "a gap, or bytes twice");
        self.bytes.extend_from_slice(data);
        assert!(
            self.bytes.len() <= self.limit as usize,
            "more than its limit"
        );
        self.bytes.len() <= self.memory.full_at as usize
    }
}
