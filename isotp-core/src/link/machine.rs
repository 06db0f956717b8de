//! The frame side of a link.

use core::ops::Deref;

use super::{Link, News};
use crate::address::Recognised;
use crate::buffer::RxBuffer;
use crate::channels::Channel;
use crate::config::{Config, Duplex};
use crate::error::Ignored;
use crate::frame::{Frame, FrameView, Id};
use crate::machine::{Machine, Transmit, TransmitHalf, TxToken};
use crate::payload::{Payload, fill};
use crate::pdu::{self, Pdu, Reading, copy};
use crate::sender::USUAL_LEN;
use crate::time::{Instant, Timeout};

/// Which frame of a link was written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offered {
    Data { bytes: u8 },
    FlowControl,
    Functional,
}

impl<B, P, C, S> Machine for Link<B, P, C, S>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    #[inline(always)]
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        if frame.id != self.address.rx().id() || !self.take_usual(now, &frame) {
            self.handle_unusual(now, &frame);
        }
    }

    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        let (channels, config) = (&mut self.channels, &*self.config);
        channels.advance(now);
        let frame = token.sequence();
        match token.channel() {
            Some(Channel::Data) => self.sender.transfer.confirm(channels, config, frame),
            Some(Channel::FlowControl) => self.receiver.confirm(channels, config, frame),
            Some(Channel::Functional) => self.functional.transfer.confirm(channels, frame),
            None => {}
        }
    }

    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        let (channels, config) = (&mut self.channels, &*self.config);
        channels.advance(now);
        let frame = token.sequence();
        match token.channel() {
            Some(Channel::Data) => self.sender.transfer.handle_failed(channels, frame),
            Some(Channel::FlowControl) => self.receiver.handle_failed(channels, config, frame),
            Some(Channel::Functional) => self.functional.transfer.handle_failed(channels, frame),
            None => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let (channels, config) = (&mut self.channels, &*self.config);
        channels.advance(now);
        self.sender.transfer.handle_timeout(channels, config);
        self.receiver.handle_timeout(channels, config);
        self.functional.transfer.handle_timeout(channels, config);
    }

    /// Flow control first, then the functional message, then data.
    #[inline(always)]
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        let offered = self.write_next(now, frame)?;
        Some(self.transmit(offered, 0))
    }

    fn poll_timeout(&self) -> Option<Timeout> {
        let timeouts = [
            self.sender.transfer.timeout(&self.channels, &self.config),
            self.receiver
                .reception
                .timeout(&self.channels, &self.config),
            self.functional
                .transfer
                .timeout(&self.channels, &self.config),
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
    /// Writes the next frame that wants to go out, and says which it is.
    #[inline(always)]
    pub(crate) fn write_next(&mut self, now: Instant, frame: &mut Frame) -> Option<Offered> {
        self.channels.keep_up(now);
        let half = self.address.tx();
        if self.address.is_plain()
            && !self.receiver.reception.wants_poll()
            && !self.functional.transfer.is_ready()
            && self.sender.write_usual(half, &self.config, frame)
        {
            return Some(Offered::Data { bytes: USUAL_LEN });
        }
        if self.owes_answer() || self.has_data() || self.sender.transfer.is_in_gap() {
            self.write_any(frame)
        } else {
            None
        }
    }

    /// The same as a call of its own, for routers, in whose loops it would be in the way.
    #[inline(never)]
    pub(crate) fn write_apart(&mut self, now: Instant, frame: &mut Frame) -> Option<Offered> {
        self.write_next(now, frame)
    }

    #[inline(never)]
    fn write_any(&mut self, frame: &mut Frame) -> Option<Offered> {
        let (channels, config) = (&mut self.channels, &*self.config);
        if self.receiver.reception.wants_poll() {
            let mut half = self.address.tx();
            if self.address.any_source() {
                half = half.towards(self.receiver.reception.source());
            }
            if self.receiver.write_next(channels, half, config, frame) {
                return Some(Offered::FlowControl);
            }
        }
        if self.functional.transfer.is_ready() && self.write_functional(frame) {
            return Some(Offered::Functional);
        }
        let half = self.tx_half();
        let (channels, config) = (&mut self.channels, &*self.config);
        let bytes = self.sender.write_next(channels, half, config, frame)?;
        Some(Offered::Data { bytes })
    }

    /// The handle on the frame that was written just now.
    #[inline(always)]
    pub(crate) fn transmit(&mut self, offered: Offered, slot: u32) -> Transmit<'_> {
        let half = match offered {
            Offered::Data { bytes } => TransmitHalf::Data {
                transfer: &mut self.sender.transfer,
                bytes,
            },
            Offered::FlowControl => TransmitHalf::FlowControl {
                reception: &mut self.receiver.reception,
            },
            Offered::Functional => TransmitHalf::Functional {
                transfer: &mut self.functional.transfer,
            },
        };
        Transmit {
            half,
            channels: &mut self.channels,
            config: &self.config,
            slot,
        }
    }

    fn write_functional(&mut self, frame: &mut Frame) -> bool {
        let (Some(half), Some(payload)) =
            (self.address.functional_tx(), &mut self.functional.payload)
        else {
            return false;
        };
        // the payload may have grown
        let len = payload.size() as usize;
        let tx_dl = usize::from(self.config.transmit.tx_dl);
        if len == 0 || len > pdu::single_capacity(tx_dl, half.prefix_len()) {
            return false;
        }
        let start = pdu::single_header(frame, half, len);
        fill(payload, 0, frame, half, &self.config, start..start + len)
    }

    /// Takes the frame that mostly comes, with few looks; `false` if it is another one. Its id is ours.
    #[inline]
    pub(crate) fn take_usual(&mut self, now: Instant, frame: &FrameView<'_>) -> bool {
        if self.address.any_source() || frame.kind != self.config.kind {
            return false;
        }
        self.channels.keep_up(now);
        self.receiver.take_usual(&mut self.channels, frame.data)
    }

    #[inline(never)]
    fn handle_unusual(&mut self, now: Instant, frame: &FrameView<'_>) {
        match self.address.recognise(frame) {
            Some(recognised) => self.handle_matched(now, frame, recognised),
            None => self.channels.advance(now),
        }
    }

    /// A frame that this link's address was seen to match.
    pub(crate) fn handle_matched(
        &mut self,
        now: Instant,
        frame: &FrameView<'_>,
        recognised: Recognised,
    ) {
        self.channels.advance(now);
        if let Err(reason) = self.handle_recognised(frame, recognised) {
            self.ignore(reason);
        }
    }

    /// Whether [`write_next`](Self::write_next) may have a flow control.
    #[inline]
    pub(crate) fn owes_answer(&self) -> bool {
        self.receiver.reception.wants_poll()
    }

    /// Whether it may have data.
    #[inline]
    pub(crate) fn has_data(&self) -> bool {
        self.sender.transfer.next().is_some() || self.functional.transfer.is_ready()
    }

    /// Whether `poll_event` has something to say.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.receiver.reception.has_news()
            | self.sender.transfer.is_done()
            | self.functional.transfer.is_done()
            | (self.functional.news != News::None)
    }

    /// The earliest deadline.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (channels, config) = (&self.channels, &*self.config);
        let data = self.sender.transfer.deadline(channels, config);
        let reception = self.receiver.reception.deadline(channels, config);
        let functional = self.functional.transfer.deadline(channels, config);
        let earliest = data.min(reception).min(functional);
        (earliest != Instant::MAX).then_some(earliest)
    }

    /// Counts the frames that were committed.
    #[inline]
    pub(crate) const fn frame_count(&self) -> u32 {
        let [data, flow_control, functional] = self.frame_numbers();
        data.wrapping_add(flow_control).wrapping_add(functional)
    }

    /// The id of the next frame that is no flow control.
    pub(crate) fn next_data_id(&self) -> Id {
        match self.address.functional_tx() {
            Some(half) if self.functional.transfer.is_ready() => half.id(),
            _ => self.tx_half().id(),
        }
    }

    /// The numbers of the next frames, which a link that takes the place of this one goes on with, so
    /// that tokens of this one stay stale.
    pub(crate) const fn frame_numbers(&self) -> [u32; 3] {
        self.channels.frame_numbers()
    }

    pub(crate) const fn set_frame_numbers(&mut self, numbers: [u32; 3]) {
        self.channels.set_frame_numbers(numbers);
    }

    /// Requirements 1.1 and the table of 1.7: what a frame of this address does.
    fn handle_recognised(
        &mut self,
        frame: &FrameView<'_>,
        recognised: Recognised,
    ) -> Result<(), Ignored> {
        let (channels, config) = (&mut self.channels, &*self.config);
        if !config.accepts(frame.kind) {
            return Err(Ignored::FrameKind);
        }
        if frame.data.len() > frame.kind.max_len() {
            return Err(Ignored::Length);
        }
        let prefix_len = self.address.rx().prefix_len();
        // looked at where it is: moving it out would be copying it
        let decoded = Pdu::decode(frame.data, prefix_len, Reading::of(config));
        let pdu = decoded.as_ref().map_err(|reason| *reason)?;
        if recognised.functional {
            return self.handle_functional(pdu, recognised.source);
        }
        let half_duplex = config.duplex == Duplex::Half;
        let (source, any_source) = (recognised.source, self.address.any_source());
        let (sender, receiver) = (&mut self.sender.transfer, &mut self.receiver);
        let receiving = receiver.reception.is_active();
        if let Pdu::FlowControl(flow) = *pdu {
            if half_duplex && receiving {
                return Err(Ignored::HalfDuplex);
            }
            if any_source && source != self.peer.current {
                return Err(Ignored::OtherSource);
            }
            return sender.handle_flow_control(channels, config, flow);
        }
        if half_duplex && sender.is_busy_segmented() {
            return Err(Ignored::HalfDuplex);
        }
        if any_source && receiving && source != receiver.reception.source() {
            return Err(Ignored::OtherSource);
        }
        receiver.handle_pdu(channels, config, pdu, frame.data.len(), source)
    }

    /// Only single frames are functional (`ADR-04`); they have memory of their own (`ADR-06`).
    fn handle_functional(&mut self, pdu: &Pdu<'_>, source: u8) -> Result<(), Ignored> {
        let Pdu::SingleFrame { data } = *pdu else {
            return Err(Ignored::Functional);
        };
        if data.len() as u64 > u64::from(self.receiver.buffer.limit()) {
            return Err(Ignored::TooLong);
        }
        let functional = &mut self.functional;
        if functional.unread > 0 {
            return Err(Ignored::NoRoom);
        }
        functional.unread = copy(functional.spare.as_mut(), data) as u8;
        functional.source = source;
        if functional.news == News::None {
            functional.news = News::Some;
        }
        Ok(())
    }

    #[cold]
    fn ignore(&mut self, reason: Ignored) {
        self.ignored = self.ignored.saturating_add(1);
        let dropped = reason == Ignored::NoRoom;
        if dropped {
            self.dropped = self.dropped.saturating_add(1);
        }
        if self.config.diagnostics {
            self.functional.news = News::Ignored(reason);
        } else if dropped {
            self.functional.news = News::Some;
        }
    }
}
