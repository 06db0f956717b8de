//! One link: both directions of an address, physical and functional.

mod change;
mod machine;

pub use change::{Parameter, ReconfigureError};
pub(crate) use machine::Offered;

use core::ops::Deref;

use crate::address::{Address, Half};
use crate::buffer::RxBuffer;
use crate::channels::Channels;
use crate::config::{Config, Duplex};
use crate::error::{ConfigError, Ignored, Refused, SendError};
use crate::event::{Bytes, Event, Message};
use crate::functional::FunctionalTransfer;
use crate::payload::{Payload, Prepared, sendable_size};
use crate::pdu;
use crate::receiver::{Incoming, check};
use crate::sender::Outgoing;
use crate::time::Instant;

/// Sends and receives messages with one peer.
///
/// Commands and [`poll_event`](Self::poll_event) are here, the frame side is [`Machine`](crate::Machine).
/// Each call is O(1) and allocates nothing, except what a [`RxBuffer`] allocates. Type parameters: the
/// buffer `B` of segmented messages, the payload `P`, the pointer `C` to the configuration, and the
/// spare memory `S` for single frames, twice: one physical, one functional.
///
/// ```
/// use isotp_core::{Address, Config, Event, Frame, Id, Instant, Link, Machine};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// static CONFIG: Config = Config::new();
/// let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
/// let (mut a, mut b, now) = ([0; 64], [0; 64], Instant::ZERO);
/// let mut tester = Link::new(address, &CONFIG, &mut a[..])?;
/// let mut ecu = Link::<_, &[u8]>::new(address.reversed(), &CONFIG, &mut b[..])?;
/// tester.send(now, &b"twenty bytes of data"[..])?;
/// let mut frame = Frame::new();
/// loop {
///     if let Some(transmit) = tester.poll_transmit(now, &mut frame) {
///         transmit.commit(now);
///         ecu.handle_frame(now, frame.view());
///     } else if let Some(transmit) = ecu.poll_transmit(now, &mut frame) {
///         transmit.commit(now);
///         tester.handle_frame(now, frame.view());
///     } else {
///         break;
///     }
/// }
/// assert!(matches!(ecu.poll_event(), Some(Event::FirstFrame { size: 20, .. })));
/// let Some(Event::Received(message)) = ecu.poll_event() else { panic!() };
/// assert_eq!(message.data(), b"twenty bytes of data");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Link<B, P, C = &'static Config, S = [u8; 62]> {
    config: C,
    address: Address,
    channels: Channels,
    sender: Outgoing<P>,
    receiver: Incoming<B, S>,
    functional: Functional<P, S>,
    /// Frames of this address that had no effect.
    ignored: u32,
    /// Messages that were lost since the user was told.
    dropped: u16,
    peer: Peer,
}

/// The functional channels, out and in, and what else the user was not told.
#[derive(Debug)]
struct Functional<P, S> {
    payload: Option<P>,
    spare: S,
    transfer: FunctionalTransfer,
    /// Bytes of an unread message in the spare memory; 0: none.
    unread: u8,
    /// N_SA of that message.
    source: u8,
    news: News,
}

/// What the user was not told, beside the outcomes of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    /// A functional message, or dropped ones.
    Some,
    /// Why the newest ignored frame was ignored; and perhaps the above.
    Ignored(Ignored),
}

/// N_TA of what is sent, for links that receive from any source.
#[derive(Debug)]
struct Peer {
    /// Of the next message: whoever sent the newest one.
    next: u8,
    /// Of the message that is being sent.
    current: u8,
}

impl<B: RxBuffer, P: Payload> Link<B, P> {
    /// An idle link.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that makes no sense.
    pub fn new(address: Address, config: &'static Config, buffer: B) -> Result<Self, ConfigError> {
        Self::with_spare(address, config, buffer, [[0; 62]; 2])
    }
}

