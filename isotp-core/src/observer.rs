//! Listens to two others: both directions of somebody else's traffic, for sniffing and for logs.

mod side;

use core::ops::Deref;

use crate::address::Address;
use crate::buffer::RxBuffer;
use crate::config::Config;
use crate::error::{ConfigError, Ignored, NResult};
use crate::event::Message;
use crate::frame::FrameView;
use crate::pdu::FlowControl;
use crate::time::{Instant, Timeout};

use side::Side;

/// Reassembles what two nodes say to each other, and never says anything itself (`FC-11`).
///
/// It is made from the [`Address`] of either of the two. Each direction has a [`Receiver`](crate::Receiver) that only
/// listens: it takes consecutive frames of any block structure, whether their flow control was seen or
/// not. CC and FD frames and the RX_DL of each direction are taken as they come; `receive.any_kind`
/// says whether both kinds are. `any_source` of the address has no effect: one pair is observed.
///
/// | frame | in its own direction | in the other direction |
/// |---|---|---|
/// | SF, FF, CF | as a receiver reads them (requirements 1.1, 1.7, 1.8), but nothing is answered | - |
/// | functional SF | a message beside the physical one (`ADR-06`) | - |
/// | FC CTS, WAIT | told | N_Cr of the running reception starts again, so a long row of WAITs is no timeout |
/// | FC OVFLW, reserved FS, awaited | told | ends the running reception: `N_BUFFER_OVFLW`, `N_INVALID_FS` |
/// | FC OVFLW, reserved FS, not awaited | told | nothing, since a sender ignores it (`FC-03`) |
///
/// A flow control is awaited after a first frame, and when as many consecutive frames as the BS of the
/// last CTS have come. Each call is O(1) and allocates nothing, except what a [`RxBuffer`] allocates.
///
/// ```
/// use isotp_core::{Address, Config, Direction, FrameKind, FrameView, Id, Instant, Observed, Observer};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// static CONFIG: Config = Config::listening();
/// let (tester, ecu) = (Id::standard(0x7E0)?, Id::standard(0x7E8)?);
/// let (mut a, mut b) = ([0; 4095], [0; 4095]);
/// let mut observer = Observer::new(Address::normal(tester, ecu)?, &CONFIG, [&mut a[..], &mut b[..]])?;
/// for (id, data) in [
///     (ecu, &[0x10, 10, b't', b'e', b'n', b' ', b' ', b'b'][..]),
///     (tester, &[0x30, 0, 0]),
///     (ecu, &[0x21, b'y', b't', b'e', b's']),
/// ] {
///     let frame = FrameView { id, kind: FrameKind::Classic, data };
///     observer.handle_frame(Instant::ZERO, frame);
/// }
/// assert!(matches!(observer.poll_event(), Some((Direction::Tx, Observed::FlowControl(_)))));
/// assert!(matches!(observer.poll_event(), Some((_, Observed::FirstFrame { size: 10, .. }))));
/// let Some((Direction::Rx, Observed::Message(message))) = observer.poll_event() else { panic!() };
/// assert_eq!(message.data(), b"ten  bytes");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Observer<B, C = &'static Config, S = [u8; 62]> {
    config: C,
    clock: Instant,
    tx: Side<B, S>,
    rx: Side<B, S>,
}

/// Which way a frame or a message went, as seen from the node whose address the observer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Direction {
    /// From that node: its tx id, or its functional tx id.
    Tx,
    /// To that node: its rx id, or its functional rx id.
    Rx,
}

/// What an observer saw.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observed<'a, B> {
    /// A flow control: the direction is its own, and that of the data it answers is the other one.
    FlowControl(FlowControl),
    /// A segmented message begins. Exactly one [`Message`](Self::Message) or
    /// [`Failed`](Self::Failed) follows.
    FirstFrame {
        /// Bytes in the whole message.
        size: u32,
        /// N_SA of the sender; meaningful with normal fixed and mixed 29-bit addresses.
        source: u8,
    },
    /// A whole message, physical or functional.
    Message(Message<'a, B>),
    /// An announced message will not come, as far as an observer can tell.
    Failed(NResult),
    /// So many messages were lost since the last report, because the one before was not taken yet.
    Dropped(u16),
    /// A frame of this direction had no effect. Only with `Config::diagnostics`; the newest reason.
    Ignored(Ignored),
}

