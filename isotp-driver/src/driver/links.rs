//! The links of a driver, and what their events mean for their connections.

use std::sync::Arc;

use isotp_core::{
    Config, Duplex, Event, FrameView, Instant, Link, LinkId, Machine, NResult, Payload,
    ReconfigureError, Router, SendError, Slot, TxToken,
};

use super::buffer::Buffer;
use super::closing::Closing;
use crate::bus::Bus;
use crate::error::{ConnectError, ConnectionError, SendError as Failure};
use crate::letting_go::contain;
use crate::line::{After, Line, Merge, Started, Target};
use crate::message::{Event as Told, Message};
use crate::outbox::Entry;
use crate::payload::Outgoing;
use crate::statistics::Counters;

/// A link as the driver has it.
pub(crate) type DriverLink = Link<Buffer, Outgoing, Arc<Config>>;

type LinkRouter = Router<Vec<Slot<DriverLink>>>;

/// Links, each with its line.
#[derive(Default)]
pub(super) struct Links {
    router: LinkRouter,
    /// By slot.
    lines: Vec<Option<Arc<Line>>>,
    /// Links whose outbox has to be looked at: a message is over, or a reception in half duplex.
    finished: Vec<LinkId>,
    /// New links, whose connections have not heard that they are on the bus.
    joined: Vec<LinkId>,
    /// Links that get another configuration as soon as nothing is on its way.
    changing: Vec<LinkId>,
    /// Lines of functional requests that wait for a connection of their address to leave.
    waiting: Vec<(Arc<Line>, Box<DriverLink>)>,
    /// Links that leave when all is sent.
    closing: Closing,
    /// While the network closes, and nothing more is taken to be sent: the slots before this one have sent
    /// all.
    flushed: usize,
}

/// What an event asks for when the router is free again.
enum Next {
    Nothing,
    Finished(Target, NResult),
    ReceptionFailed(NResult),
    /// Half duplex may send now.
    Resume,
}

impl Links {
    pub(super) fn router(&mut self) -> &mut LinkRouter {
        &mut self.router
    }

    /// Takes a new connection in, which hears of it from [`open_joined`](Self::open_joined).
    pub(super) fn join(
        &mut self,
        line: Arc<Line>,
        link: Box<DriverLink>,
        bus: &mut dyn Bus,
        supports_fd: bool,
    ) {
        if link.config().kind.is_fd() && !supports_fd {
            return line.refused(ConnectError::NoFd);
        }
        if !line.is_awaited() {
            // it was dropped, and the next may want its address
            return;
        }
        let address = *link.address();
        match self.router.insert(*link) {
            Ok(id) => {
                let slot = id.slot() as usize;
                if self.lines.len() <= slot {
                    self.lines.resize_with(slot + 1, || None);
                }
                if let Some(place) = self.lines.get_mut(slot) {
                    *place = Some(line);
                }
                bus.connected(&address);
                self.joined.push(id);
            }
            Err(refused) => {
                let host = self.router.find(&address);
                let merge = host.and_then(|id| self.line(id).map(|host| line.merge(host)));
                match merge.unwrap_or(Merge::Refused) {
                    Merge::Done => {}
                    Merge::Later => self.waiting.push((line, Box::new(refused.link))),
                    Merge::Refused => line.refused(refused.error.into()),
                }
            }
        }
    }

    /// Whether [`open_joined`](Self::open_joined) has something to do.
    pub(super) fn has_joined(&self) -> bool {
        !self.joined.is_empty()
    }

    /// Tells new connections that they are on the bus.
    pub(super) fn open_joined(&mut self, bus: &mut dyn Bus) {
        for id in core::mem::take(&mut self.joined) {
            if self.line(id).is_some_and(|line| !line.opened(id)) {
                self.leave(id, bus);
            }
        }
    }

