//! Connections as streams and sinks of messages.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::Stream;
use futures_sink::Sink;

use super::{Connection, Facts, RecvHalf, SendHalf};
use crate::error::{ConnectionError, SendError};
use crate::inbox::Inbox;
use crate::line::{Line, Target};
use crate::message::Message;

/// Messages until the connection is over; [`recv`](Connection::recv) tells why it is.
impl Stream for Connection {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let this = self.get_mut();
        this.reading.poll(&this.line, cx).map(Result::ok)
    }
}

/// Messages until the connection is over; [`recv`](RecvHalf::recv) tells why it is.
impl Stream for RecvHalf {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let this = self.get_mut();
        let line = &this.connection.line;
        this.reading.poll(line, cx).map(Result::ok)
    }
}

/// Sends messages in order.
///
/// It has room for [`Config::send_queue`](crate::Config::send_queue) messages that are not confirmed;
/// flushed, all are. A message that fails is told by the next call, once, and those behind it are sent
/// all the same. Closing flushes, and leaves the bus.
impl<M: Into<Vec<u8>>> Sink<M> for Connection {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.sending.poll_room(&this.line, cx)
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), SendError> {
        let this = self.get_mut();
        this.sending.start(&this.line, &this.facts, message.into())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.sending.poll_flush(&this.line, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.sending.poll_close(&this.line, cx)
    }
}

/// As that of [`Connection`]. Closing leaves the bus, for the other half too. Dropping it takes back
/// what is not confirmed: flush it before.
impl<M: Into<Vec<u8>>> Sink<M> for SendHalf {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.sending.poll_room(&this.connection.line, cx)
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), SendError> {
        let this = self.get_mut();
        let Connection { line, facts, .. } = &*this.connection;
        this.sending.start(line, facts, message.into())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.sending.poll_flush(&this.connection.line, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.sending.poll_close(&this.connection.line, cx)
    }
}

/// A stream's wait for a message.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    key: Option<u64>,
}

impl Reading {
    pub(crate) fn poll(
        &mut self,
        line: &Arc<Line>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Message, ConnectionError>> {
        line.poll_take(Inbox::pop_message, Some((&mut self.key, cx)))
    }

    /// The stream is dropped.
    pub(super) fn forget(&self, line: &Line) {
        if self.key.is_some() {
            line.forget_reader(self.key);
        }
    }
}

/// What a sink has sent, or is about to.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// Messages whose outcome is not taken, by their numbers in the outbox, in order.
    unconfirmed: VecDeque<u64>,
    /// Its wait for the end.
    key: Option<u64>,
}

impl Sending {
    pub(crate) fn poll_room(
        &mut self,
        line: &Line,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.poll(line, cx, line.send_queue().saturating_sub(1))
    }

    pub(crate) fn start(
        &mut self,
        line: &Arc<Line>,
        facts: &Facts,
        message: Vec<u8>,
    ) -> Result<(), SendError> {
        let payload = facts.check(message.into()).map_err(SendError::Refused)?;
        let number = line.send(Target::Physical, payload, None)?;
        self.unconfirmed.push_back(number);
        Ok(())
    }

    pub(crate) fn poll_flush(
        &mut self,
        line: &Line,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.poll(line, cx, 0)
    }

    pub(crate) fn poll_close(
        &mut self,
        line: &Arc<Line>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        ready!(self.poll_flush(line, cx))?;
        line.close();
        line.poll_over(&mut self.key, cx).map(|_| Ok(()))
    }

    /// Ready when at most `left` messages are unconfirmed, or one has failed.
    fn poll(&mut self, line: &Line, cx: &Context<'_>, left: usize) -> Poll<Result<(), SendError>> {
        while let Some(number) = self.unconfirmed.front() {
            match line.poll_sent(Target::Physical, *number, cx.waker()) {
                Some(outcome) => {
                    self.unconfirmed.pop_front();
                    outcome?;
                }
                None if self.unconfirmed.len() > left => return Poll::Pending,
                None => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The sink is dropped: those that wait first, so that none of them begins.
    pub(super) fn cancel(&mut self, line: &Arc<Line>) {
        for number in self.unconfirmed.drain(..).rev() {
            line.cancel(Target::Physical, number);
        }
        line.forget_watcher(self.key);
    }
}
