//! Receives one message at a time: frames into a buffer.

mod reception;

pub(crate) use reception::Reception;

use reception::{First, Told};

use crate::address::Half;
use crate::buffer::RxBuffer;
use crate::config::{Config, StMin};
use crate::error::{Cause, ConfigError, Ignored, NResult};
use crate::event::{Bytes, Event, Message};
use crate::frame::{Frame, FrameKind};
use crate::machine::{Channel, Transmit, TransmitHalf, TxToken};
use crate::pdu::{self, Pdu, copy};
use crate::time::{Instant, Timeout};

/// The receiving direction of one N_AI.
///
/// A [`Link`](crate::Link) has one; alone it is for those who build a link of their own. Segmented
/// messages go into the buffer `B`, single frames and what must wait into the spare memory `S`.
///
/// ```
/// use isotp_core::{Config, Event, Instant, Receiver, pdu::{Pdu, Reading}};
/// let (config, mut memory) = (Config::new(), [0; 64]);
/// let mut receiver = Receiver::new(&config, &mut memory[..], [0; 7]).unwrap();
/// let pdu = Pdu::decode(&[0x02, 0x7E, 0x00], 0, Reading::default()).unwrap();
/// receiver.handle_pdu(Instant::ZERO, &config, pdu, 3, 0).unwrap();
/// let Some(Event::Received(message)) = receiver.poll_event() else { panic!() };
/// assert_eq!(message.data(), [0x7E, 0x00]);
/// ```
#[derive(Debug)]
pub struct Receiver<B, S = [u8; 62]> {
    reception: Reception,
    buffer: B,
    spare: S,
}

impl<B: RxBuffer, S: AsRef<[u8]> + AsMut<[u8]>> Receiver<B, S> {
    /// An idle receiver. `spare` needs room for the largest single frame: 7 bytes on CAN CC, 62 where
    /// FD frames are received.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that makes no sense, or too little spare memory.
    pub fn new(config: &Config, buffer: B, spare: S) -> Result<Self, ConfigError> {
        config.check()?;
        check_spare(config, spare.as_ref().len())?;
        Ok(Self {
            reception: Reception::new(config),
            buffer,
            spare,
        })
    }

    /// Ends the running reception with `N_ERROR` (`SVC-08`); nothing happens if there is none.
    pub fn abort(&mut self) {
        self.reception.abort();
    }

    /// Sets the BS of the next receptions.
    pub const fn set_block_size(&mut self, block_size: u8) {
        self.reception.set_block_size(block_size);
    }

    /// Sets the STmin of the next receptions.
    pub const fn set_st_min(&mut self, st_min: StMin) {
        self.reception.set_st_min(st_min);
    }

    /// A single, first or consecutive frame of this N_AI was received, in a frame of `can_dl` bytes
    /// from `source`.
    ///
    /// # Errors
    /// Why it had no effect.
    pub fn handle_pdu(
        &mut self,
        now: Instant,
        config: &Config,
        pdu: Pdu<'_>,
        can_dl: usize,
        source: u8,
    ) -> Result<(), Ignored> {
        match pdu {
            Pdu::ConsecutiveFrame {
                sequence_number,
                data,
            } => self.handle_consecutive(now, config, sequence_number, data, can_dl),
            Pdu::SingleFrame { data } => self.handle_single(data, source),
            Pdu::FirstFrame { size, data } => {
                self.handle_first(now, config, size, data, can_dl, source)
            }
            Pdu::FlowControl(_) => Err(Ignored::UnexpectedFlowControl),
        }
    }

    /// A committed flow control is on the bus; stale tokens change nothing (`TIM-11`).
    pub fn handle_transmitted(&mut self, now: Instant, config: &Config, token: TxToken) {
        if token.channel() == Some(Channel::FlowControl)
            && self.reception.confirm(now, config, token.sequence())
        {
            self.ask_buffer(now, config);
        }
    }