impl<B, P, C, S> Link<B, P, C, S>
where
    B: RxBuffer,
    P: Payload,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    /// An idle link with a configuration held by any pointer, and spare memory of the caller's: two
    /// pieces of 7 bytes on CAN CC, of 62 where FD frames are received.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that makes no sense, or too little spare memory.
    pub fn with_spare(
        address: Address,
        config: C,
        buffer: B,
        spare: [S; 2],
    ) -> Result<Self, ConfigError> {
        let [physical, functional] = spare;
        check(
            &config,
            physical.as_ref().len().min(functional.as_ref().len()),
        )?;
        let remote = (address.tx().id().value() >> 8) as u8;
        Ok(Self {
            receiver: Incoming::new(&config, buffer, physical),
            config,
            address,
            channels: Channels::new(),
            sender: Outgoing::new(),
            functional: Functional {
                payload: None,
                spare: functional,
                transfer: FunctionalTransfer::Idle,
                unread: 0,
                source: 0,
                news: News::None,
            },
            ignored: 0,
            dropped: 0,
            peer: Peer {
                next: remote,
                current: remote,
            },
        })
    }

    /// N_USData.request, physical: begins to send. Exactly one [`Event::Confirmed`] follows.
    ///
    /// On a link that receives from any source the message goes to whoever sent the newest message,
    /// at first to the peer that the address names.
    ///
    /// # Errors
    /// [`SendError`] with the payload; a transfer that runs is untouched (`SVC-02`).
    pub fn send(&mut self, now: Instant, payload: P) -> Result<(), Refused<P>> {
        let size = sendable_size(&payload);
        let size = match size.and_then(|size| self.may_send(size).map(|()| size)) {
            Ok(size) => size,
            Err(error) => return Err(Refused { error, payload }),
        };
        self.sender.payload = Some(payload);
        self.begin(now, size);
        Ok(())
    }

    /// N_USData.request, functional: one single frame to many. Exactly one
    /// [`Event::FunctionalConfirmed`] follows. It neither waits for physical messages nor holds them up.
    ///
    /// # Errors
    /// [`SendError`] with the payload, [`SendError::TooLong`] if it does not fit a single frame.
    pub fn send_functional(&mut self, now: Instant, payload: P) -> Result<(), Refused<P>> {
        let size = sendable_size(&payload);
        if let Err(error) = size.and_then(|size| self.may_send_functional(size)) {
            return Err(Refused { error, payload });
        }
        self.channels.advance(now);
        self.functional.payload = Some(payload);
        self.functional.transfer.begin(&mut self.channels);
        Ok(())
    }

    /// Names the peer that gets the next message, where the address receives from any source
    /// ([`Address::with_any_source`]); it has no effect elsewhere. It stays so until another message is
    /// polled, whose sender is then next.
    pub const fn answer_to(&mut self, source: u8) {
        self.peer.next = source;
    }

    /// Ends the transmission of the physical message with `N_ERROR` (`SVC-08`). Nothing happens if
    /// there is none.
    pub fn abort_send(&mut self, now: Instant) {
        self.channels.advance(now);
        self.sender.transfer.abort();
    }

    /// Ends the reception of the physical message with `N_ERROR` (`SVC-08`); its further frames are
    /// ignored. Nothing happens if there is none.
    pub fn abort_receive(&mut self, now: Instant) {
        self.channels.advance(now);
        self.receiver.reception.abort();
    }

    /// What happened, in order; `None` when the user knows everything. Drain it after each `handle_*`
    /// and after each commit: a single or first frame that comes before an older outcome was taken is
    /// dropped, counted, and reported as [`Event::Dropped`].
    ///
    /// A message can be read until the next call on the link.
    #[inline(always)]
    pub fn poll_event(&mut self) -> Option<Event<'_, B>> {
        if self.has_news() {
            self.poll_news()
        } else {
            None
        }
    }

    /// Takes the payload of a finished physical message out, to free its memory or use it again. It
    /// stays until then, or until the next message.
    pub fn take_payload(&mut self) -> Option<P> {
        self.sender.take_payload()
    }

    /// Takes the payload of a finished functional message out.
    pub fn take_functional_payload(&mut self) -> Option<P> {
        if self.functional.transfer.is_busy() {
            None
        } else {
            self.functional.payload.take()
        }
    }

    /// The address.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The receive buffer.
    pub const fn buffer(&self) -> &B {
        &self.receiver.buffer
    }

    /// The receive buffer, to change how it answers. Its bytes belong to the running reception.
    pub const fn buffer_mut(&mut self) -> &mut B {
        &mut self.receiver.buffer
    }

    /// Whether a physical message is being sent.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.sender.transfer.is_busy()
    }

    /// Whether a segmented message is being received.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.receiver.reception.is_active()
    }

    /// Bytes of the physical message in committed frames, for progress bars.
    #[must_use]
    pub const fn sent(&self) -> u32 {
        self.sender.transfer.sent()
    }

    /// Bytes of the message that is being received, for progress bars.
    #[must_use]
    pub const fn received(&self) -> u32 {
        self.receiver.reception.received()
    }

    /// How many frames of this address had no effect (`SVC-06`). Saturates.
    #[must_use]
    pub const fn ignored(&self) -> u32 {
        self.ignored
    }

    fn may_send(&self, size: u32) -> Result<(), SendError> {
        if size == 0 {
            return Err(SendError::Empty);
        }
        if self.config.receive.listen_only {
            return Err(SendError::ListenOnly);
        }
        if !self.sender.transfer.is_idle() {
            return Err(SendError::Busy);
        }
        if self.config.duplex == Duplex::Half && self.receiver.reception.is_active() {
            return Err(SendError::Receiving);
        }
        Ok(())
    }

    fn may_send_functional(&self, size: u32) -> Result<(), SendError> {
        let half = self
            .address
            .functional_tx()
            .ok_or(SendError::NoFunctionalId)?;
        let tx_dl = usize::from(self.config.transmit.tx_dl);
        let max = pdu::single_capacity(tx_dl, half.prefix_len()) as u32;
        if size == 0 {
            return Err(SendError::Empty);
        }
        if size > max {
            let size = u64::from(size);
            return Err(SendError::TooLong { size, max });
        }
        if self.config.receive.listen_only {
            return Err(SendError::ListenOnly);
        }
        if !self.functional.transfer.is_idle() {
            return Err(SendError::Busy);
        }
        Ok(())
    }

    /// Begins to send the payload that the sender holds.
    fn begin(&mut self, now: Instant, size: u32) {
        self.channels.advance(now);
        self.peer.current = self.peer.next;
        let half = self.tx_half();
        self.sender
            .begin(&mut self.channels, half, &self.config, size);
    }

    /// What our data frames carry now.
    #[inline]
    fn tx_half(&self) -> Half {
        let half = self.address.tx();
        if self.address.any_source() {
            half.towards(self.peer.current)
        } else {
            half
        }
    }

    #[inline(never)]
    fn poll_news(&mut self) -> Option<Event<'_, B>> {
        if let Some(result) = self.sender.transfer.take_result() {
            return Some(Event::Confirmed(result));
        }
        let Some(told) = self.receiver.reception.tell() else {
            return self.poll_other_news();
        };
        let event = self.receiver.event(told);
        if let Event::Received(message) = &event {
            self.peer.next = message.source;
        }
        Some(event)
    }

    /// What there is beside physical messages.
    fn poll_other_news(&mut self) -> Option<Event<'_, B>> {
        let functional = &mut self.functional;
        if let Some(result) = functional.transfer.take_result() {
            return Some(Event::FunctionalConfirmed(result));
        }
        let len = usize::from(core::mem::take(&mut functional.unread));
        let dropped = if len > 0 {
            0
        } else {
            core::mem::take(&mut self.dropped)
        };
        let (source, news) = (functional.source, functional.news);
        // the newest reason is told last
        if self.dropped == 0 && (news == News::Some || (len == 0 && dropped == 0)) {
            functional.news = News::None;
        }
        if len > 0 {
            self.peer.next = source;
            let single = functional.spare.as_ref().get(..len).unwrap_or_default();
            return Some(Event::Received(Message {
                bytes: Bytes::Single(single),
                functional: true,
                source,
            }));
        }
        match news {
            _ if dropped > 0 => Some(Event::Dropped(dropped)),
            News::Ignored(reason) => Some(Event::Ignored(reason)),
            _ => None,
        }
    }
}

