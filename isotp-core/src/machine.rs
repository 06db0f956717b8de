//! The frame side of every state machine, so that a frame pump is written once.

use crate::channels::{Channel, Channels};
use crate::config::Config;
use crate::frame::{Frame, FrameView};
use crate::functional::FunctionalTransfer;
use crate::receiver::Reception;
use crate::sender::Transfer;
use crate::time::{Instant, Timeout};

/// The frame side: [`Link`](crate::Link) and [`Router`](crate::Router) implement it.
///
/// The run loop, for every kind of driver:
/// 1. deliver received frames, confirmations and failures with their times (`handle_*`), draining the
///    events after each;
/// 2. [`handle_timeout`](Self::handle_timeout), and drain the events;
/// 3. [`poll_transmit`](Self::poll_transmit) and [`Transmit::commit`] until `None` or the bus is full;
/// 4. wait for the earliest of: a frame, a confirmation, room on the bus, a command, and
///    [`poll_timeout`](Self::poll_timeout).
///
/// Frames come before timeouts: what arrived before a deadline wins over it (`TIM-09`). A `now` that
/// runs backward is clamped.
pub trait Machine {
    /// A frame was received (L_Data.indication). Frames of other addresses are ignored.
    fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>);

    /// A committed frame is on the bus (L_Data.confirm). Needed only with
    /// [`Confirmation::Reported`](crate::Confirmation::Reported); stale tokens change nothing.
    fn handle_transmitted(&mut self, now: Instant, token: TxToken);

    /// A committed frame will not go out. It is offered again within N_As or N_Ar, or the transfer
    /// ends with `N_ERROR` where several frames of it are in flight, since their order is lost.
    fn handle_failed(&mut self, now: Instant, token: TxToken);

    /// Time has passed. Afterwards every deadline is later than `now`.
    fn handle_timeout(&mut self, now: Instant);

    /// The next frame that wants to go out, written into `frame`. Commit it when the controller took
    /// it; drop it when the controller is full, and it is offered again, unless a more urgent one
    /// overtakes it.
    fn poll_transmit(&mut self, now: Instant, frame: &mut Frame) -> Option<Transmit<'_>>;

    /// When `handle_timeout` must be called next; `None` while nothing runs. That a frame is ready
    /// to be sent is no deadline, but how long it may stay so is.
    fn poll_timeout(&self) -> Option<Timeout>;
}

/// A frame that wants to go out; its bytes are in the caller's [`Frame`].
///
/// Dropped, the machine keeps it.
#[must_use = "commit it when the controller took the frame; dropped, it is offered again"]
#[derive(Debug)]
pub struct Transmit<'a> {
    pub(crate) half: TransmitHalf<'a>,
    pub(crate) channels: &'a mut Channels,
    pub(crate) config: &'a Config,
    pub(crate) slot: u32,
}

/// Which half of a link the frame belongs to, and what it needs to know when the frame is committed.
#[derive(Debug)]
pub(crate) enum TransmitHalf<'a> {
    Data {
        transfer: &'a mut Transfer,
        bytes: u8,
    },
    FlowControl {
        reception: &'a mut Reception,
    },
    Functional {
        transfer: &'a mut FunctionalTransfer,
    },
}

impl Transmit<'_> {
    /// The controller took the frame, at `now`.
    // inlined, a frame's handle never exists in memory
    #[inline(always)]
    pub fn commit(self, now: Instant) -> TxToken {
        let Self {
            half,
            channels,
            config,
            slot,
        } = self;
        channels.keep_up(now);
        let channel = half.channel();
        let sequence = channels.number_frame(channel);
        match half {
            TransmitHalf::Data { transfer, bytes } => {
                transfer.commit(channels, config, bytes, sequence);
            }
            TransmitHalf::FlowControl { reception } => reception.commit(channels, config, sequence),
            TransmitHalf::Functional { transfer } => transfer.commit(config),
        }
        TxToken::new(slot, channel, sequence)
    }

    /// The controller will never take the frame: the transfer fails now, with `N_ERROR` (`SVC-09`).
    pub fn reject(self, _now: Instant) {
        match self.half {
            TransmitHalf::Data { transfer, .. } => transfer.reject(),
            TransmitHalf::FlowControl { reception } => reception.reject(),
            TransmitHalf::Functional { transfer } => transfer.reject(),
        }
    }

    /// The token that [`commit`](Self::commit) will give, for controllers that want it with the frame.
    #[must_use]
    pub const fn token(&self) -> TxToken {
        let channel = self.half.channel();
        let sequence = self.channels.next_frame(channel);
        TxToken::new(self.slot, channel, sequence)
    }

    /// The slot of the link whose frame this is, in a [`Router`](crate::Router); 0 in a lone link.
    #[must_use]
    pub const fn slot(&self) -> u32 {
        self.slot
    }
}

