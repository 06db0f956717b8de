//! The queue of a connection's received messages and indications.

use std::collections::VecDeque;

use isotp_core::NResult;

use crate::message::{Event, Message};
use crate::wakers::Wakers;

/// Bounded: so many messages, one of which may only be announced, and as many indications again, or 8.
///
/// What goes first when there are more indications: the oldest first frame or failed reception; then
/// the oldest two losses become one; then the oldest failed transmission. No loss is ever uncounted.
///
/// Invariant: `messages + reserved <= capacity`, once what was here before a change of it is taken.
#[derive(Debug)]
pub(crate) struct Inbox {
    queue: VecDeque<Event>,
    /// [`Event::Message`] in the queue.
    messages: usize,
    capacity: usize,
    /// A segmented message has its place already.
    reserved: bool,
    /// How many segmented messages got a place, or wanted one, here or elsewhere.
    receptions: u32,
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
            receptions: 0,
            refused: false,
            readers: Wakers::default(),
        }
    }

    /// Keeps a place for a segmented message.
    pub(crate) fn reserve(&mut self) -> bool {
        self.number_reception();
        let room = self.has_room();
        self.reserved |= room;
        room
    }

    /// Whether there is a place; if not, whoever asks is to be told when there is one.
    pub(crate) fn has_room(&mut self) -> bool {
        self.refused = self.is_full();
        !self.refused
    }

    /// A number for a segmented message, unlike that of the one before.
    pub(crate) const fn number_reception(&mut self) -> u32 {
        self.receptions = self.receptions.wrapping_add(1);
        self.receptions
    }

    /// The announced message will not come. With `another`, the next one has its place.
    pub(crate) const fn fail_reserved(&mut self, another: bool) {
        self.reserved = another;
        self.number_reception();
    }

    /// The announced message.
    pub(crate) fn push_reserved(&mut self, message: Message) {
        self.reserved = false;
        self.messages += 1;
        self.queue.push_back(Event::Message(message));
    }

    /// A message without a place; it is lost if there is none, and this `false`.
    pub(crate) fn push(&mut self, message: Message) -> bool {
        if self.is_full() {
            self.lag(1);
            return false;
        }
        self.messages += 1;
        self.queue.push_back(Event::Message(message));
        true
    }

    /// So many messages from now on. Those that are here stay, be they more.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// Messages were lost.
    pub(crate) fn lag(&mut self, lost: u32) {
        if let Some(Event::Lagged(before)) = self.queue.back_mut() {
            *before = before.saturating_add(lost);
        } else {
            self.note(Event::Lagged(lost));
        }
    }

    /// An indication.
    pub(crate) fn note(&mut self, event: Event) {
        if self.has_room_for(&event) {
            self.queue.push_back(event);
        }
    }

    /// Makes room for an indication, if it is worth that.
    fn has_room_for(&mut self, event: &Event) -> bool {
        if self.queue.len() - self.messages < self.capacity.max(MIN_NOTES) {
            return true;
        }
        if self.forget_oldest(is_passing) {
            return true;
        }
        if is_passing(event) {
            return false;
        }
        self.merge_losses() || self.forget_oldest(is_failed_send)
    }

    fn forget_oldest(&mut self, which: fn(&Event) -> bool) -> bool {
        let oldest = self.queue.iter().position(which);
        oldest.and_then(|at| self.queue.remove(at)).is_some()
    }

    /// Makes one of the oldest two indications of losses.
    fn merge_losses(&mut self) -> bool {
        let lost = |(at, event): (usize, &Event)| match event {
            Event::Lagged(lost) => Some((at, *lost)),
            _ => None,
        };
        let mut losses = self.queue.iter().enumerate().filter_map(lost);
        let (Some((first, lost)), Some((second, _))) = (losses.next(), losses.next()) else {
            return false;
        };
        if let Some(Event::Lagged(sum)) = self.queue.get_mut(second) {
            *sum = sum.saturating_add(lost);
        }
        self.queue.remove(first);
        true
    }

    /// The next event.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.messages -= usize::from(is_message(&event));
        if self.queue.is_empty() {
            // most connections have nothing most of the time
            self.queue = VecDeque::new();
        }
        Some(event)
    }

    /// The next message; whatever is before it is dropped.
    pub(crate) fn pop_message(&mut self) -> Option<Message> {
        self.pop_message_or_failure(&mut None)
    }

    /// The next message; of what is before it, the last failed reception is noted.
    pub(crate) fn pop_message_or_failure(
        &mut self,
        failed: &mut Option<NResult>,
    ) -> Option<Message> {
        loop {
            match self.pop()? {
                Event::Message(message) => return Some(message),
                Event::Failed(result) => *failed = Some(result),
                _ => {}
            }
        }
    }

    /// The number of the segmented message that has begun and has its place here, if there is one.
    pub(crate) fn reception(&self) -> Option<u32> {
        self.reserved.then_some(self.receptions)
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

/// About a reception, whose message says the same or which the sender repeats.
fn is_passing(event: &Event) -> bool {
    matches!(event, Event::FirstFrame { .. } | Event::Failed(_))
}

fn is_failed_send(event: &Event) -> bool {
    matches!(event, Event::SendFailed(_) | Event::SendRefused(_))
}

/// So many indications are kept, however short the queue.
const MIN_NOTES: usize = 8;

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
    fn drain(inbox: &mut Inbox) -> Vec<Event> {
        core::iter::from_fn(|| inbox.pop()).collect()
    }

    #[test]
    fn no_flood_of_indications_hides_a_loss_or_a_failed_transmission() {
        let mut inbox = Inbox::new(1);
        let failed = Event::SendFailed(NResult::TimeoutBs);
        inbox.push(message(1));
        inbox.push(message(2));
        inbox.note(failed.clone());
        for size in 0..100 {
            inbox.note(Event::FirstFrame { size, source: 0 });
            inbox.note(Event::Failed(NResult::TimeoutCr));
        }
        let events = drain(&mut inbox);
        assert_eq!(events.len(), 1 + MIN_NOTES);
        let expected = [Event::Message(message(1)), Event::Lagged(1), failed];
        assert_eq!(events.get(..3), Some(&expected[..]));
    }

    #[test]
    fn losses_are_added_up_where_there_is_no_room_for_each() {
        let mut inbox = Inbox::new(1);
        let failed = Event::SendFailed(NResult::TimeoutBs);
        inbox.push(message(0));
        for _ in 0..50 {
            inbox.push(message(1));
            inbox.note(failed.clone());
        }
        inbox.note(Event::FirstFrame { size: 9, source: 0 });
        let events = drain(&mut inbox);
        let lost = events.iter().map(|event| match event {
            Event::Lagged(lost) => *lost,
            _ => 0,
        });
        assert_eq!(lost.sum::<u32>(), 50);
        assert_eq!(events.len(), 1 + MIN_NOTES);
        assert_eq!(events.last(), Some(&failed));
    }
}
