//! Sends one message at a time: bytes from a payload into frames.

mod transfer;

pub(crate) use transfer::Transfer;

use crate::address::Half;
use crate::config::Config;
use crate::error::{Ignored, NResult, Refused, SendError};
use crate::frame::Frame;
use crate::machine::{Channel, Transmit, TransmitHalf, TxToken};
use crate::payload::{Payload, sendable_size};
use crate::pdu::{self, FlowControl};
use crate::time::{Instant, Timeout};

/// The sending direction of one N_AI.
///
/// A [`Link`](crate::Link) has one; alone it is for those who build a link of their own. The payload
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
    transfer: Transfer,
    payload: Option<P>,
}

impl<P: Payload> Sender<P> {
    /// An idle sender.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            transfer: Transfer::new(),
            payload: None,
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
        if !self.transfer.is_idle() {
            return Err(Refused {
                error: SendError::Busy,
                payload,
            });
        }
        self.payload = Some(payload);
        self.begin(now, half, config, size);
        Ok(())
    }

    /// Ends the running transfer with `N_ERROR` (`SVC-08`); nothing happens if there is none.
    pub fn abort(&mut self) {
        self.transfer.abort();
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
        self.transfer.handle_flow_control(now, config, flow)
    }

    /// A committed frame is on the bus; stale tokens change nothing (`TIM-11`).
    pub fn handle_transmitted(&mut self, now: Instant, config: &Config, token: TxToken) {
        if token.channel() == Some(Channel::Data) {
            self.transfer.confirm(now, config, token.sequence());
        }
    }

    /// A committed frame will not go out.
    pub fn handle_failed(&mut self, token: TxToken) {
        if token.channel() == Some(Channel::Data) {
            self.transfer.handle_failed(token.sequence());
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant, config: &Config) {
        self.transfer.handle_timeout(now, config);
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
        let bytes = if half.prefix_len() == 0 && self.write_usual(half, config, frame) {
            USUAL_LEN
        } else {
            self.write_next(now, half, config, frame)?
        };
        let half = TransmitHalf::Data {
            transfer: &mut self.transfer,
            bytes,
        };
        Some(Transmit {
            half,
            config,
            now,
            slot: 0,
        })
    }

    /// Writes the frame that mostly goes, with few looks: a full consecutive frame of 8 bytes, from a
    /// payload that lies in memory. `false` if it is another one. `half` has no address byte.
    #[inline]
    pub(crate) fn write_usual(&self, half: Half, config: &Config, frame: &mut Frame) -> bool {
        if config.transmit.tx_dl != 8 || !self.transfer.awaits_usual() {
            return false;
        }
        // one load, one store: eight bytes of the message, the first of them overwritten by the PCI
        let begin = (self.transfer.sent() as usize).checked_sub(1);
        let bytes = self.payload.as_ref().and_then(P::contiguous).zip(begin);
        let bytes = bytes.and_then(|(bytes, begin)| bytes.get(begin..)?.first_chunk::<8>());
        let Some(chunk) = bytes else { return false };
        pdu::full_consecutive(frame, half, config, self.transfer.sequence_number(), *chunk);
        true
    }

    /// Writes the next data frame; says how many payload bytes it holds.
    pub(crate) fn write_next(
        &mut self,
        now: Instant,
        half: Half,
        config: &Config,
        frame: &mut Frame,
    ) -> Option<u8> {
        self.transfer.end_gap(now, config);
        let payload = self.payload.as_mut()?;
        let written = if self.transfer.consecutive_is_ready() {
            write_consecutive(&self.transfer, payload, half, config, frame)
        } else if self.transfer.first_is_ready() {
            write_first(&self.transfer, payload, half, config, frame)
        } else {
            return None;
        };
        match written {
            Some(_) => self.transfer.feed(now),
            None => self.transfer.starve(now),
        }
        written
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self, config: &Config) -> Option<Timeout> {
        self.transfer.timeout(config)
    }

    /// N_USData.confirm: the outcome of the message, once.
    pub fn poll_confirm(&mut self) -> Option<NResult> {
        self.transfer.take_result()
    }

    /// Takes the payload of a finished message out, to free its memory or use it again. It stays
    /// until then, or until the next message.
    pub fn take_payload(&mut self) -> Option<P> {
        if self.transfer.is_busy() {
            None
        } else {
            self.payload.take()
        }
    }

    /// Whether a message is being sent.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.transfer.is_busy()
    }

    /// Bytes of the message in committed frames.
    #[must_use]
    pub const fn sent(&self) -> u32 {
        self.transfer.sent()
    }

    pub(crate) const fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    pub(crate) const fn transfer_mut(&mut self) -> &mut Transfer {
        &mut self.transfer
    }

    pub(crate) const fn payload_mut(&mut self) -> &mut Option<P> {
        &mut self.payload
    }

    /// Begins to send the payload that is already here.
    pub(crate) fn begin(&mut self, now: Instant, half: Half, config: &Config, size: u32) {
        let tx_dl = usize::from(config.transmit.tx_dl);
        let single = pdu::single_capacity(tx_dl, half.prefix_len()) as u32;
        self.transfer.begin(now, size, size > single);
    }
}

impl<P: Payload> Default for Sender<P> {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes the single or first frame; says how many payload bytes it holds.
fn write_first<P: Payload>(
    transfer: &Transfer,
    payload: &mut P,
    half: Half,
    config: &Config,
    frame: &mut Frame,
) -> Option<u8> {
    let size = transfer.size();
    let tx_dl = usize::from(config.transmit.tx_dl);
    let (start, len) = if transfer.is_segmented() {
        let len = pdu::first_capacity(tx_dl, half.prefix_len(), size);
        (pdu::first_header(frame, half, size), len)
    } else {
        (
            pdu::single_header(frame, half, size as usize),
            size as usize,
        )
    };
    fill(payload, 0, frame, start, len)?;
    pdu::finish(frame, half, config, start + len);
    Some(len as u8)
}

/// Writes the next consecutive frame; says how many payload bytes it holds.
fn write_consecutive<P: Payload>(
    transfer: &Transfer,
    payload: &mut P,
    half: Half,
    config: &Config,
    frame: &mut Frame,
) -> Option<u8> {
    let tx_dl = usize::from(config.transmit.tx_dl);
    let capacity = pdu::consecutive_capacity(tx_dl, half.prefix_len());
    let remaining = (transfer.size() - transfer.sent()) as usize;
    let len = capacity.min(remaining);
    let start = pdu::consecutive_header(frame, half, transfer.sequence_number());
    fill(payload, transfer.sent(), frame, start, len)?;
    pdu::finish(frame, half, config, start + len);
    Some(len as u8)
}

/// Copies `len` bytes of the payload into the frame, or none.
fn fill<P: Payload>(
    payload: &mut P,
    offset: u32,
    frame: &mut Frame,
    start: usize,
    len: usize,
) -> Option<()> {
    let room = frame.data.get_mut(start..start + len)?;
    (payload.copy_to(offset, room)? >= len).then_some(())
}

/// Bytes in the frame that mostly goes.
pub(crate) const USUAL_LEN: u8 = 7;

#[cfg(test)]
mod tests;
