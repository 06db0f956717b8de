//! Machines beside the reference: whatever a link is told, the reference is told too, and both must say
//! and send the same, and have the same deadlines.

mod account;

use std::collections::{HashMap, VecDeque};

use isotp_core::{Frame, FrameView, Id, Instant, Machine, Timeout, Transmit, TxToken};
use isotp_sim::{Happening, Node};
use isotp_testkit::{Fleet, Host, Setup, Subject as _};

use crate::{Verdict, ensure};

use account::Account;

/// A link, or a router with many, with an account of each link, and a clock of its own.
pub(crate) struct Watched {
    host: Host,
    accounts: Vec<Account>,
    by_id: HashMap<Id, usize>,
    /// The accounts of links whose buffers are not always ready.
    moody: Vec<usize>,
    /// Whose frame was offered last.
    offered: usize,
    events: VecDeque<(u32, Happening)>,
    /// Its clock less that of the world, in microseconds.
    skew: u64,
    fault: Verdict,
}

impl Watched {
    /// One side of a pair, as a lone link.
    pub(crate) fn link(setup: &Setup, side: usize) -> Self {
        let account = Account::new(setup, side);
        Self::new(Host::of_link(setup.link(side)), vec![account])
    }

    /// One side of many pairs, in a router.
    pub(crate) fn router(setups: &[Setup], side: usize) -> Self {
        let fleet = Fleet::new(setups.iter().map(|setup| setup.link(side)));
        let accounts = setups.iter().map(|setup| Account::new(setup, side));
        Self::new(Host::of_fleet(fleet), accounts.collect())
    }

    fn new(mut host: Host, accounts: Vec<Account>) -> Self {
        let by_id = accounts.iter().enumerate();
        let by_id = by_id.map(|(slot, account)| (account.id(), slot)).collect();
        let moody = (0..accounts.len()).filter(|slot| accounts[*slot].is_moody());
        let moody: Vec<usize> = moody.collect();
        for slot in &moody {
            host.with_link(*slot, |link| link.buffer_mut().set_moods(0));
        }
        Self {
            host,
            accounts,
            by_id,
            moody,
            offered: 0,
            events: VecDeque::new(),
            skew: 86_400_000_000,
            fault: Ok(()),
        }
    }

    /// Sends a message; whether it was accepted.
    pub(crate) fn send(&mut self, now: Instant, slot: usize, payload: Vec<u8>) -> bool {
        let now = self.local(now);
        let accepted = self
            .host
            .with_link(slot, |link| link.send(now, payload.clone()).is_ok());
        let expected = self.accounts[slot].send(now, payload);
        if accepted != expected {
            self.blame(Err(format!("SVC-02: accepted {accepted}")));
        }
        self.settle(slot..slot + 1);
        accepted
    }

    /// Sets its clock by so many milliseconds, forward or, where it is a lone link, backward.
    pub(crate) fn set_clock(&mut self, by: i64) {
        let by = match self.host {
            Host::Link(_) => by,
            Host::Router(_) => by.abs(),
        };
        self.skew = self.skew.saturating_add_signed(by * 1000);
    }

    /// For how long its clock will stand still, because it was set back.
    pub(crate) fn lag(&self, now: Instant, slot: usize) -> core::time::Duration {
        self.accounts[slot].now() - self.local_time(now)
    }

    /// What the reference did not agree with.
    pub(crate) const fn verdict(&self) -> &Verdict {
        &self.fault
    }

    fn local_time(&self, now: Instant) -> Instant {
        Instant::from_micros(now.as_micros() + self.skew)
    }

    /// The time on its clock. Buffers may be ready now that were not before, or the reverse.
    fn local(&mut self, now: Instant) -> Instant {
        let now = self.local_time(now);
        for slot in &self.moody {
            if let Some(ready) = self.accounts[*slot].mood(now) {
                let moods = if ready { 0 } else { u32::MAX };
                self.host
                    .with_link(*slot, |link| link.buffer_mut().set_moods(moods));
            }
        }
        now
    }

    /// Hands on what the links told, and compares it with what the reference told.
    fn settle(&mut self, slots: core::ops::Range<usize>) {
        while let Some((slot, event)) = self.host.poll_happening() {
            let told = self.accounts[slot as usize].told(&event);
            self.blame(told);
            self.events.push_back((slot, event));
        }
        for slot in slots {
            let link = self.host.link(slot);
            let agreed = self.accounts[slot].agree(link.poll_timeout());
            self.blame(agreed.map_err(|error| format!("slot {slot}: {error}")));
        }
    }

    /// Keeps the first thing that did not hold.
    fn blame(&mut self, verdict: Verdict) {
        if self.fault.is_ok() {
            self.fault = verdict;
        }
    }

    fn slot_of(token: TxToken) -> usize {
        token.slot() as usize
    }
}

impl Node for Watched {
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        self.events.pop_front()
    }

    fn note_committed(&mut self, now: Instant, token: TxToken) {
        let now = self.local_time(now);
        let slot = self.offered;
        self.accounts[slot].committed(now, token);
        self.settle(slot..slot + 1);
    }

    fn note_rejected(&mut self, _now: Instant) {
        let slot = self.offered;
        self.accounts[slot].rejected();
        self.settle(slot..slot + 1);
    }
}

impl Machine for Watched {
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        let now = self.local(now);
        self.host.handle_frame(now, frame);
        match self.by_id.get(&frame.id) {
            Some(slot) => {
                let slot = *slot;
                self.accounts[slot].hear(now, &frame);
                self.settle(slot..slot + 1);
            }
            None if self.accounts.len() == 1 => self.accounts[0].pass(now),
            None => {}
        }
    }

    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        let now = self.local(now);
        self.host.handle_transmitted(now, token);
        let slot = Self::slot_of(token);
        self.accounts[slot].transmitted(now, token);
        self.settle(slot..slot + 1);
    }

    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        let now = self.local(now);
        self.host.handle_failed(now, token);
        let slot = Self::slot_of(token);
        self.accounts[slot].failed(now, token);
        self.settle(slot..slot + 1);
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.local(now);
        self.host.handle_timeout(now);
        for account in &mut self.accounts {
            account.time(now);
        }
        self.settle(0..self.accounts.len());
    }

    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        let now = self.local(now);
        let transmit = self.host.poll_transmit(now, frame);
        let same = match &transmit {
            Some(transmit) => {
                self.offered = transmit.slot() as usize;
                self.accounts[self.offered].same(now, frame)
            }
            None => silent(&mut self.accounts, now),
        };
        if self.fault.is_ok() {
            self.fault = same;
        }
        transmit
    }

    fn poll_timeout(&self) -> Option<Timeout> {
        let Timeout { at, timer } = self.host.poll_timeout()?;
        let at = Instant::from_micros(at.as_micros().saturating_sub(self.skew));
        Some(Timeout { at, timer })
    }
}

/// No link may have a frame that wants to go out.
fn silent(accounts: &mut [Account], now: Instant) -> Verdict {
    for (slot, account) in accounts.iter_mut().enumerate() {
        let expected = account.offer(now);
        ensure!(
            expected.is_none(),
            "slot {slot} offers nothing, expected {expected:02X?}"
        );
    }
    Ok(())
}
