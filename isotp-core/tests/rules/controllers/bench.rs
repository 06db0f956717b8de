//! Two links on one bus, and controllers that misbehave.

use isotp_core::{Config, Frame, Instant, Machine as _, TxToken};

use crate::node::{Node, tester};

/// What a controller does with the frames that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    /// It says of each frame that it will never take it.
    Refuses,
    /// It never has room.
    Full,
    /// It takes each frame and hands it back, without end.
    HandsBack,
    /// It hands each frame back once.
    HandsBackOnce,
    /// It confirms so many milliseconds after the frame was on the bus.
    ConfirmsAfter(u64),
    /// It confirms each frame twice, and then says that it failed.
    ConfirmsTwice,
    ConfirmsNever,
    /// It says of each frame that was on the bus that it failed, so many milliseconds later.
    FailsAfter(u64),
    /// So many frames reach the bus; those after them are handed back, all at once, and then it has no
    /// room any more.
    BusOffAfter(u32),
}

/// A node with its controller. Ends are 0 and 1.
struct End {
    node: Node,
    mood: Mood,
    /// Frames that the controller took in this mood, and whether it is off the bus.
    taken: u32,
    off: bool,
    /// Events, with the milliseconds.
    heard: Vec<(u64, String)>,
}

/// What will happen.
enum Action {
    Deliver(Frame),
    Confirm(TxToken),
    Fail(TxToken),
}

pub(super) struct Bench {
    ends: [End; 2],
    /// At which time, to which end.
    agenda: Vec<(u64, usize, Action)>,
    now: u64,
}

impl Bench {
    pub(super) fn new(config: &Config) -> Self {
        let end = |address| End {
            node: Node::new(address, config),
            mood: Mood::Works,
            taken: 0,
            off: false,
            heard: Vec::new(),
        };
        Self {
            ends: [end(tester()), end(tester().reversed())],
            agenda: Vec::new(),
            now: 0,
        }
    }

    pub(super) fn set_mood(&mut self, end: usize, mood: Mood) {
        self.ends[end].mood = mood;
        self.ends[end].taken = 0;
        self.ends[end].off = false;
    }

    pub(super) fn send(&mut self, end: usize, message: Vec<u8>) {
        self.ends[end].node.request(self.now * 1000, message);
    }

    pub(super) fn send_functional(&mut self, message: Vec<u8>) {
        let now = Instant::from_millis(self.now);
        self.ends[0]
            .node
            .link
            .send_functional(now, message)
            .unwrap();
    }

    /// Lets things happen until both links are at rest. Confirmations may still be due.
    pub(super) fn run(&mut self) {
        for _ in 0..10_000 {
            (0..2).for_each(|end| self.transmit(end));
            let deadlines = self.ends.iter().filter_map(|end| end.node.deadline());
            let Some(deadline) = deadlines.min() else {
                let delivers = |(_, _, action): &_| matches!(action, Action::Deliver(_));
                if !self.agenda.iter().any(delivers) {
                    return self.rest();
                }
                self.advance(u64::MAX);
                continue;
            };
            self.advance(deadline.div_ceil(1000));
        }
        panic!("the links never come to rest: {:?}", self.heard());
    }

    /// Lets the reports come that are still due, while both links are at rest.
    pub(super) fn settle(&mut self) {
        while self.owes() {
            self.advance(u64::MAX);
            self.run();
        }
    }

    /// What each end heard since the last call.
    pub(super) fn heard(&mut self) -> [Vec<(u64, String)>; 2] {
        self.ends
            .each_mut()
            .map(|end| core::mem::take(&mut end.heard))
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Whether a confirmation of a message that is over is still to come.
    pub(super) fn owes(&self) -> bool {
        !self.agenda.is_empty()
    }

    fn rest(&self) {
        for end in &self.ends {
            let link = &end.node.link;
            assert!(!link.is_sending() && !link.is_receiving(), "busy at rest");
        }
    }

    /// To the next thing on the agenda, but no further than `deadline`.
    fn advance(&mut self, deadline: u64) {
        let next = self.agenda.iter().map(|(at, ..)| *at).min();
        self.now = next.unwrap_or(u64::MAX).min(deadline).max(self.now);
        let micros = self.now * 1000;
        let instant = Instant::from_micros(micros);
        while let Some(index) = self.agenda.iter().position(|(at, ..)| *at <= self.now) {
            let (_, end, action) = self.agenda.remove(index);
            let link = &mut self.ends[end].node.link;
            match action {
                Action::Deliver(frame) => link.handle_frame(instant, frame.view()),
                Action::Confirm(token) => link.handle_transmitted(instant, token),
                Action::Fail(token) => {
                    link.handle_failed(instant, token);
                    let end = &mut self.ends[end];
                    end.off = matches!(end.mood, Mood::BusOffAfter(_));
                }
            }
            self.listen(end);
        }
        for end in 0..2 {
            self.ends[end].node.pass_time(micros);
            self.listen(end);
        }
    }

    /// Offers frames to the controller of `end` until it takes no more.
    fn transmit(&mut self, end: usize) {
        let (instant, mut frame) = (Instant::from_millis(self.now), Frame::new());
        for _ in 0..1000 {
            let End {
                node,
                mood,
                taken,
                off,
                ..
            } = &mut self.ends[end];
            let Some(offer) = node.link.poll_transmit(instant, &mut frame) else {
                return;
            };
            match mood {
                Mood::Refuses => {
                    offer.reject(instant);
                    self.listen(end);
                    continue;
                }
                Mood::Full => return,
                _ if *off => return,
                _ => {}
            }
            *taken += 1;
            let (taken, mood, token) = (*taken, *mood, offer.commit(instant));
            self.listen(end);
            self.schedule(end, mood, taken, token, &frame);
        }
        panic!("a link sends without end");
    }

    /// What comes of a frame that was taken; on the bus it takes a millisecond.
    fn schedule(&mut self, end: usize, mood: Mood, taken: u32, token: TxToken, frame: &Frame) {
        let (sent, fail) = (self.now + 1, Action::Fail(token));
        let (crosses, confirmed) = match mood {
            Mood::HandsBack => (false, None),
            Mood::HandsBackOnce => (taken.is_multiple_of(2), Some(sent)),
            Mood::BusOffAfter(count) => (taken <= count, Some(sent)),
            Mood::ConfirmsAfter(millis) => (true, Some(sent + millis)),
            Mood::ConfirmsNever => (true, None),
            _ => (true, Some(sent)),
        };
        if !crosses {
            return self.agenda.push((sent + 9, end, fail));
        }
        if let Mood::FailsAfter(millis) = mood {
            self.agenda.push((sent + millis, end, fail));
        } else if let Some(at) = confirmed {
            self.agenda.push((at, end, Action::Confirm(token)));
        }
        let delivery = Action::Deliver(frame.clone());
        self.agenda.push((sent, 1 - end, delivery));
        if mood == Mood::ConfirmsTwice {
            let again = [Action::Confirm(token), Action::Fail(token)];
            let again = again.into_iter().zip(1..);
            let again = again.map(|(action, after)| (sent + after, end, action));
            self.agenda.extend(again);
        }
    }

    fn listen(&mut self, end: usize) {
        let now = self.now;
        let end = &mut self.ends[end];
        let events = end.node.events().into_iter();
        end.heard.extend(events.map(|event| (now, event)));
    }
}