    /// Does what the handle of a line wants.
    pub(super) fn serve(&mut self, now: Instant, line: &Arc<Line>, bus: &mut dyn Bus) {
        let (work, started) = line.take_work_and_start();
        let Some(id) = work.link else {
            if work.leave {
                drop(line.end(&ConnectionError::Closed));
            }
            return;
        };
        if work.leave {
            return self.leave(id, bus);
        }
        if work.closing {
            self.closing.begin(now, id);
        }
        // a link that is touched asks its buffer again, which may have a place now
        if let Some(link) = self.router.link_mut(id) {
            if work.abort_send {
                link.abort_send(now);
            }
            if work.abort_receive {
                link.abort_receive(now);
            }
        }
        if work.change && !self.changing.contains(&id) {
            self.changing.push(id);
        }
        if let Some(started) = started {
            send(&mut self.router, now, id, line, started);
        }
        self.deliver_events(now);
        self.serve_finished(now, bus);
    }

    /// Whether [`change`](Self::change) may have something to do.
    pub(super) fn has_changing(&self) -> bool {
        !self.changing.is_empty()
    }

    /// Gives the configurations that wait to the links that can take them now. `true` if something came
    /// of it.
    pub(super) fn change(&mut self, now: Instant) -> bool {
        let waiting = core::mem::take(&mut self.changing);
        let before = waiting.len();
        for id in waiting {
            let Some(line) = self.line(id).cloned() else {
                continue;
            };
            if self.change_link(id, &line) {
                start(&mut self.router, now, id, &line);
            } else {
                self.changing.push(id);
            }
        }
        self.changing.len() < before
    }

    /// `false` if one must wait.
    fn change_link(&mut self, id: LinkId, line: &Line) -> bool {
        while let Some(change) = line.take_change() {
            let Some(link) = self.router.link_mut(id) else {
                return true;
            };
            let outcome = match link.reconfigure(change.protocol.clone()) {
                Ok(()) => Ok(()),
                Err(ReconfigureError::Config(error)) => Err(error.into()),
                Err(_) => {
                    line.put_back_change(change);
                    return false;
                }
            };
            contain(|| line.changed(change, outcome));
        }
        true
    }

    /// No connection takes any more messages to send. They stay until the last of what is queued is
    /// sent, since they may be each other's peers.
    pub(super) fn begin_flush(&mut self, now: Instant) {
        for slot in 0..self.lines.len() {
            let id = self.router.link_in_slot(slot as u32);
            if let Some((id, line)) = id.and_then(|id| Some((id, self.line(id)?))) {
                line.begin_flush();
                if !line.is_flushed() {
                    self.closing.begin(now, id);
                }
            }
        }
    }