impl<B, M, C, S> Link<B, Prepared<M>, C, S>
where
    B: RxBuffer,
    M: AsRef<[u8]> + AsMut<[u8]>,
    C: Deref<Target = Config>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Gives the link memory for the messages it sends, once.
    ///
    /// What the link does not need comes back: the memory it had before, or, while a message is being
    /// sent, the new one.
    pub fn lend(&mut self, memory: M) -> Option<M> {
        if self.sender.transfer.is_busy() {
            return Some(memory);
        }
        self.sender
            .payload
            .replace(Prepared::new(memory))
            .map(Prepared::into_memory)
    }

    /// The memory of a message of `len` bytes, to be built in place and sent by
    /// [`send_prepared`](Self::send_prepared). It holds what was left there.
    ///
    /// # Errors
    /// Like [`send`](Self::send), and [`SendError::TooLong`] if the memory is smaller, or was never lent.
    pub fn prepare(&mut self, now: Instant, len: usize) -> Result<&mut [u8], SendError> {
        self.channels.advance(now);
        let size = len as u64;
        self.may_send(u32::try_from(len).unwrap_or(u32::MAX))?;
        let memory = &mut self.sender.payload;
        let max = memory.as_ref().map_or(0, Prepared::capacity) as u32;
        memory
            .as_mut()
            .and_then(|memory| memory.prepare(len))
            .ok_or(SendError::TooLong { size, max })
    }

    /// Sends the message that was prepared last.
    ///
    /// # Errors
    /// Like [`send`](Self::send); [`SendError::Empty`] if none was prepared.
    pub fn send_prepared(&mut self, now: Instant) -> Result<(), SendError> {
        let size = self.sender.payload.as_ref().map_or(0, Payload::size);
        self.may_send(size)?;
        self.begin(now, size);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
