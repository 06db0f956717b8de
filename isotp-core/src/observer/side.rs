//! One direction of observed traffic.

use super::Observed;
use crate::address::{Address, Recognised};
use crate::buffer::RxBuffer;
use crate::config::Config;
use crate::error::{ConfigError, Ignored, NResult};
use crate::event::{Bytes, Event, Message};
use crate::frame::FrameView;
use crate::pdu::{FlowControl, FlowStatus, Pdu, Reading, copy};
use crate::receiver::{Receiver, check};
use crate::time::Instant;

/// One direction.
#[derive(Debug)]
pub(super) struct Side<B, S> {
    /// Its rx half is what the frames of this direction carry.
    pub(super) address: Address,
    pub(super) receiver: Receiver<B, S>,
    functional: Functional<S>,
    /// An untold flow control that went in this direction.
    pub(super) flow: Option<FlowControl>,
    /// Consecutive frames until a flow control from the other direction is awaited; `None`: no more.
    credit: Option<u8>,
    diagnosis: Diagnosis,
}

/// The functional channel.
#[derive(Debug)]
struct Functional<S> {
    spare: S,
    /// Bytes of an unread message; 0: none.
    received: u8,
    source: u8,
}

/// What did not come to pass, and why.
#[derive(Debug, Default)]
struct Diagnosis {
    ignored: u32,
    last: Option<Ignored>,
    dropped: u16,
}

impl<B: RxBuffer, S: AsRef<[u8]> + AsMut<[u8]>> Side<B, S> {
    pub(super) fn new(
        address: Address,
        config: &Config,
        buffer: B,
        spare: [S; 2],
    ) -> Result<Self, ConfigError> {
        let [physical, functional] = spare;
        check(config, functional.as_ref().len())?;
        Ok(Self {
            address,
            receiver: Receiver::new(config, buffer, physical)?,
            functional: Functional {
                spare: functional,
                received: 0,
                source: 0,
            },
            flow: None,
            credit: None,
            diagnosis: Diagnosis::default(),
        })
    }

    /// Takes a frame of this direction; gives a flow control on to the other one.
    pub(super) fn handle_frame(
        &mut self,
        now: Instant,
        config: &Config,
        frame: &FrameView<'_>,
        recognised: Recognised,
    ) -> Result<Option<FlowControl>, Ignored> {
        if !config.accepts(frame.kind) {
            return Err(Ignored::FrameKind);
        }
        if frame.data.len() > frame.kind.max_len() {
            return Err(Ignored::Length);
        }
        let prefix_len = self.address.rx().prefix_len();
        let pdu = Pdu::decode(frame.data, prefix_len, Reading::of(config))?;
        if recognised.functional {
            self.handle_functional(pdu, recognised.source)?;
            return Ok(None);
        }
        if let Pdu::FlowControl(flow) = pdu {
            self.flow = Some(flow);
            return Ok(Some(flow));
        }
        self.receiver
            .handle_pdu(now, config, pdu, frame.data.len(), recognised.source)?;
        self.credit = match pdu {
            Pdu::FirstFrame { .. } => Some(0),
            _ => self.credit.map(|credit| credit.saturating_sub(1)),
        };
        Ok(None)
    }

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

    /// The other direction answered the message that goes in this one.
    pub(super) fn handle_answer(&mut self, now: Instant, flow: FlowControl) {
        let awaited = self.credit == Some(0);
        let receiver = &mut self.receiver;
        match flow.status {
            FlowStatus::ContinueToSend | FlowStatus::Wait => receiver.keep_alive(now),
            FlowStatus::Overflow if awaited => receiver.fail(NResult::BufferOverflow),
            FlowStatus::Reserved(status) if awaited => {
                receiver.fail(NResult::InvalidFs { status });
            }
            FlowStatus::Overflow | FlowStatus::Reserved(_) => {}
        }
        if awaited && flow.status == FlowStatus::ContinueToSend {
            self.credit = (flow.block_size != 0).then_some(flow.block_size);
        }
    }

    #[cold]
    pub(super) fn ignore(&mut self, reason: Ignored, config: &Config) {
        let diagnosis = &mut self.diagnosis;
        diagnosis.ignored = diagnosis.ignored.saturating_add(1);
        if reason == Ignored::NoRoom {
            diagnosis.dropped = diagnosis.dropped.saturating_add(1);
        }
        if config.diagnostics {
            diagnosis.last = Some(reason);
        }
    }

    pub(super) const fn ignored(&self) -> u32 {
        self.diagnosis.ignored
    }

    pub(super) fn has_news(&self) -> bool {
        self.receiver.has_news()
            || self.functional.received > 0
            || self.diagnosis.dropped > 0
            || self.diagnosis.last.is_some()
    }

    pub(super) fn poll_event(&mut self) -> Option<Observed<'_, B>> {
        if self.receiver.has_news() {
            return match self.receiver.poll_event()? {
                Event::FirstFrame { size, source } => Some(Observed::FirstFrame { size, source }),
                Event::Received(message) => Some(Observed::Message(message)),
                Event::ReceptionFailed(result) => Some(Observed::Failed(result)),
                _ => None,
            };
        }
        if self.functional.received > 0 {
            let len = usize::from(core::mem::take(&mut self.functional.received));
            let single = self.functional.spare.as_ref().get(..len);
            return Some(Observed::Message(Message {
                bytes: Bytes::Single(single.unwrap_or_default()),
                functional: true,
                source: self.functional.source,
            }));
        }
        if self.diagnosis.dropped > 0 {
            let dropped = core::mem::take(&mut self.diagnosis.dropped);
            return Some(Observed::Dropped(dropped));
        }
        self.diagnosis.last.take().map(Observed::Ignored)
    }
}