    /// When the first of the links that close may have to be given up.
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.closing.poll_timeout()
    }

    /// Gives up what has stood still for too long while it should be closed.
    fn give_up(&mut self, now: Instant, bus: &mut dyn Bus) {
        for id in self.closing.give_up(now) {
            // while the network closes, one that has sent all may have something to receive
            if self.line(id).is_some_and(|line| !line.is_flushed()) {
                self.leave(id, bus);
            }
        }
    }

    /// Whether nothing is queued on any connection, after [`begin_flush`](Self::begin_flush).
    pub(super) fn is_flushed(&mut self) -> bool {
        while let Some(line) = self.lines.get(self.flushed) {
            if line.as_ref().is_some_and(|line| !line.is_flushed()) {
                return false;
            }
            self.flushed += 1;
        }
        true
    }

    /// Every connection is over. Gives what is left of their messages.
    pub(super) fn end(&mut self, error: &ConnectionError) -> Vec<Entry> {
        let waiting = self.waiting.drain(..).map(|(line, _)| line);
        let lines = self.lines.drain(..).flatten().chain(waiting);
        lines.flat_map(|line| line.end(error)).collect()
    }

    /// A frame from the bus. `false` if no connection has an id for it.
    pub(super) fn handle_frame(&mut self, at: Instant, frame: FrameView<'_>) -> bool {
        let heard = self.hear(at, frame, None);
        self.deliver_events(at);
        heard
    }

    /// Gives a frame to the links it is for, but not to `from`.
    fn hear(&mut self, at: Instant, frame: FrameView<'_>, from: Option<LinkId>) -> bool {
        let (lines, mut heard) = (&self.lines, false);
        self.router.handle_frame_telling(at, frame, from, |slot| {
            heard = true;
            if let Some(line) = lines.get(slot as usize).and_then(Option::as_ref) {
                line.count(Counters::frame_received);
            }
        });
        heard
    }

    /// The bus took a frame.
    pub(super) fn count_sent(&mut self, now: Instant, token: TxToken) {
        if let Some(line) = self
            .lines
            .get(token.slot() as usize)
            .and_then(Option::as_ref)
        {
            line.count(Counters::frame_sent);
        }
        // a peer can ask for any number of flow controls, so they are no progress
        if !token.is_flow_control() {
            self.closing.moved(now, token.slot());
        }
    }

    /// A frame of ours is on the bus, unconfirmed: the connections of a network hear each other.
    pub(super) fn handle_own_frame(&mut self, at: Instant, frame: FrameView<'_>, token: TxToken) {
        let in_slot = self.router.link_in_slot(token.slot());
        // a link that took the place of the sender hears the frame as well
        match in_slot.filter(|id| self.sends(*id, frame)) {
            Some(_) if self.router.len() == 1 => {}
            from => {
                self.hear(at, frame, from);
            }
        }
        self.deliver_events(at);
    }

    /// Whether a frame of ours may be from this link.
    fn sends(&self, id: LinkId, frame: FrameView<'_>) -> bool {
        self.router.link(id).is_some_and(|link| {
            let address = link.address();
            address.any_source()
                || address.tx().id() == frame.id
                || address
                    .functional_tx()
                    .is_some_and(|half| half.id() == frame.id)
        })
    }

    /// A frame of ours is on the bus, as it confirms.
    pub(super) fn handle_transmitted(&mut self, at: Instant, frame: FrameView<'_>, token: TxToken) {
        self.router.handle_transmitted(at, token);
        self.handle_own_frame(at, frame, token);
    }

    pub(super) fn handle_failed(&mut self, at: Instant, token: TxToken) {
        self.router.handle_failed(at, token);
        self.deliver_events(at);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, bus: &mut dyn Bus) {
        self.router.handle_timeout(now);
        self.deliver_events(now);
        self.give_up(now, bus);
    }

    /// Brings what the links have to tell to their connections.
    #[inline]
    pub(super) fn deliver_events(&mut self, now: Instant) {
        if self.router.has_events() {
            self.deliver_all_events(now);
        }
    }

    fn deliver_all_events(&mut self, now: Instant) {
        while let Some((id, event)) = self.router.poll_event() {
            let Some(line) = self.lines.get(id.slot() as usize).and_then(Option::as_ref) else {
                continue;
            };
            match deliver(line, event) {
                Next::Nothing => {}
                Next::Resume => {
                    let link = self.router.link(id);
                    if link.is_some_and(|link| link.config().duplex == Duplex::Half) {
                        self.finished.push(id);
                    }
                }
                Next::ReceptionFailed(result) => {
                    let mut another = false;
                    if let Some(link) = self.router.link_mut(id) {
                        another = link.is_receiving();
                        if !another {
                            link.buffer_mut().clear();
                        }
                    }
                    line.reception_failed(result, another);
                    self.finished.push(id);
                }
                Next::Finished(target, result) => {
                    let payload = self.router.link_mut(id).and_then(|link| match target {
                        Target::Physical => link.take_payload(),
                        Target::Functional => link.take_functional_payload(),
                    });
                    let outcome = match result {
                        NResult::Ok => Ok(payload.as_ref().map_or(0, Payload::size)),
                        result => Err(Failure::Failed(result)),
                    };
                    drop(payload);
                    match line.finish_send(target, outcome) {
                        After::Leave => self.finished.push(id),
                        After::Send => start(&mut self.router, now, id, line),
                        After::Rest => {}
                    }
                }
            }
        }
    }

    /// Whether [`serve_finished`](Self::serve_finished) has something to do.
    pub(super) fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    /// Looks again at the connections whose transfers have ended: the next message, or leave.
    pub(super) fn serve_finished(&mut self, now: Instant, bus: &mut dyn Bus) {
        while let Some(id) = self.finished.pop() {
            let Some(line) = self.line(id).cloned() else {
                continue;
            };
            if line.may_leave() {
                self.leave(id, bus);
            } else {
                start(&mut self.router, now, id, &line);
            }
        }
    }

    /// The line of a link, if it is still there and no other has taken its slot.
    fn line(&self, id: LinkId) -> Option<&Arc<Line>> {
        self.router.link(id)?;
        self.lines.get(id.slot() as usize)?.as_ref()
    }

    fn leave(&mut self, id: LinkId, bus: &mut dyn Bus) {
        let Some(link) = self.router.remove(id) else {
            return;
        };
        bus.disconnected(link.address());
        self.changing.retain(|other| *other != id);
        self.closing.end(id);
        let line = self
            .lines
            .get_mut(id.slot() as usize)
            .and_then(Option::take);
        let left = line.map(|line| line.end(&ConnectionError::Closed));
        for (line, link) in core::mem::take(&mut self.waiting) {
            // what the bus cannot do was refused before
            self.join(line, link, bus, true);
        }
        drop(left);
    }
}

