//! Frames on their way into a buffer.

use super::reception::{First, Reception, Told, What};
use crate::address::Half;
use crate::buffer::RxBuffer;
use crate::channels::Channels;
use crate::config::Config;
use crate::error::{Cause, ConfigError, Ignored, NResult};
use crate::event::{Bytes, Event, Message};
use crate::frame::{Frame, FrameKind};
use crate::pdu::{self, Pdu, copy};

/// What is received, and how far it is. The clock is its owner's.
#[derive(Debug)]
pub(crate) struct Incoming<B, S> {
    pub(crate) reception: Reception,
    pub(crate) buffer: B,
    pub(crate) spare: S,
}

impl<B: RxBuffer, S: AsRef<[u8]> + AsMut<[u8]>> Incoming<B, S> {
    pub(crate) const fn new(config: &Config, buffer: B, spare: S) -> Self {
        Self {
            reception: Reception::new(config),
            buffer,
            spare,
        }
    }

    /// A single, first or consecutive frame, in a frame of `can_dl` bytes.
    pub(crate) fn handle_pdu(
        &mut self,
        channels: &mut Channels,
        config: &Config,
        pdu: &Pdu<'_>,
        can_dl: usize,
        source: u8,
    ) -> Result<(), Ignored> {
        match *pdu {
            Pdu::ConsecutiveFrame {
                sequence_number,
                data,
            } => self.handle_consecutive(channels, config, sequence_number, data, can_dl),
            Pdu::SingleFrame { data } => self.handle_single(data, source),
            Pdu::FirstFrame { size, data } => {
                self.handle_first(channels, config, size, data, can_dl, source)
            }
            Pdu::FlowControl(_) => Err(Ignored::UnexpectedFlowControl),
        }
    }

    /// A committed flow control is on the bus.
    pub(crate) fn confirm(&mut self, channels: &mut Channels, config: &Config, frame: u32) {
        if self.reception.confirm(channels, config, frame) {
            self.ask_buffer(channels, config);
        }
    }

    /// A committed flow control will not go out.
    pub(crate) fn handle_failed(&mut self, channels: &mut Channels, config: &Config, frame: u32) {
        if self.reception.handle_failed(channels, config, frame) {
            self.ask_buffer(channels, config);
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, channels: &mut Channels, config: &Config) {
        if self.reception.is_due(channels, config) {
            self.ask_buffer(channels, config);
            if self.reception.is_due(channels, config) {
                self.reception.handle_timeout(channels, config);
            }
        }
    }

    /// Writes the flow control that wants to go out; `false` if there is none.
    pub(crate) fn write_next(
        &mut self,
        channels: &mut Channels,
        half: Half,
        config: &Config,
        frame: &mut Frame,
    ) -> bool {
        self.ask_buffer(channels, config);
        let Some(flow) = self.reception.flow_control() else {
            return false;
        };
        pdu::flow_control(frame, half, config, flow);
        true
    }

    /// What happened, in order.
    pub(crate) fn poll_event(&mut self) -> Option<Event<'_, B>> {
        let told = self.reception.tell()?;
        Some(self.event(told))
    }

    /// The event of what is told.
    pub(crate) fn event(&mut self, told: Told) -> Event<'_, B> {
        let Told { what, size, source } = told;
        let bytes = match what {
            What::Failed(result) => return Event::ReceptionFailed(result),
            What::FirstFrame => return Event::FirstFrame { size, source },
            What::Single => {
                let spare = self.spare.as_ref();
                Bytes::Single(spare.get(..size as usize).unwrap_or(spare))
            }
            What::Complete => {
                let buffer = &mut self.buffer;
                Bytes::Buffer { buffer, size }
            }
        };
        Event::Received(Message {
            bytes,
            functional: false,
            source,
        })
    }

    /// Takes the frame that mostly comes, with few looks; `false` if it is another one.
    #[inline(always)]
    pub(crate) fn take_usual(&mut self, channels: &mut Channels, data: &[u8]) -> bool {
        let Ok([pci, data @ ..]) = <&[u8; 8]>::try_from(data) else {
            return false;
        };
        if !self.reception.awaits_usual(*pci) {
            return false;
        }
        if self.buffer.write(self.reception.filled(), data) {
            self.reception.took_usual(channels);
        } else {
            self.reception.fail(NResult::Error(Cause::Buffer));
        }
        true
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
        channels: &mut Channels,
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
            self.reception.refuse(channels, config, source);
            return Err(Ignored::Overflow);
        }
        // RX_DL less the address byte, if there is one, and the PCI byte
        let pci = if size > 4095 { 6 } else { 2 };
        let per_consecutive = (data.len() + pci - 1).min(can_dl) as u8;
        copy(self.spare.as_mut(), data);
        self.reception.begin(
            channels,
            First {
                size,
                source,
                per_consecutive,
            },
        );
        self.ask_buffer(channels, config);
        if config.receive.listen_only && !self.reception.is_receiving() {
            self.reception.forget();
            return Err(Ignored::NoRoom);
        }
        Ok(())
    }

    fn handle_consecutive(
        &mut self,
        channels: &mut Channels,
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
        } else if self.reception.took(channels, config, accepted.len) {
            self.ask_buffer(channels, config);
        }
        Ok(())
    }

    /// If a flow control is owed: asks the buffer whether it may be a CTS, and hands over what waited
    /// for that.
    fn ask_buffer(&mut self, channels: &mut Channels, config: &Config) {
        let (size, received) = (self.reception.size(), self.reception.received());
        if !self.reception.awaits_buffer() || !self.buffer.ready(size, received) {
            return;
        }
        let mut filled = received;
        if received == 0 {
            let spare = self.spare.as_ref();
            let data = spare.get(..self.reception.waiting()).unwrap_or(spare);
            self.buffer.start(size);
            if !self.buffer.write(0, data) {
                return self.reception.fail(NResult::Error(Cause::Buffer));
            }
            filled = data.len() as u32;
        }
        self.reception.ready(channels, config, filled);
    }
}

/// The configuration makes sense, and the spare memory holds the largest single frame that may come.
pub(crate) const fn check(config: &Config, given: usize) -> Result<(), ConfigError> {
    if let Err(error) = config.check() {
        return Err(error);
    }
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