    /// A committed flow control will not go out.
    pub fn handle_failed(&mut self, now: Instant, config: &Config, token: TxToken) {
        if token.channel() == Some(Channel::FlowControl) {
            self.reception.handle_failed(now, config, token.sequence());
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant, config: &Config) {
        if now >= self.reception.deadline(config) {
            self.ask_buffer(now, config);
            self.reception.handle_timeout(now, config);
        }
    }

    /// The flow control that wants to go out, if there is one. A buffer that was not ready is asked
    /// again here.
    #[inline]
    pub fn poll_transmit<'a>(
        &'a mut self,
        now: Instant,
        half: Half,
        config: &'a Config,
        frame: &mut Frame,
    ) -> Option<Transmit<'a>> {
        if !self.write_next(now, half, config, frame) {
            return None;
        }
        let half = TransmitHalf::FlowControl {
            reception: &mut self.reception,
        };
        Some(Transmit {
            half,
            config,
            now,
            slot: 0,
        })
    }

    /// Writes the flow control that wants to go out; `false` if there is none.
    pub(crate) fn write_next(
        &mut self,
        now: Instant,
        half: Half,
        config: &Config,
        frame: &mut Frame,
    ) -> bool {
        self.ask_buffer(now, config);
        let Some(flow) = self.reception.flow_control() else {
            return false;
        };
        pdu::flow_control(frame, half, config, flow);
        true
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self, config: &Config) -> Option<Timeout> {
        self.reception.timeout(config)
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event<'_, B>> {
        let (bytes, source) = match self.reception.tell()? {
            Told::Failed(result) => return Some(Event::ReceptionFailed(result)),
            Told::FirstFrame { size, source } => return Some(Event::FirstFrame { size, source }),
            Told::Single { len, source } => {
                let single = self
                    .spare
                    .as_ref()
                    .get(..usize::from(len))
                    .unwrap_or_default();
                (Bytes::Single(single), source)
            }
            Told::Complete { size, source } => (
                Bytes::Buffer {
                    buffer: &mut self.buffer,
                    size,
                },
                source,
            ),
        };
        Some(Event::Received(Message {
            bytes,
            functional: false,
            source,
        }))
    }

    /// The buffer.
    pub const fn buffer(&self) -> &B {
        &self.buffer
    }

    /// The buffer, to change how it answers. Its bytes belong to the running reception.
    pub const fn buffer_mut(&mut self) -> &mut B {
        &mut self.buffer
    }

    /// Whether a segmented reception is in progress.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.reception.is_active()
    }

    /// Bytes of the running message that are in the buffer.
    #[must_use]
    pub const fn received(&self) -> u32 {
        self.reception.received()
    }

    pub(crate) const fn reception(&self) -> &Reception {
        &self.reception
    }

    pub(crate) const fn reception_mut(&mut self) -> &mut Reception {
        &mut self.reception
    }

    fn handle_single(&mut self, data: &[u8], source: u8) -> Result<(), Ignored> {
        let too_long = data.len() as u64 > u64::from(self.buffer.limit());
        if !self.reception.supersede() {
            return Err(Ignored::NoRoom);
        }
        if too_long || data.len() > self.spare.as_ref().len() {
            return Err(Ignored::TooLong);
        }
        let len = copy(self.spare.as_mut(), data);
        self.reception.single(len, source);
        Ok(())
    }

    fn handle_first(
        &mut self,
        now: Instant,
        config: &Config,
        size: u32,
        data: &[u8],
        can_dl: usize,
        source: u8,
    ) -> Result<(), Ignored> {
        if !self.reception.supersede() {
            return Err(Ignored::NoRoom);
        }
        if size > self.buffer.limit() || data.len() > self.spare.as_ref().len() {
            self.reception.refuse(now, config, source);
            return Err(Ignored::Overflow);
        }
        // RX_DL less the address byte, if there is one, and the PCI byte
        let pci = if size > 4095 { 6 } else { 2 };
        let per_consecutive = (data.len() + pci - 1).min(can_dl) as u8;
        let carried = copy(self.spare.as_mut(), data) as u8;
        self.reception.begin(
            now,
            First {
                size,
                source,
                carried,
                per_consecutive,
            },
        );
        self.ask_buffer(now, config);
        if config.receive.listen_only && !self.reception.is_receiving() {
            self.reception.forget();
            return Err(Ignored::NoRoom);
        }
        Ok(())
    }

    /// Takes the frame that mostly comes, with few looks; `false` if it is another one.
    #[inline]
    pub(crate) fn take_usual(&mut self, now: Instant, data: &[u8]) -> bool {
        let Ok([pci, data @ ..]) = <&[u8; 8]>::try_from(data) else {
            return false;
        };
        if !self.reception.awaits_usual(*pci) {
            return false;
        }
        if self.buffer.write(self.reception.received(), data) {
            self.reception.took_usual(now);
        } else {
            self.reception.fail(NResult::Error(Cause::Buffer));
        }
        true
    }

    pub(crate) fn handle_consecutive(
        &mut self,
        now: Instant,
        config: &Config,
        sequence_number: u8,
        data: &[u8],
        can_dl: usize,
    ) -> Result<(), Ignored> {
        let accepted = self
            .reception
            .accept(config, sequence_number, data.len(), can_dl)?;
        let Some(accepted) = accepted else {
            return Ok(());
        };
        let data = data.get(..usize::from(accepted.len)).unwrap_or(data);
        if !self.buffer.write(accepted.offset, data) {
            self.reception.fail(NResult::Error(Cause::Buffer));
        } else if self.reception.took(now, config, accepted.len) {
            self.ask_buffer(now, config);
        }
        Ok(())
    }

    /// If a flow control is owed: asks the buffer whether it may be a CTS, and hands over what waited
    /// for that.
    fn ask_buffer(&mut self, now: Instant, config: &Config) {
        let (size, received) = (self.reception.size(), self.reception.received());
        if !self.reception.awaits_buffer() || !self.buffer.ready(size, received) {
            return;
        }
        if received == 0 {
            let carried = self.reception.waiting();
            let data = self
                .spare
                .as_ref()
                .get(..usize::from(carried))
                .unwrap_or_default();
            self.buffer.start(size);
            if !self.buffer.write(0, data) {
                return self.reception.fail(NResult::Error(Cause::Buffer));
            }
            self.reception.took_first(carried);
        }
        self.reception.ready(now, config);
    }
}

/// The spare memory holds the largest single frame that may come.
pub(crate) const fn check_spare(config: &Config, given: usize) -> Result<(), ConfigError> {
    let fd = config.receive.any_kind || config.kind.is_fd();
    let kind = if fd {
        FrameKind::Fd { brs: false }
    } else {
        FrameKind::Classic
    };
    let needed = pdu::single_capacity(kind.max_len(), 0);
    if given < needed {
        Err(ConfigError::Spare { needed, given })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
