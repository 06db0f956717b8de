//! Backends that are not there.

use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use isotp_driver::{
    Address, Arrival, BoxFuture, Bus, BusError, Channels, Config, ConnectError, Frame, Guarantees,
    Incoming, Instant, Interest, MessageChannel, NResult, Opened, Path, Permit, Taken, TxToken,
};

/// Takes every frame, and hears nothing.
#[derive(Default)]
pub(crate) struct Quiet {
    /// It says that each frame is on the bus already.
    pub(crate) prompt: bool,
}

impl Bus for Quiet {
    fn try_send(&mut self, _: Instant, _: &Frame, _: TxToken) -> Result<Taken, BusError> {
        Ok(if self.prompt {
            Taken::Sent
        } else {
            Taken::Took
        })
    }

    fn confirms(&self) -> bool {
        self.prompt
    }

    fn receive(&mut self, _: Instant, _: &mut Frame) -> Result<Option<Arrival>, BusError> {
        Ok(None)
    }

    fn poll_ready(&mut self, _: &mut Context<'_>, _: Interest) -> Poll<Result<(), BusError>> {
        Poll::Pending
    }
}

/// Gives each message back as it was, and breaks at `[0xDE, 0xAD]`.
#[derive(Default)]
pub(crate) struct Mirror {
    messages: VecDeque<Vec<u8>>,
    reader: Option<Waker>,
}

impl MessageChannel for Mirror {
    fn poll_send(
        &mut self,
        _: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<Result<NResult, BusError>> {
        match message {
            [0xDE, 0xAD] => return Poll::Ready(Err(BusError::new("broken"))),
            [0xFF, ..] => return Poll::Ready(Ok(NResult::TimeoutBs)),
            [0xEE, ..] => return Poll::Pending,
            _ => self.messages.push_back(message.to_vec()),
        }
        self.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(NResult::Ok))
    }

    fn cancel_send(&mut self) {}

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Vec<u8>,
    ) -> Poll<Result<Incoming, BusError>> {
        match self.messages.pop_front() {
            Some(next) => {
                *message = next;
                Poll::Ready(Ok(Incoming::Message))
            }
            None => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Takes links without padding, and counts what it was asked for.
#[derive(Clone, Default)]
pub(crate) struct Mirrors(pub(crate) Arc<Mutex<u32>>);

impl Channels for Mirrors {
    fn open<'a>(
        &'a self,
        _: &'a Address,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<Opened, ConnectError>> {
        *self.0.lock().unwrap() += 1;
        let padded = config.protocol.transmit.pad_to_8;
        Box::pin(async move {
            if padded {
                let reason = "transmit.pad_to_8".to_owned();
                let permit = Permit::default();
                return Ok(Opened::Declined { reason, permit });
            }
            Ok(Opened::Channel {
                channel: Box::new(Mirror::default()),
                guarantees: Guarantees::NONE.with(|can| can.confirmation = true),
                path: Path::new("mirror"),
            })
        })
    }
}
