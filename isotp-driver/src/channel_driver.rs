//! The task of a connection whose backend carries whole messages.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use isotp_core::{NResult, Payload, Refused};

use crate::bus::BusError;
use crate::channel::{BoxFuture, Incoming, MessageChannel};
use crate::error::{ConnectionError, SendError};
use crate::hub::{Hub, Phase, Word};
use crate::letting_go::let_go;
use crate::line::{Line, Target};
use crate::message::Message;
use crate::payload::Outgoing;
use crate::runtime::{AnyRuntime, Timer};

/// Moves messages between a channel and its connection.
pub(crate) struct ChannelDriver {
    state: State,
    hub: Arc<Hub>,
    line: Arc<Line>,
    word: Word,
    /// The message that is being sent.
    sending: Option<Vec<u8>>,
    received: Vec<u8>,
    runtime: Arc<dyn AnyRuntime>,
    /// While it closes: when the message that is being sent is given up.
    patience: Option<Box<dyn Timer>>,
}

/// | state | input | next |
/// |---|---|---|
/// | Open | the connection closes, and all is sent or stands still | Leaving |
/// | Open, Leaving | the connection is dropped, the channel fails | the task ends |
/// | Leaving | the channel is closed | the task ends |
enum State {
    Open(Box<dyn MessageChannel>),
    Leaving(BoxFuture<'static, ()>),
}

impl ChannelDriver {
    pub(crate) fn new(
        runtime: Arc<dyn AnyRuntime>,
        channel: Box<dyn MessageChannel>,
        hub: Arc<Hub>,
        line: Arc<Line>,
    ) -> Self {
        Self {
            state: State::Open(channel),
            hub,
            line,
            word: Word::default(),
            sending: None,
            received: Vec::new(),
            runtime,
            patience: None,
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
        let State::Open(channel) = &mut self.state else {
            return Ok(self.poll_left(cx, closing));
        };
        let work = self.line.take_work();
        if work.abort_send && self.sending.take().is_some() {
            channel.cancel_send();
            let aborted = SendError::Failed(NResult::Error(isotp_core::Cause::Aborted));
            self.line.finish_send(Target::Physical, Err(aborted));
        }
        self.start();
        let State::Open(channel) = &mut self.state else {
            return Ok(Poll::Ready(true));
        };
        let mut busy = false;
        if let Some(message) = &self.sending
            && let Poll::Ready(result) = channel.poll_send(cx, message)
        {
            let size = u32::try_from(message.len()).unwrap_or(u32::MAX);
            self.sending = None;
            let outcome = match result? {
                NResult::Ok => Ok(size),
                result => Err(SendError::Failed(result)),
            };
            self.line.finish_send(Target::Physical, outcome);
            self.patience = None;
            busy = true;
        }
        let patience = channel.close_patience();
        if self.line.may_leave() || (work.closing && self.is_given_up(patience, cx)) {
            self.leave();
            return Ok(Poll::Ready(false));
        }
        self.received.clear();
        let State::Open(channel) = &mut self.state else {
            return Ok(Poll::Ready(false));
        };
        let asks = work.closing || !channel.waits() || self.line.has_room();
        if asks && let Poll::Ready(incoming) = channel.poll_receive(cx, &mut self.received) {
            self.deliver(incoming?);
            busy = true;
        }
        if !busy && self.hub.sleep(cx.waker(), closing) {
            return Ok(Poll::Pending);
        }
        Ok(Poll::Ready(false))
    }

    /// Whether it has stood still for too long while it should close.
    fn is_given_up(&mut self, patience: Option<Duration>, cx: &mut Context<'_>) -> bool {
        let Some(patience) = patience else {
            return false;
        };
        let timer = self.patience.get_or_insert_with(|| {
            let mut timer = self.runtime.timer();
            timer.set(Some(self.runtime.now() + patience));
            timer
        });
        timer.poll_fired(cx).is_ready()
    }

    /// All is sent, or will never be.
    fn leave(&mut self) {
        let nothing = State::Leaving(Box::pin(core::future::ready(())));
        if let State::Open(channel) = core::mem::replace(&mut self.state, nothing) {
            self.state = State::Leaving(channel.close());
        }
    }

    /// `Ready` with `true` when the channel is closed.
    fn poll_left(&mut self, cx: &mut Context<'_>, closing: bool) -> Poll<bool> {
        if let State::Leaving(left) = &mut self.state
            && left.as_mut().poll(cx).is_pending()
        {
            return match self.hub.sleep(cx.waker(), closing) {
                true => Poll::Pending,
                false => Poll::Ready(false),
            };
        }
        Poll::Ready(true)
    }

    fn start(&mut self) {
        while let Some((target, payload, _)) = self.line.start_send(&[Target::Functional]) {
            let error = isotp_core::SendError::NoFunctionalId;
            self.refuse(target, error, payload);
        }
        while self.sending.is_none() {
            let Some((_, payload, _)) = self.line.start_send(&[Target::Physical]) else {
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
            Incoming::Message if self.received.len() > self.line.longest() as usize => {
                self.line.lag(1);
            }
            Incoming::Message => {
                let bytes = core::mem::take(&mut self.received);
                let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                self.line.deliver(Message::new(bytes, size, false, 0));
            }
            Incoming::Failed(result) => self.line.reception_failed(result, false),
        }
    }

    fn refuse(&self, target: Target, error: isotp_core::SendError, payload: Outgoing) {
        let refused = Refused { error, payload };
        self.line
            .finish_send(target, Err(SendError::Refused(refused)));
    }

    fn end(&mut self, error: &ConnectionError) {
        // gone before anybody is told, who may want the address
        let nothing = State::Leaving(Box::pin(core::future::ready(())));
        let_go(core::mem::replace(&mut self.state, nothing));
        let (_, closers) = self.hub.end(error.clone());
        let left = self.line.end(error);
        closers.wake();
        left.into_iter().for_each(let_go);
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
