//! The links of a driver, and what their events mean for their connections.

use std::sync::Arc;

use isotp_core::{
    Config, Event, FrameView, Instant, Link, LinkId, Machine, NResult, Router, SendError, Slot,
    TxToken,
};

use super::buffer::Buffer;
use crate::bus::Bus;
use crate::error::{ConnectError, ConnectionError, SendError as Failure};
use crate::line::{Line, Target};
use crate::message::{Event as Told, Message};
use crate::payload::Outgoing;

/// A link as the driver has it.
pub(crate) type DriverLink = Link<Buffer, Outgoing, Arc<Config>>;

/// Links, each with its line.
#[derive(Default)]
pub(super) struct Links {
    router: Router<Vec<Slot<DriverLink>>>,
    /// By slot.
    lines: Vec<Option<Arc<Line>>>,
    /// Links whose outbox has to be looked at: a message is over, or a reception in half duplex.
    finished: Vec<LinkId>,
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
    pub(super) fn router(&mut self) -> &mut Router<Vec<Slot<DriverLink>>> {
        &mut self.router
    }

    /// Takes a new connection in.
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
        let address = *link.address();
        match self.router.insert(*link) {
            Ok(id) => {
                if !line.opened(id) {
                    self.router.remove(id);
                    return;
                }
                let slot = id.slot() as usize;
                if self.lines.len() <= slot {
                    self.lines.resize_with(slot + 1, || None);
                }
                if let Some(place) = self.lines.get_mut(slot) {
                    *place = Some(line);
                }
                bus.connected(&address);
            }
            Err(refused) => {
                let host = self.router.find(&address);
                let host = host.and_then(|id| self.line(id));
                if !host.is_some_and(|host| line.merge(host)) {
                    line.refused(refused.error.into());
                }
            }
        }
    }

    /// Does what the handle of a line wants.
    pub(super) fn serve(&mut self, now: Instant, line: &Arc<Line>, bus: &mut dyn Bus) {
        let work = line.take_work();
        let Some(id) = work.link else {
            if work.leave {
                line.end(&ConnectionError::Closed);
            }
            return;
        };
        if work.leave {
            return self.leave(id, bus);
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
        self.start(now, id, line);
        self.deliver_events(now);
        self.serve_finished(now, bus);
    }

    /// No connection takes any more messages to send. They stay until the last of what is queued is
    /// sent, since they may be each other's peers.
    pub(super) fn begin_flush(&self) {
        self.lines
            .iter()
            .flatten()
            .for_each(|line| line.begin_flush());
    }

    /// Whether nothing is queued on any connection.
    pub(super) fn is_flushed(&self) -> bool {
        self.lines.iter().flatten().all(|line| line.is_flushed())
    }

    /// Every connection is over.
    pub(super) fn end(&mut self, error: &ConnectionError) {
        for line in self.lines.drain(..).flatten() {
            line.end(error);
        }
    }

    pub(super) fn handle_frame(&mut self, at: Instant, frame: FrameView<'_>) {
        self.router.handle_frame(at, frame);
        self.deliver_events(at);
    }

    /// A frame of ours is on the bus: the connections of a network hear each other.
    pub(super) fn handle_own_frame(&mut self, at: Instant, frame: FrameView<'_>, token: TxToken) {
        let in_slot = self.router.link_in_slot(token.slot());
        // a link that took the place of the sender hears the frame as well
        match in_slot.filter(|id| self.sends(*id, frame)) {
            Some(_) if self.router.len() == 1 => return,
            Some(from) => self.router.handle_sibling_frame(at, frame, from),
            None => self.router.handle_frame(at, frame),
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

    pub(super) fn handle_transmitted(&mut self, at: Instant, token: TxToken) {
        self.router.handle_transmitted(at, token);
        self.deliver_events(at);
    }

    pub(super) fn handle_failed(&mut self, at: Instant, token: TxToken) {
        self.router.handle_failed(at, token);
        self.deliver_events(at);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.router.handle_timeout(now);
        self.deliver_events(now);
    }

    /// Brings what the links have to tell to their connections.
    pub(super) fn deliver_events(&mut self, now: Instant) {
        while let Some((id, event)) = self.router.poll_event() {
            let Some(line) = self.lines.get(id.slot() as usize).and_then(Option::as_ref) else {
                continue;
            };
            match deliver(line, event) {
                Next::Nothing => {}
                Next::Resume => self.finished.push(id),
                Next::ReceptionFailed(result) => {
                    let mut release = false;
                    if let Some(link) = self.router.link_mut(id)
                        && !link.is_receiving()
                    {
                        link.buffer_mut().clear();
                        release = true;
                    }
                    line.reception_failed(result, release);
                    self.finished.push(id);
                }
                Next::Finished(target, result) => {
                    if let Some(link) = self.router.link_mut(id) {
                        drop(match target {
                            Target::Physical => link.take_payload(),
                            Target::Functional => link.take_functional_payload(),
                        });
                    }
                    let outcome = match result {
                        NResult::Ok => Ok(()),
                        result => Err(Failure::Failed(result)),
                    };
                    line.finish_send(target, outcome);
                    let line = line.clone();
                    self.start(now, id, &line);
                    self.finished.push(id);
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
            let line = self.lines.get(id.slot() as usize).cloned().flatten();
            let Some(line) = line.filter(|_| self.router.link(id).is_some()) else {
                continue;
            };
            if line.may_leave() {
                self.leave(id, bus);
            } else {
                self.start(now, id, &line);
            }
        }
    }

    fn line(&self, id: LinkId) -> Option<&Arc<Line>> {
        self.lines.get(id.slot() as usize)?.as_ref()
    }

    /// Begins to send what waits, if nothing is being sent.
    fn start(&mut self, now: Instant, id: LinkId, line: &Line) {
        for target in [Target::Physical, Target::Functional] {
            while let Some(payload) = line.start_send(target) {
                if let Some(source) = payload.target()
                    && let Some(link) = self.router.link_mut(id)
                {
                    link.answer_to(source);
                }
                let sent = match target {
                    Target::Physical => self.router.send(now, id, payload),
                    Target::Functional => self.router.send_functional(now, id, payload),
                };
                let Err(refused) = sent else { break };
                if let SendError::Busy | SendError::Receiving = refused.error {
                    line.put_back(target, refused.payload);
                    break;
                }
                line.finish_send(target, Err(Failure::Refused(refused)));
            }
        }
    }

    fn leave(&mut self, id: LinkId, bus: &mut dyn Bus) {
        if let Some(link) = self.router.remove(id) {
            bus.disconnected(link.address());
        }
        let line = self
            .lines
            .get_mut(id.slot() as usize)
            .and_then(Option::take);
        if let Some(line) = line {
            line.end(&ConnectionError::Closed);
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
        _ => {}
    }
    Next::Nothing
}