/// Begins to send what waits, if nothing is being sent.
fn start(router: &mut LinkRouter, now: Instant, id: LinkId, line: &Line) {
    if let Some(started) = line.start_send(Target::ALL) {
        send(router, now, id, line, started);
    }
}

/// Begins to send this, and what waits for other targets.
fn send(router: &mut LinkRouter, now: Instant, id: LinkId, line: &Line, mut started: Started) {
    let mut targets = Target::ALL;
    loop {
        let (target, payload, others) = started;
        if let Some(source) = payload.target()
            && let Some(link) = router.link_mut(id)
        {
            link.answer_to(source);
        }
        let sent = match target {
            Target::Physical => router.send(now, id, payload),
            Target::Functional => router.send_functional(now, id, payload),
        };
        match sent {
            Ok(()) => targets = others,
            Err(refused) if matches!(refused.error, SendError::Busy | SendError::Receiving) => {
                line.put_back(target, refused.payload);
                targets = others;
            }
            // the next of this target, if there is one
            Err(refused) => {
                line.finish_send(target, Err(Failure::Refused(refused)));
            }
        }
        if targets.is_empty() {
            return;
        }
        match line.start_send(targets) {
            Some(next) => started = next,
            None => return,
        }
    }
}

fn deliver(line: &Line, event: Event<'_, Buffer>) -> Next {
    match event {
        Event::FirstFrame { size, source } => line.indicate(Told::FirstFrame { size, source }),
        Event::Received(mut message) => {
            let (size, source) = (message.size(), message.source());
            let functional = message.is_functional();
            if let Some(buffer) = message.buffer() {
                let bytes = buffer.take();
                line.deliver_reserved(Message::new(bytes, size, functional, source));
                return Next::Resume;
            }
            let bytes = message.single().unwrap_or_default().to_vec();
            line.deliver(Message::new(bytes, size, functional, source));
        }
        Event::ReceptionFailed(result) => return Next::ReceptionFailed(result),
        Event::Confirmed(result) => return Next::Finished(Target::Physical, result),
        Event::FunctionalConfirmed(result) => return Next::Finished(Target::Functional, result),
        Event::Dropped(lost) => line.lag(u32::from(lost)),
        Event::Ignored(reason) => line.ignored(reason),
        _ => {}
    }
    Next::Nothing
}
