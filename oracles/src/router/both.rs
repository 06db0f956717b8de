//! A router and separate links, as one subject of a script.

use std::collections::{HashMap, HashSet, VecDeque};

use isotp_core::{Frame, FrameView, Instant, Machine, Order, Timeout, Transmit, TxToken};
use isotp_sim::{Happening, Node};
use isotp_testkit::{Fleet, Setup, Subject, TestLink, paired_link};

use crate::{Verdict, ensure};

/// What the router is told, the links are told too.
pub(super) struct Both {
    fleet: Fleet,
    links: Vec<TestLink>,
    /// By the router's token: whose it is, and the link's own token.
    tokens: HashMap<u64, (usize, TxToken)>,
    /// All tokens of the router, also those of links that are gone.
    given: HashSet<u64>,
    /// Whose frame the router offered last.
    offered: usize,
    events: VecDeque<(u32, Happening)>,
    /// A link in a router does not see a clock that runs while nobody calls it.
    now: Instant,
    fault: Verdict,
}

impl Both {
    pub(super) fn new(setup: &Setup, side: usize, count: u8) -> Self {
        Self {
            fleet: Fleet::of_side(setup, side, count),
            links: (0..count)
                .map(|pair| paired_link(setup, side, pair))
                .collect(),
            tokens: HashMap::new(),
            given: HashSet::new(),
            offered: 0,
            events: VecDeque::new(),
            now: Instant::ZERO,
            fault: Ok(()),
        }
    }

    pub(super) const fn set_order(&mut self, order: Order) {
        self.fleet.router.set_order(order);
    }

    /// A link goes, and another comes with its address. Tokens of the old one are stale.
    pub(super) fn replace(&mut self, setup: &Setup, side: usize, index: u8) {
        let index = usize::from(index) % self.links.len();
        let link = || paired_link(setup, side, index as u8);
        let router = &mut self.fleet.router;
        let removed = router.remove(self.fleet.ids[index]).is_some();
        match router.insert(link()) {
            Ok(id) if removed => self.fleet.ids[index] = id,
            _ => self.blame(Err(format!("link {index} was not replaced"))),
        }
        self.links[index] = link();
        self.tokens.retain(|_, (of, _)| *of != index);
        self.events.retain(|(of, _)| *of as usize != index);
    }

    /// Whether both did the same, and the router has a deadline that is not too late.
    pub(super) fn same(&self) -> Verdict {
        self.fault.clone()?;
        // what is over may be over since any time
        let at = |next: Timeout| next.at.max(self.now);
        let deadlines = self.links.iter().filter_map(Machine::poll_timeout);
        let links = deadlines.map(at).min();
        let router = self.fleet.router.poll_timeout().map(at);
        ensure!(
            router.is_some() == links.is_some() && router <= links,
            "P7: deadline {router:?}, expected {links:?}"
        );
        Ok(())
    }

    fn blame(&mut self, verdict: Verdict) {
        if self.fault.is_ok() {
            self.fault = verdict;
        }
    }

    fn pass(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    /// Takes the events of both, and compares those of each link.
    fn take_events(&mut self) -> Verdict {
        let mut of_router = vec![Vec::new(); self.links.len()];
        while let Some((slot, event)) = self.fleet.poll_happening() {
            of_router[slot as usize].push(event.clone());
            self.events.push_back((slot, event));
        }
        for (index, (link, told)) in self.links.iter_mut().zip(&of_router).enumerate() {
            let mut expected = Vec::new();
            while let Some((_, event)) = link.poll_happening() {
                expected.push(event);
            }
            ensure!(
                *told == expected,
                "P7: link {index} told {told:?}, expected {expected:?}"
            );
        }
        Ok(())
    }
}

/// The frame that the router offers is the one that its link offers alone; without one, no link has any.
fn compare(links: &mut [TestLink], now: Instant, offered: Option<(usize, &Frame)>) -> Verdict {
    let mut own = Frame::new();
    let Some((slot, frame)) = offered else {
        let with = links
            .iter_mut()
            .position(|link| link.poll_transmit(now, &mut own).is_some());
        ensure!(with.is_none(), "P7: {own} of link {with:?} is not offered");
        return Ok(());
    };
    let offers = links[slot].poll_transmit(now, &mut own).is_some();
    ensure!(
        offers && own.view() == frame.view(),
        "P7: {frame} of link {slot}, expected {own}"
    );
    Ok(())
}

impl Subject for Both {
    fn with_link<R>(&mut self, index: usize, act: impl Fn(&mut TestLink) -> R) -> R {
        let index = index % self.links.len();
        act(&mut self.links[index]);
        self.fleet.with_link(index, act)
    }
}

impl Node for Both {
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        if self.events.is_empty() {
            let same = self.take_events();
            self.blame(same);
        }
        self.events.pop_front()
    }

    fn note_committed(&mut self, now: Instant, token: TxToken) {
        let now = self.pass(now);
        if !self.given.insert(token.to_bits()) {
            self.blame(Err(format!("P6: {token:?} names two frames")));
        }
        let link = &mut self.links[self.offered];
        if let Some(transmit) = link.poll_transmit(now, &mut Frame::new()) {
            let own = transmit.commit(now);
            self.tokens.insert(token.to_bits(), (self.offered, own));
        }
    }

    fn note_rejected(&mut self, now: Instant) {
        let now = self.pass(now);
        let link = &mut self.links[self.offered];
        if let Some(transmit) = link.poll_transmit(now, &mut Frame::new()) {
            transmit.reject(now);
        }
    }
}

impl Machine for Both {
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        let now = self.pass(now);
        self.fleet.handle_frame(now, frame);
        for link in &mut self.links {
            link.handle_frame(now, frame);
        }
    }

    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        let now = self.pass(now);
        self.fleet.handle_transmitted(now, token);
        if let Some((index, own)) = self.tokens.get(&token.to_bits()) {
            self.links[*index].handle_transmitted(now, *own);
        }
    }

    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        let now = self.pass(now);
        self.fleet.handle_failed(now, token);
        if let Some((index, own)) = self.tokens.get(&token.to_bits()) {
            self.links[*index].handle_failed(now, *own);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.pass(now);
        self.fleet.handle_timeout(now);
        for link in &mut self.links {
            link.handle_timeout(now);
        }
    }

    /// After the deadlines, as the run loop has it.
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        self.handle_timeout(now);
        let now = self.now;
        let transmit = self.fleet.router.poll_transmit(now, frame);
        let slot = transmit.as_ref().map(|transmit| transmit.slot() as usize);
        self.offered = slot.unwrap_or(0);
        let same = compare(&mut self.links, now, slot.map(|slot| (slot, &*frame)));
        if self.fault.is_ok() {
            self.fault = same;
        }
        transmit
    }

    fn poll_timeout(&self) -> Option<Timeout> {
        self.fleet.router.poll_timeout()
    }
}
