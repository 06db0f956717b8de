//! Machines that tell what happened to them, so that a [`World`](crate::World) can run any of them.

use core::fmt;
use core::ops::Deref;

use isotp_core::{
    Config, Event, Frame, FrameView, Ignored, Instant, Link, Machine, NResult, Payload, Router,
    RxBuffer, Slots, Timeout, Transmit, TxToken,
};

/// A machine on a simulated bus: frames and time as [`Machine`] has them, and its events in one form.
///
/// `Box<dyn Node>` is a node too, for worlds of different machines.
pub trait Node: Machine {
    /// The next event, with the slot of the link that it came from; 0 in a lone link.
    fn poll_happening(&mut self) -> Option<(u32, Happening)>;

    /// The frame that it offered last was committed, and this is its token. For nodes that keep account
    /// of what a machine does; a machine knows it already.
    fn note_committed(&mut self, now: Instant, token: TxToken) {
        let _ = (now, token);
    }

    /// The frame that it offered last was rejected. For the same nodes.
    fn note_rejected(&mut self, now: Instant) {
        let _ = now;
    }
}

/// An event that owns what it tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Happening {
    /// A segmented message of `size` bytes begins.
    FirstFrame {
        /// Bytes in the whole message.
        size: u32,
    },
    /// A whole message.
    Received {
        /// Its bytes.
        data: Vec<u8>,
        /// Whether it came on the functional id.
        functional: bool,
    },
    /// An announced message will not come.
    ReceptionFailed(NResult),
    /// The physical message is sent, or not.
    Confirmed(NResult),
    /// The functional message is sent, or not.
    FunctionalConfirmed(NResult),
    /// So many messages were lost.
    Dropped(u16),
    /// A frame had no effect.
    Ignored(Ignored),
    /// An event that this crate does not know, as text.
    Other(String),
}

impl Happening {
    /// The same as an event of a link.
    pub fn of<B: AsRef<[u8]> + fmt::Debug>(event: &Event<'_, B>) -> Self {
        match event {
            Event::FirstFrame { size, .. } => Self::FirstFrame { size: *size },
            Event::Received(message) => Self::Received {
                data: message.data().to_vec(),
                functional: message.is_functional(),
            },
            Event::ReceptionFailed(result) => Self::ReceptionFailed(*result),
            Event::Confirmed(result) => Self::Confirmed(*result),
            Event::FunctionalConfirmed(result) => Self::FunctionalConfirmed(*result),
            Event::Dropped(count) => Self::Dropped(*count),
            Event::Ignored(reason) => Self::Ignored(*reason),
            other => Self::Other(format!("{other:?}")),
        }
    }

    /// The bytes of a received message.
    #[must_use]
    pub fn data(&self) -> Option<&[u8]> {
        match self {
            Self::Received { data, .. } => Some(data),
            _ => None,
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstFrame { size } => write!(f, "first frame of {size} bytes"),
            Self::Received { data, functional } => {
                let channel = if *functional { "functional " } else { "" };
                write!(f, "received {channel}{} bytes", data.len())
            }
            Self::ReceptionFailed(result) => write!(f, "reception failed, {result}"),
            Self::Confirmed(result) => write!(f, "sent, {result}"),
            Self::FunctionalConfirmed(result) => write!(f, "sent functional, {result}"),
            Self::Dropped(count) => write!(f, "dropped {count}"),
            Self::Ignored(reason) => write!(f, "ignored, {reason:?}"),
            Self::Other(event) => f.write_str(event),
        }
    }
}

impl<B, P, C, S> Node for Link<B, P, C, S>
where
    B: RxBuffer + AsRef<[u8]> + fmt::Debug,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        self.poll_event().map(|event| (0, Happening::of(&event)))
    }
}

impl<T: Slots> Node for Router<T>
where
    T::Buffer: AsRef<[u8]> + fmt::Debug,
{
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        self.poll_event()
            .map(|(link, event)| (link.slot(), Happening::of(&event)))
    }
}

impl Node for Box<dyn Node> {
    fn poll_happening(&mut self) -> Option<(u32, Happening)> {
        (**self).poll_happening()
    }
    fn note_committed(&mut self, now: Instant, token: TxToken) {
        (**self).note_committed(now, token);
    }
    fn note_rejected(&mut self, now: Instant) {
        (**self).note_rejected(now);
    }
}

impl Machine for Box<dyn Node> {
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        (**self).handle_frame(now, frame);
    }
    fn handle_transmitted(&mut self, now: Instant, token: TxToken) {
        (**self).handle_transmitted(now, token);
    }
    fn handle_failed(&mut self, now: Instant, token: TxToken) {
        (**self).handle_failed(now, token);
    }
    fn handle_timeout(&mut self, now: Instant) {
        (**self).handle_timeout(now);
    }
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>> {
        (**self).poll_transmit(now, frame)
    }
    fn poll_timeout(&self) -> Option<Timeout> {
        (**self).poll_timeout()
    }
}
