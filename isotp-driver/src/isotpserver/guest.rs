//! One TCP client of a bridge.

use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::Arc;

use super::codec::{Decoder, MAX_MESSAGE};
use crate::error::SendError;
use crate::line::{Line, Target};
use crate::runtime::Stream;

pub(super) struct Guest<S> {
    stream: S,
    decoder: Decoder,
    /// Bytes that were read, and which of them are not decoded.
    bytes: Box<[u8; 1024]>,
    unread: (usize, usize),
    /// Its message that is on its way, by the number in the outbox, and the line that has it.
    sending: Option<(u64, Arc<Line>)>,
    /// Messages for it, as they go over the wire.
    queue: VecDeque<Arc<[u8]>>,
    room: usize,
    /// Bytes of the first of them that are written.
    written: usize,
}

impl<S: Stream> Guest<S> {
    pub(super) fn new(stream: S, room: usize) -> Self {
        Self {
            stream,
            decoder: Decoder::new(MAX_MESSAGE),
            bytes: Box::new([0; 1024]),
            unread: (0, 0),
            sending: None,
            queue: VecDeque::new(),
            room: room.max(1),
            written: 0,
        }
    }

    /// A message for it. `false` if it does not read, and is to be closed.
    pub(super) fn queue(&mut self, text: Arc<[u8]>) -> bool {
        self.queue.push_back(text);
        self.queue.len() <= self.room
    }

    /// Goes on with both directions, for a turn: a client that sends without end does not keep other
    /// tasks from theirs. Ready when it is over.
    pub(super) fn poll(
        &mut self,
        line: &Arc<Line>,
        close_on_error: bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.poll_write(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut reads = READS_A_TURN;
        for _ in 0..MESSAGES_A_TURN {
            if let Some((number, _)) = &self.sending {
                match line.poll_sent(Target::Physical, *number, cx.waker()) {
                    None => return Poll::Pending,
                    Some(outcome) => {
                        self.sending = None;
                        if matches!(outcome, Err(SendError::Failed(_))) && close_on_error {
                            return Poll::Ready(());
                        }
                    }
                }
            }
            match self.poll_message(&mut reads, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Ready(Some(message)) => {
                    match line.send(Target::Physical, message.into(), None) {
                        Ok(number) => self.sending = Some((number, line.clone())),
                        Err(_) => return Poll::Ready(()),
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The next message that it sent; `None` at the end. Where all `reads` bring none, it goes on later.
    fn poll_message(&mut self, reads: &mut usize, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        loop {
            let unread = self.bytes.get(self.unread.0..self.unread.1);
            let (used, message) = self.decoder.decode(unread.unwrap_or_default());
            self.unread.0 += used;
            if let Some(message) = message {
                return Poll::Ready(Some(message.to_vec()));
            }
            let Some(left) = reads.checked_sub(1) else {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            *reads = left;
            match self.stream.poll_read(cx, &mut self.bytes[..]) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(None),
                Poll::Ready(Ok(read)) => self.unread = (0, read),
            }
        }
    }

    /// Writes what it is to get. Ready when it takes nothing any more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(text) = self.queue.front() {
            let left = text.get(self.written..).unwrap_or_default();
            if left.is_empty() {
                self.queue.pop_front();
                self.written = 0;
                continue;
            }
            match self.stream.poll_write(cx, left) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(written)) => self.written += written,
            }
        }
        Poll::Pending
    }
}

impl<S> Drop for Guest<S> {
    /// Its message goes on: somebody asked for it to be sent.
    fn drop(&mut self) {
        if let Some((number, line)) = &self.sending {
            line.detach(Target::Physical, *number);
        }
    }
}

const MESSAGES_A_TURN: usize = 16;
const READS_A_TURN: usize = 16;