impl TransmitHalf<'_> {
    #[inline]
    const fn channel(&self) -> Channel {
        match self {
            TransmitHalf::Data { .. } => Channel::Data,
            TransmitHalf::FlowControl { .. } => Channel::FlowControl,
            TransmitHalf::Functional { .. } => Channel::Functional,
        }
    }
}

/// Names one committed frame, so that its confirmation can be told from every other (`TIM-11`).
///
/// The numbers of a link's frames begin again after 2^30 of a kind, which takes many hours even on a full bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TxToken {
    slot: u32,
    frame: u32,
}

impl TxToken {
    pub(crate) const fn new(slot: u32, channel: Channel, sequence: u32) -> Self {
        Self {
            slot,
            frame: sequence << 2 | channel as u32,
        }
    }

    /// The link's slot in a router; 0 in a lone link.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// Whether the frame is a flow control, which belongs to a message that is being received.
    #[must_use]
    pub const fn is_flow_control(self) -> bool {
        matches!(self.channel(), Some(Channel::FlowControl))
    }

    pub(crate) const fn channel(self) -> Option<Channel> {
        match self.frame & 3 {
            0 => Some(Channel::Data),
            1 => Some(Channel::FlowControl),
            2 => Some(Channel::Functional),
            _ => None,
        }
    }

    /// The frame's number in its channel, of 30 bits.
    pub(crate) const fn sequence(self) -> u32 {
        self.frame >> 2
    }

    /// As a number that fits the message marker or tag of a controller.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.slot as u64) << 32 | self.frame as u64
    }

    /// Back from [`to_bits`](Self::to_bits). Any number is a token; one that was never given out is stale.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            slot: (bits >> 32) as u32,
            frame: bits as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Id, Link};

    static CONFIG: Config = Config::new();

    #[test]
    fn the_token_is_known_before_the_commit() {
        let id = |value| Id::standard(value).unwrap();
        let address = Address::normal(id(0x7E0), id(0x7E8)).unwrap();
        let address = address.with_functional_tx(id(0x7DF)).unwrap();
        let mut memory = [0; 64];
        let mut link = Link::new(address, &CONFIG, &mut memory[..]).unwrap();
        let (now, mut frame) = (Instant::ZERO, Frame::new());
        let mut commit = |link: &mut Link<_, _>| {
            let transmit = link.poll_transmit(now, &mut frame).unwrap();
            let token = transmit.token();
            assert_eq!(token, transmit.commit(now));
        };
        for _ in 0..3 {
            link.send(now, [1, 2]).unwrap();
            commit(&mut link);
            while link.poll_event().is_some() {}
        }
        link.send_functional(now, [1, 2]).unwrap();
        commit(&mut link);
        let first = FrameView {
            id: id(0x7E8),
            kind: crate::FrameKind::Classic,
            data: &[0x10, 20, 1, 2, 3, 4, 5, 6],
        };
        link.handle_frame(now, first);
        commit(&mut link);
    }

    #[test]
    fn a_token_survives_as_a_number() {
        let channels = [Channel::Data, Channel::FlowControl, Channel::Functional];
        for (slot, sequence) in [(0, 0), (5, 7), (0x8000_0001, 0x3FFF_FFFF)] {
            for channel in channels {
                let token = TxToken::new(slot, channel, sequence);
                assert_eq!(TxToken::from_bits(token.to_bits()), token);
                assert_eq!((token.slot(), token.sequence()), (slot, sequence));
                assert_eq!(token.channel(), Some(channel));
                assert_eq!(token.is_flow_control(), channel == Channel::FlowControl);
            }
        }
    }

    #[test]
    fn an_offered_frame_names_its_slot() {
        let id = |value| Id::standard(value).unwrap();
        let mut memory = [[0; 64]; 3];
        let mut router = crate::Router::new([const { crate::Slot::new() }; 3]);
        let (now, mut frame) = (Instant::ZERO, Frame::new());
        for (slot, memory) in (0..3u16).zip(&mut memory) {
            let address = Address::normal(id(0x100 + slot), id(0x200 + slot)).unwrap();
            let link = Link::new(address, &CONFIG, &mut memory[..]).unwrap();
            let name = router.insert(link).unwrap_or_else(|_| panic!("no room"));
            router.send(now, name, [1, 2]).unwrap();
            let transmit = router.poll_transmit(now, &mut frame).unwrap();
            assert_eq!(transmit.slot(), u32::from(slot));
            assert_eq!(transmit.commit(now).slot(), u32::from(slot));
        }
    }
}
