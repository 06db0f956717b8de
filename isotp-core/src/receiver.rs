//! Receives one message at a time: frames into a buffer.

mod incoming;
mod reception;

pub(crate) use incoming::{Incoming, check};
pub(crate) use reception::Reception;

use crate::address::Half;
use crate::buffer::RxBuffer;
use crate::channels::{Channel, Channels};
use crate::config::{Config, StMin};
use crate::error::{ConfigError, Ignored, NResult};
use crate::event::Event;
use crate::frame::Frame;
use crate::machine::{Transmit, TransmitHalf, TxToken};
use crate::pdu::Pdu;
use crate::time::{Instant, Timeout};

/// The receiving direction of one N_AI.
///
/// What a [`Link`](crate::Link) receives with; alone it is for those who build a link of their own. Segmented
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
    channels: Channels,
    incoming: Incoming<B, S>,
}

impl<B: RxBuffer, S: AsRef<[u8]> + AsMut<[u8]>> Receiver<B, S> {
    /// An idle receiver. `spare` needs room for the largest single frame: 7 bytes on CAN CC, 62 where
    /// FD frames are received.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that makes no sense, or too little spare memory.
    pub fn new(config: &Config, buffer: B, spare: S) -> Result<Self, ConfigError> {
        check(config, spare.as_ref().len())?;
        Ok(Self {
            channels: Channels::new(),
            incoming: Incoming::new(config, buffer, spare),
        })
    }

    /// Ends the running reception with `N_ERROR` (`SVC-08`); nothing happens if there is none.
    pub fn abort(&mut self) {
        self.incoming.reception.abort();
    }

    /// Sets the BS of the next receptions.
    pub const fn set_block_size(&mut self, block_size: u8) {
        self.incoming.reception.set_block_size(block_size);
    }

    /// Sets the STmin of the next receptions.
    pub const fn set_st_min(&mut self, st_min: StMin) {
        self.incoming.reception.set_st_min(st_min);
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
        self.channels.advance(now);
        if let Pdu::FirstFrame { size, data } = pdu {
            // of a caller's own making; `Pdu::decode` lets none through (`PCI-14`)
            if data.len() as u64 >= u64::from(size) {
                return Err(Ignored::FirstFrame);
            }
        }
        let channels = &mut self.channels;
        self.incoming
            .handle_pdu(channels, config, &pdu, can_dl, source)
    }

    /// A committed flow control is on the bus; stale tokens change nothing (`TIM-11`).
    pub fn handle_transmitted(&mut self, now: Instant, config: &Config, token: TxToken) {
        self.channels.advance(now);
        if token.channel() == Some(Channel::FlowControl) {
            let channels = &mut self.channels;
            self.incoming.confirm(channels, config, token.sequence());
        }
    }

    /// A committed flow control will not go out.
    pub fn handle_failed(&mut self, now: Instant, config: &Config, token: TxToken) {
        self.channels.advance(now);
        if token.channel() == Some(Channel::FlowControl) {
            let channels = &mut self.channels;
            self.incoming
                .handle_failed(channels, config, token.sequence());
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant, config: &Config) {
        self.channels.advance(now);
        self.incoming.handle_timeout(&mut self.channels, config);
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
        self.channels.advance(now);
        let channels = &mut self.channels;
        if !self.incoming.write_next(channels, half, config, frame) {
            return None;
        }
        let half = TransmitHalf::FlowControl {
            reception: &mut self.incoming.reception,
        };
        Some(Transmit {
            half,
            channels,
            config,
            slot: 0,
        })
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self, config: &Config) -> Option<Timeout> {
        self.incoming.reception.timeout(&self.channels, config)
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event<'_, B>> {
        self.incoming.poll_event()
    }

    /// The buffer.
    pub const fn buffer(&self) -> &B {
        &self.incoming.buffer
    }

    /// The buffer, to change how it answers. Its bytes belong to the running reception.
    pub const fn buffer_mut(&mut self) -> &mut B {
        &mut self.incoming.buffer
    }

    /// Whether a segmented reception is in progress.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.incoming.reception.is_active()
    }

    /// Bytes of the running message that are in the buffer.
    #[must_use]
    pub const fn received(&self) -> u32 {
        self.incoming.reception.received()
    }

    /// Whether `poll_event` has something to say.
    pub(crate) const fn has_news(&self) -> bool {
        self.incoming.reception.has_news()
    }

    /// Listening only: a flow control of the other side went by, so the transfer is alive.
    pub(crate) fn keep_alive(&mut self, now: Instant) {
        self.channels.advance(now);
        self.incoming.reception.keep_alive(&mut self.channels);
    }

    /// Listening only: the other side ended the transfer.
    pub(crate) fn fail(&mut self, result: NResult) {
        self.incoming.reception.fail(result);
    }
}

#[cfg(test)]
mod tests;