impl<B: RxBuffer> Observer<B> {
    /// An observer of the node with this address and its peer. The first buffer is for the messages in
    /// direction [`Tx`](Direction::Tx), the second for those in direction [`Rx`](Direction::Rx).
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that makes no sense, or does not listen.
    pub fn new(
        address: Address,
        config: &'static Config,
        buffers: [B; 2],
    ) -> Result<Self, ConfigError> {
        Self::with_spare(address, config, buffers, [[0; 62]; 4])
    }
}

impl<B, C, S> Observer<B, C, S>
where
    B: RxBuffer,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    /// The same with a configuration held by any pointer, and spare memory of the caller's: four pieces
    /// of 7 bytes where only CAN CC frames are taken, else of 62.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that makes no sense, or does not listen, or too little spare
    /// memory.
    pub fn with_spare(
        address: Address,
        config: C,
        buffers: [B; 2],
        spare: [S; 4],
    ) -> Result<Self, ConfigError> {
        if !config.receive.listen_only {
            return Err(ConfigError::NotListening);
        }
        let [tx_buffer, rx_buffer] = buffers;
        let [tx_spare, tx_functional, rx_spare, rx_functional] = spare;
        let heard = address.reversed();
        Ok(Self {
            tx: Side::new(heard, &config, tx_buffer, [tx_spare, tx_functional])?,
            rx: Side::new(
                heard.reversed(),
                &config,
                rx_buffer,
                [rx_spare, rx_functional],
            )?,
            config,
            clock: Instant::ZERO,
        })
    }

    /// A frame was seen on the bus. Frames of other addresses are ignored.
    pub fn handle_frame(&mut self, now: Instant, frame: FrameView<'_>) {
        let now = self.advance(now);
        let (own, other, recognised) = if let Some(recognised) = self.rx.address.recognise(&frame) {
            (&mut self.rx, &mut self.tx, recognised)
        } else if let Some(recognised) = self.tx.address.recognise(&frame) {
            (&mut self.tx, &mut self.rx, recognised)
        } else {
            return;
        };
        let config = &*self.config;
        match own.handle_frame(now, config, &frame, recognised) {
            Ok(Some(flow)) => other.handle_answer(now, flow),
            Ok(None) => {}
            Err(reason) => own.ignore(reason, config),
        }
    }

    /// Time has passed. Afterwards every deadline is later than `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        self.tx.receiver.handle_timeout(now, &self.config);
        self.rx.receiver.handle_timeout(now, &self.config);
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next; `None` while no segmented
    /// message is under way.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timeout> {
        let timeouts = [
            self.tx.receiver.poll_timeout(&self.config),
            self.rx.receiver.poll_timeout(&self.config),
        ];
        timeouts
            .into_iter()
            .flatten()
            .min_by_key(|timeout| timeout.at)
    }

    /// What was seen, and in which direction; `None` when the user knows everything. Drain it after
    /// each `handle_*`: a message that comes before an older one was taken is dropped and counted, and
    /// of two flow controls the newer is told.
    ///
    /// A message can be read until the next call on the observer.
    pub fn poll_event(&mut self) -> Option<(Direction, Observed<'_, B>)> {
        // a flow control comes before what it does to the other direction
        if let Some(flow) = self.tx.flow.take() {
            return Some((Direction::Tx, Observed::FlowControl(flow)));
        }
        if let Some(flow) = self.rx.flow.take() {
            return Some((Direction::Rx, Observed::FlowControl(flow)));
        }
        let (direction, side) = if self.tx.has_news() {
            (Direction::Tx, &mut self.tx)
        } else {
            (Direction::Rx, &mut self.rx)
        };
        Some((direction, side.poll_event()?))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The buffer of a direction.
    pub const fn buffer(&self, direction: Direction) -> &B {
        self.side(direction).receiver.buffer()
    }

    /// Whether a segmented message is under way in a direction.
    #[must_use]
    pub fn is_receiving(&self, direction: Direction) -> bool {
        self.side(direction).receiver.is_active()
    }

    /// How many frames of a direction had no effect (`SVC-06`). Saturates.
    #[must_use]
    pub const fn ignored(&self, direction: Direction) -> u32 {
        self.side(direction).ignored()
    }

    const fn side(&self, direction: Direction) -> &Side<B, S> {
        match direction {
            Direction::Tx => &self.tx,
            Direction::Rx => &self.rx,
        }
    }

    /// Time never runs backward.
    fn advance(&mut self, now: Instant) -> Instant {
        self.clock = self.clock.max(now);
        self.clock
    }
}

#[cfg(test)]
mod tests;
