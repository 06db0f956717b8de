//! Sends one message at a time: bytes from a payload into frames.

mod outgoing;
mod transfer;

pub(crate) use outgoing::{Outgoing, USUAL_LEN};
pub(crate) use transfer::Transfer;

use crate::address::Half;
use crate::channels::{Channel, Channels};
use crate::config::Config;
use crate::error::{Ignored, NResult, Refused, SendError};
use crate::frame::Frame;
use crate::machine::{Transmit, TransmitHalf, TxToken};
use crate::payload::{Payload, sendable_size};
use crate::pdu::FlowControl;
use crate::time::{Instant, Timeout};

/// The sending direction of one N_AI.
///
/// What a [`Link`](crate::Link) sends with; alone it is for those who build a link of their own. The payload
/// is borrowed or owned, and copied only into frames. Address and configuration are the caller's and
/// come with each call; they must stay the same while a message is being sent.
///
/// ```
/// use isotp_core::{Config, Frame, Half, Id, Instant, NResult, Sender};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let (config, half) = (Config::uds(), Half::normal(Id::standard(0x7E0)?));
/// let mut sender = Sender::new();
/// sender.send(Instant::ZERO, half, &config, &[0x3E, 0x00])?;
/// let mut frame = Frame::new();
/// let transmit = sender.poll_transmit(Instant::ZERO, half, &config, &mut frame).unwrap();
/// transmit.commit(Instant::ZERO);
/// assert_eq!(frame.to_string(), "7E0#023E00CCCCCCCCCC");
/// assert_eq!(sender.poll_confirm(), Some(NResult::Ok));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Sender<P> {
    channels: Channels,
    outgoing: Outgoing<P>,
}

impl<P: Payload> Sender<P> {
    /// An idle sender.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            channels: Channels::new(),
            outgoing: Outgoing::new(),
        }
    }

    /// N_USData.request: begins to send `payload`.
    ///
    /// # Errors
    /// [`SendError::Empty`], or [`SendError::Busy`] while a message is being sent or its outcome was
    /// not polled; the payload comes back.
    pub fn send(
        &mut self,
        now: Instant,
        half: Half,
        config: &Config,
        payload: P,
    ) -> Result<(), Refused<P>> {
        let size = match sendable_size(&payload) {
            Ok(size) => size,
            Err(error) => return Err(Refused { error, payload }),
        };
        if !self.outgoing.transfer.is_idle() {
            return Err(Refused {
                error: SendError::Busy,
                payload,
            });
        }
        self.channels.advance(now);
        self.outgoing.payload = Some(payload);
        self.outgoing.begin(&mut self.channels, half, config, size);
        Ok(())
    }

    /// Ends the running transfer with `N_ERROR` (`SVC-08`); nothing happens if there is none.
    pub fn abort(&mut self) {
        self.outgoing.transfer.abort();
    }

    /// A flow control of this N_AI was received.
    ///
    /// # Errors
    /// [`Ignored::UnexpectedFlowControl`] if none is awaited (`FC-03`).
    pub fn handle_flow_control(
        &mut self,
        now: Instant,
        config: &Config,
        flow: FlowControl,
    ) -> Result<(), Ignored> {
        self.channels.advance(now);
        let transfer = &mut self.outgoing.transfer;
        transfer.handle_flow_control(&mut self.channels, config, flow)
    }

    /// A committed frame is on the bus; stale tokens change nothing (`TIM-11`).
    pub fn handle_transmitted(&mut self, now: Instant, config: &Config, token: TxToken) {
        self.channels.advance(now);
        if token.channel() == Some(Channel::Data) {
            let transfer = &mut self.outgoing.transfer;
            transfer.confirm(&mut self.channels, config, token.sequence());
        }
    }

    /// A committed frame will not go out.
    pub fn handle_failed(&mut self, token: TxToken) {
        if token.channel() == Some(Channel::Data) {
            let transfer = &mut self.outgoing.transfer;
            transfer.handle_failed(&self.channels, token.sequence());
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant, config: &Config) {
        self.channels.advance(now);
        let transfer = &mut self.outgoing.transfer;
        transfer.handle_timeout(&mut self.channels, config);
    }

    /// The next data frame, if one may go at `now`.
    #[inline]
    pub fn poll_transmit<'a>(
        &'a mut self,
        now: Instant,
        half: Half,
        config: &'a Config,
        frame: &mut Frame,
    ) -> Option<Transmit<'a>> {
        self.channels.advance(now);
        let bytes = if half.prefix_len() == 0 && self.outgoing.write_usual(half, config, frame) {
            USUAL_LEN
        } else {
            let channels = &mut self.channels;
            self.outgoing.write_next(channels, half, config, frame)?
        };
        let half = TransmitHalf::Data {
            transfer: &mut self.outgoing.transfer,
            bytes,
        };
        Some(Transmit {
            half,
            channels: &mut self.channels,
            config,
            slot: 0,
        })
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self, config: &Config) -> Option<Timeout> {
        self.outgoing.transfer.timeout(&self.channels, config)
    }

    /// N_USData.confirm: the outcome of the message, once.
    pub fn poll_confirm(&mut self) -> Option<NResult> {
        self.outgoing.transfer.take_result()
    }

    /// Takes the payload of a finished message out, to free its memory or use it again. It stays
    /// until then, or until the next message.
    pub fn take_payload(&mut self) -> Option<P> {
        self.outgoing.take_payload()
    }

    /// Whether a message is being sent.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.outgoing.transfer.is_busy()
    }

    /// Bytes of the message in committed frames.
    #[must_use]
    pub const fn sent(&self) -> u32 {
        self.outgoing.transfer.sent()
    }
}

impl<P: Payload> Default for Sender<P> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
