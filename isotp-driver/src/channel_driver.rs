//! The task of a connection whose backend carries whole messages.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use isotp_core::{NResult, Payload, Refused};

use crate::bus::BusError;
use crate::channel::{Incoming, MessageChannel};
use crate::error::{ConnectionError, SendError};
use crate::hub::{Hub, Phase, Word};
use crate::line::{Line, Target};
use crate::message::Message;
use crate::payload::Outgoing;

/// Moves messages between a channel and its connection.
pub(crate) struct ChannelDriver {
    channel: Box<dyn MessageChannel>,
    hub: Arc<Hub>,
    line: Arc<Line>,
    word: Word,
    /// The message that is being sent.
    sending: Option<Vec<u8>>,
    received: Vec<u8>,
    max_message: u32,
}

impl ChannelDriver {
    pub(crate) fn new(
        channel: Box<dyn MessageChannel>,
        hub: Arc<Hub>,
        line: Arc<Line>,
        max_message: u32,
    ) -> Self {
        Self {
            channel,
            hub,
            line,
            word: Word::default(),
            sending: None,
            received: Vec::new(),
            max_message,
        }
    }

    /// One step: `Ready` when the task is over, `Pending` with `false` if it sleeps.
    fn step(&mut self, cx: &mut Context<'_>) -> Result<Poll<bool>, BusError> {
        let phase = self.hub.take(&mut self.word);
        self.word.changed.clear();
        if let Phase::Abandoned | Phase::Over(_) = phase {
            return Ok(Poll::Ready(true));
        }
        let closing = matches!(phase, Phase::Closing);
        if closing {
            self.line.begin_close();
        }
        let work = self.line.take_work();
        if work.abort_send && self.sending.take().is_some() {
            self.channel.cancel_send();
            self.line.finish_send(Target::Physical, Ok(()));
        }
        self.start();
        let mut busy = false;
        if let Some(message) = &self.sending
            && let Poll::Ready(result) = self.channel.poll_send(cx, message)
        {
            self.sending = None;
            let outcome = match result? {
                NResult::Ok => Ok(()),
                result => Err(SendError::Failed(result)),
            };
            self.line.finish_send(Target::Physical, outcome);
            busy = true;
        }
        if self.line.may_leave() {
            return Ok(Poll::Ready(true));
        }
        self.received.clear();
        if let Poll::Ready(incoming) = self.channel.poll_receive(cx, &mut self.received) {
            self.deliver(incoming?);
            busy = true;
        }
        if !busy && self.hub.sleep(cx.waker(), closing) {
            return Ok(Poll::Pending);
        }
        Ok(Poll::Ready(false))
    }

    fn start(&mut self) {
        while let Some(payload) = self.line.start_send(Target::Functional) {
            let error = isotp_core::SendError::NoFunctionalId;
            self.refuse(Target::Functional, error, payload);
        }
        while self.sending.is_none() {
            let Some(payload) = self.line.start_send(Target::Physical) else {
                return;
            };
            let size = payload.size();
            self.sending = payload.gather();
            if self
                .sending
                .as_ref()
                .is_none_or(|message| message.len() != size as usize)
            {
                self.sending = None;
                let failed = SendError::Failed(NResult::Error(isotp_core::Cause::NoData));
                self.line.finish_send(Target::Physical, Err(failed));
            }
        }
    }

    fn deliver(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Message if self.received.len() > self.max_message as usize => {
                self.line.lag(1);
            }
            Incoming::Message => {
                let bytes = core::mem::take(&mut self.received);
                let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                self.line.deliver(Message::new(bytes, size, false, 0));
            }
            Incoming::Failed(result) => self.line.reception_failed(result, true),
        }
    }

    fn refuse(&self, target: Target, error: isotp_core::SendError, payload: Outgoing) {
        let refused = Refused { error, payload };
        self.line
            .finish_send(target, Err(SendError::Refused(refused)));
    }

    fn end(&self, error: &ConnectionError) {
        self.hub.end(error.clone());
        self.line.end(error);
    }
}

impl Future for ChannelDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        for _ in 0..STEPS {
            match driver.step(cx) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(false)) => {}
                Ok(Poll::Ready(true)) => {
                    driver.end(&ConnectionError::Closed);
                    return Poll::Ready(());
                }
                Err(error) => {
                    driver.end(&ConnectionError::Bus(error));
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for ChannelDriver {
    /// If the task did not end by itself, its runtime is gone.
    fn drop(&mut self) {
        self.end(&ConnectionError::Stopped);
    }
}

/// Steps until the task yields.
const STEPS: usize = 16;
