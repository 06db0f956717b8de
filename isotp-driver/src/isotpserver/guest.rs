//! One TCP client of a bridge.

use core::task::{Context, Poll, ready};
use std::collections::VecDeque;
use std::sync::Arc;

use super::codec::{Decoder, MAX_MESSAGE};
use super::{READS_A_TURN, poll_discard};
use crate::connection::Connection;
use crate::error::SendError;
use crate::line::Target;
use crate::runtime::Stream;

/// | state | input | next |
/// |---|---|---|
/// | Open | a message from it | it is sent; nothing more is read until it is over |
/// | Open | it takes nothing any more | what is for it is dropped; what it sent is still there to be read |
/// | Open | its end; it does not read; closed for a failure | Gone, once its message is over |
/// | Open | the bridge ends | Told, once it has all that is for it |
/// | Told | its end | Gone |
///
/// A message that is on its way goes on without it: somebody asked for that. It keeps its place among the
/// clients until then, so that there are never more messages under way than clients allowed.
pub(super) struct Guest<S> {
    /// `None` when it is gone.
    stream: Option<S>,
    /// It knows that nothing more comes.
    told: bool,
    decoder: Decoder,
    /// Bytes that were read, and which of them are not decoded.
    bytes: Box<[u8; 1024]>,
    unread: (usize, usize),
    /// Its message that is on its way, by the number in the outbox.
    sending: Option<u64>,
    /// Messages for it, as they go over the wire.
    queue: VecDeque<Arc<[u8]>>,
    room: usize,
    /// Bytes of the first of them that are written.
    written: usize,
}

impl<S: Stream> Guest<S> {
    pub(super) fn new(stream: S, room: usize) -> Self {
        Self {
            stream: Some(stream),
            told: false,
            decoder: Decoder::new(MAX_MESSAGE),
            bytes: Box::new([0; 1024]),
            unread: (0, 0),
            sending: None,
            queue: VecDeque::new(),
            room: room.max(1),
            written: 0,
        }
    }

    /// A message for it. If it does not read, it is closed.
    pub(super) fn queue(&mut self, text: Arc<[u8]>, cx: &mut Context<'_>) {
        if self.stream.is_none() {
            return;
        }
        self.queue.push_back(text);
        if self.queue.len() > self.room {
            self.write(cx);
        }
        if self.queue.len() > self.room {
            self.close();
        }
    }

    /// Closes it at once.
    pub(super) fn close(&mut self) {
        self.stream = None;
        self.queue = VecDeque::new();
    }

    /// Goes on with both directions, for a turn: a client that sends without end does not keep other
    /// tasks from theirs. Ready when it is over.
    pub(super) fn poll(
        &mut self,
        connection: &Connection,
        close_on_error: bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.write(cx);
        let (line, mut reads) = (connection.line(), READS_A_TURN);
        for _ in 0..MESSAGES_A_TURN {
            if let Some(number) = self.sending {
                let outcome = line.poll_sent(Target::Physical, number, cx.waker());
                let Some(outcome) = outcome else {
                    return Poll::Pending;
                };
                self.sending = None;
                if matches!(outcome, Err(SendError::Failed(_))) && close_on_error {
                    self.close();
                }
            }
            let Some(message) = ready!(self.poll_message(&mut reads, cx)) else {
                self.close();
                return Poll::Ready(());
            };
            // what is too long for the connection's way is dropped, as all that is no message here
            if let Ok(payload) = connection.check(message.into()) {
                match line.send(Target::Physical, payload, None) {
                    Ok(number) => self.sending = Some(number),
                    // there may still be something for it
                    Err(SendError::Connection(_)) => return Poll::Pending,
                    Err(_) => {}
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what is for it, then its end, and reads until it has closed as well. Ready when it is over.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.write(cx);
        if self.queue.is_empty()
            && !self.told
            && let Some(stream) = &mut self.stream
            && let Poll::Ready(told) = stream.poll_close(cx)
        {
            if told.is_err() {
                return Poll::Ready(());
            }
            self.told = true;
        }
        self.poll_discard(cx)
    }

    /// Reads what nobody wants any more. Ready at its end.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(stream) = &mut self.stream {
            ready!(poll_discard(stream, &mut self.bytes[..], cx));
        }
        self.close();
        Poll::Ready(())
    }

    /// Whether it has all, and knows it.
    pub(super) const fn is_told(&self) -> bool {
        self.told
    }

    /// The next message that it sent; `None` at the end. Where all `reads` bring none, it goes on later.
    fn poll_message(&mut self, reads: &mut usize, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        loop {
            let unread = self.bytes.get(self.unread.0..self.unread.1);
            let (used, message) = self.decoder.decode(unread.unwrap_or_default());
            self.unread.0 += used;
            let Some(stream) = &mut self.stream else {
                return Poll::Ready(None);
            };
            if let Some(message) = message {
                return Poll::Ready(Some(message.to_vec()));
            }
            let Some(left) = reads.checked_sub(1) else {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            *reads = left;
            match ready!(stream.poll_read(cx, &mut self.bytes[..])) {
                Ok(0) | Err(_) => return Poll::Ready(None),
                Ok(read) => self.unread = (0, read),
            }
        }
    }

    /// Writes what it is to get.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) {
        if self.poll_write(cx).is_ready() {
            self.queue = VecDeque::new();
        }
    }

    /// Ready when it takes nothing any more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else {
            return Poll::Pending;
        };
        while let Some(text) = self.queue.front() {
            let left = text.get(self.written..).unwrap_or_default();
            if left.is_empty() {
                self.queue.pop_front();
                self.written = 0;
                continue;
            }
            match ready!(stream.poll_write(cx, left)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(written) => self.written += written,
            }
        }
        Poll::Pending
    }
}

const MESSAGES_A_TURN: usize = 16;
