//! The frame side of a link.

use core::ops::Deref;

use super::Link;
use crate::address::{Half, Recognised};
use crate::buffer::RxBuffer;
use crate::config::{Config, Duplex};
use crate::error::Ignored;
use crate::frame::{Frame, FrameView};
use crate::machine::{Channel, Machine, Transmit, TransmitHalf, TxToken};
use crate::payload::Payload;
use crate::pdu::{self, Pdu, Reading, copy};
use crate::time::{Instant, Timeout};

impl<B, P, C, S> Machine for Link<B, P, C, S>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    #[inline]
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        let now = self.advance(now);
        if let Some(recognised) = self.address.recognise(&frame)
            && let Err(reason) = self.handle_recognised(now, &frame, recognised)
        {
            self.ignore(reason);
        }
    }

    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        let now = self.advance(now);
        match token.channel() {
            Some(Channel::Data) => self.sender.handle_transmitted(now, &self.config, token),
            Some(Channel::FlowControl) => {
                self.receiver.handle_transmitted(now, &self.config, token);
            }
            Some(Channel::Functional) => self.functional.transfer.confirm(token.sequence()),
            None => {}
        }
    }

    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        let now = self.advance(now);
        match token.channel() {
            Some(Channel::Data) => self.sender.handle_failed(token),
            Some(Channel::FlowControl) => self.receiver.handle_failed(now, &self.config, token),
            Some(Channel::Functional) => self.functional.transfer.handle_failed(token.sequence()),
            None => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        self.sender.handle_timeout(now, &self.config);
        self.receiver.handle_timeout(now, &self.config);
        self.functional.transfer.handle_timeout(now);
    }

    /// Flow control first, then the functional message, then data.
    #[inline]
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        let now = self.advance(now);
        let tx = self.tx_half();
        let answer = if self.address.any_source() {
            tx.towards(self.receiver.reception().source())
        } else {
            tx
        };
        let config = &*self.config;
        if let Some(transmit) = self.receiver.poll_transmit(now, answer, config, frame) {
            return Some(transmit);
        }
        if self.functional.transfer.is_ready()
            && let Some(half) = self.address.functional_tx()
            && let Some(payload) = &mut self.functional.payload
            && write_functional(payload, half, config, frame).is_some()
        {
            let half = TransmitHalf::Functional {
                transfer: &mut self.functional.transfer,
            };
            return Some(Transmit {
                half,
                config,
                now,
                slot: 0,
            });
        }
        self.sender.poll_transmit(now, tx, config, frame)
    }

    fn poll_timeout(&self) -> Option<Timeout> {
        let timeouts = [
            self.sender.poll_timeout(),
            self.receiver.poll_timeout(),
            self.functional.transfer.timeout(),
        ];
        timeouts
            .into_iter()
            .flatten()
            .min_by_key(|timeout| timeout.at)
    }
}

impl<B, P, C, S> Link<B, P, C, S>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Requirements 1.1 and the table of 1.7: what a frame of this address does.
    #[inline]
    fn handle_recognised(
        &mut self,
        now: Instant,
        frame: &FrameView<'_>,
        recognised: Recognised,
    ) -> Result<(), Ignored> {
        let config = &*self.config;
        if !config.accepts(frame.kind) {
            return Err(Ignored::FrameKind);
        }
        if frame.data.len() > frame.kind.max_len() {
            return Err(Ignored::Length);
        }
        let prefix_len = self.address.rx().prefix_len();
        let pdu = Pdu::decode(frame.data, prefix_len, Reading::of(config))?;
        if recognised.functional {
            return self.handle_functional(pdu, recognised.source);
        }
        if config.duplex == Duplex::Half {
            let busy = match pdu {
                Pdu::FlowControl(_) => self.receiver.is_active(),
                _ => self.sender.transfer().is_busy_segmented(),
            };
            if busy {
                return Err(Ignored::HalfDuplex);
            }
        }
        if self.address.any_source() {
            let other = match pdu {
                Pdu::FlowControl(_) => recognised.source != self.peer.current,
                _ => {
                    self.receiver.is_active()
                        && recognised.source != self.receiver.reception().source()
                }
            };
            if other {
                return Err(Ignored::OtherSource);
            }
        }
        match pdu {
            Pdu::ConsecutiveFrame {
                sequence_number,
                data,
            } => self.receiver.handle_consecutive(
                now,
                config,
                sequence_number,
                data,
                frame.data.len(),
            ),
            Pdu::FlowControl(flow) => self.sender.handle_flow_control(now, config, flow),
            pdu => self
                .receiver
                .handle_pdu(now, config, pdu, frame.data.len(), recognised.source),
        }
    }

    /// Only single frames are functional (`ADR-04`); they have memory of their own (`ADR-06`).
    fn handle_functional(&mut self, pdu: Pdu<'_>, source: u8) -> Result<(), Ignored> {
        let Pdu::SingleFrame { data } = pdu else {
            return Err(Ignored::Functional);
        };
        if data.len() as u64 > u64::from(self.receiver.buffer().limit()) {
            return Err(Ignored::TooLong);
        }
        if self.functional.received > 0 {
            return Err(Ignored::NoRoom);
        }
        self.functional.received = copy(self.functional.spare.as_mut(), data) as u8;
        self.functional.source = source;
        Ok(())
    }

    #[cold]
    fn ignore(&mut self, reason: Ignored) {
        self.diagnosis.ignored = self.diagnosis.ignored.saturating_add(1);
        if reason == Ignored::NoRoom {
            self.diagnosis.dropped = self.diagnosis.dropped.saturating_add(1);
        }
        if self.config.diagnostics {
            self.diagnosis.last = Some(reason);
        }
    }
}

/// Writes a functional single frame; `None` if the payload does not give its bytes, or has grown.
fn write_functional<P: Payload>(
    payload: &mut P,
    half: Half,
    config: &Config,
    frame: &mut Frame,
) -> Option<()> {
    let len = payload.size().min(64) as usize;
    let start = pdu::single_header(frame, half, len);
    let room = frame.data.get_mut(start..start + len)?;
    if payload.copy_to(0, room)? < len {
        return None;
    }
    pdu::finish(frame, half, config, start + len);
    Some(())
}
