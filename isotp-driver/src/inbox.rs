//! The queue of a connection's received messages and indications.

use std::collections::VecDeque;

use crate::message::{Event, Message};
use crate::wakers::Wakers;

/// Bounded: so many messages, one of which may only be announced, and as many indications again.
///
/// Invariant: `messages + reserved <= capacity`.
#[derive(Debug)]
pub(crate) struct Inbox {
    queue: VecDeque<Event>,
    /// [`Event::Message`] in the queue.
    messages: usize,
    capacity: usize,
    /// A segmented message has its place already.
    reserved: bool,
    /// The receiver asked for a place and got none.
    refused: bool,
    pub(crate) readers: Wakers,
}

impl Inbox {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            messages: 0,
            capacity,
            reserved: false,
            refused: false,
            readers: Wakers::default(),
        }
    }

    /// Keeps a place for a segmented message.
    pub(crate) fn reserve(&mut self) -> bool {
        self.refused = self.is_full();
        self.reserved |= !self.refused;
        !self.refused
    }

    /// The announced message will not come.
    pub(crate) fn release(&mut self) {
        self.reserved = false;
    }

    /// The announced message.
    pub(crate) fn push_reserved(&mut self, message: Message) {
        self.reserved = false;
        self.messages += 1;
        self.queue.push_back(Event::Message(message));
    }

    /// A message without a place; it is lost if there is none.
    pub(crate) fn push(&mut self, message: Message) {
        if self.is_full() {
            return self.lag(1);
        }
        self.messages += 1;
        self.queue.push_back(Event::Message(message));
    }

    /// Messages were lost.
    pub(crate) fn lag(&mut self, lost: u32) {
        if let Some(Event::Lagged(before)) = self.queue.back_mut() {
            *before = before.saturating_add(lost);
        } else {
            self.note(Event::Lagged(lost));
        }
    }

    /// An indication. While nobody reads, the oldest go first.
    pub(crate) fn note(&mut self, event: Event) {
        if self.queue.len() - self.messages >= self.capacity.max(MIN_NOTES) {
            let oldest = self.queue.iter().position(|event| !is_message(event));
            oldest.and_then(|at| self.queue.remove(at));
        }
        self.queue.push_back(event);
    }

    /// The next event.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.messages -= usize::from(is_message(&event));
        if self.queue.is_empty() && self.queue.capacity() > KEPT {
            self.queue.shrink_to(KEPT);
        }
        Some(event)
    }

    /// The next message; whatever is before it is dropped.
    pub(crate) fn pop_message(&mut self) -> Option<Message> {
        loop {
            if let Event::Message(message) = self.pop()? {
                return Some(message);
            }
        }
    }

    /// Whether [`take_refused`](Self::take_refused) would say so.
    pub(crate) fn wants_service(&self) -> bool {
        self.refused && !self.is_full()
    }

    /// Whether the receiver must be asked again, since there is a place now. Once.
    pub(crate) fn take_refused(&mut self) -> bool {
        !self.is_full() && core::mem::take(&mut self.refused)
    }

    fn is_full(&self) -> bool {
        self.messages + usize::from(self.reserved) >= self.capacity
    }
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::Message(_))
}

/// So many indications are kept, however short the queue.
const MIN_NOTES: usize = 8;
/// Places whose memory an empty queue keeps.
const KEPT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(byte: u8) -> Message {
        Message::new(vec![byte], 1, false, 0)
    }

    #[test]
    fn a_reserved_place_is_not_given_to_another_message() {
        let mut inbox = Inbox::new(2);
        assert!(inbox.reserve());
        inbox.push(message(1));
        inbox.push(message(2));
        inbox.push_reserved(message(3));
        assert_eq!(inbox.pop(), Some(Event::Message(message(1))));
        assert_eq!(inbox.pop(), Some(Event::Lagged(1)));
        assert_eq!(inbox.pop(), Some(Event::Message(message(3))));
        assert_eq!(inbox.pop(), None);
    }

    #[test]
    fn a_refused_receiver_is_asked_again_once() {
        let mut inbox = Inbox::new(1);
        inbox.push(message(1));
        assert!(!inbox.reserve());
        assert!(!inbox.take_refused());
        inbox.pop();
        assert!(inbox.take_refused());
        assert!(!inbox.take_refused());
    }

    #[test]
    fn lost_messages_are_counted_in_one_event() {
        let mut inbox = Inbox::new(1);
        for byte in 0..5 {
            inbox.push(message(byte));
        }
        assert_eq!(inbox.pop(), Some(Event::Message(message(0))));
        assert_eq!(inbox.pop(), Some(Event::Lagged(4)));
    }

    #[test]
    fn indications_that_nobody_reads_are_bounded() {
        let mut inbox = Inbox::new(1);
        inbox.push(message(9));
        for size in 0..1000 {
            inbox.note(Event::FirstFrame { size, source: 0 });
        }
        assert_eq!(inbox.queue.len(), 1 + MIN_NOTES);
        assert_eq!(inbox.pop_message(), Some(message(9)));
        let oldest = 1000 - MIN_NOTES as u32;
        let first = Event::FirstFrame {
            size: oldest,
            source: 0,
        };
        assert_eq!(inbox.pop(), Some(first));
    }
}
