//! One link: both directions of an address, physical and functional.

mod machine;

pub(crate) use machine::Offered;

use core::ops::Deref;

use crate::address::{Address, Half};
use crate::buffer::RxBuffer;
use crate::config::{Config, Duplex, StMin};
use crate::error::{ChangeError, ConfigError, Ignored, Refused, SendError};
use crate::event::{Bytes, Event, Message};
use crate::functional::FunctionalTransfer;
use crate::payload::{Payload, Prepared, sendable_size};
use crate::pdu;
use crate::receiver::{Receiver, check_spare};
use crate::sender::Sender;
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
    clock: Instant,
    sender: Sender<P>,
    receiver: Receiver<B, S>,
    functional: Functional<P, S>,
    diagnosis: Diagnosis,
    peer: Peer,
    usual: Usual,
}

/// Whether the short ways are open for the frames that mostly come and go: 8 bytes, no address byte, one
/// peer.
#[derive(Debug)]
struct Usual {
    tx: bool,
    rx: bool,
}

/// The functional channels, out and in.
#[derive(Debug)]
struct Functional<P, S> {
    transfer: FunctionalTransfer,
    payload: Option<P>,
    spare: S,
}

/// What did not come to pass, and why; and what the user was not told.
#[derive(Debug, Default)]
struct Diagnosis {
    ignored: u32,
    last: Option<Ignored>,
    dropped: u16,
    unread: Unread,
    /// There is something here, or a functional message, that the user was not told.
    news: bool,
}

/// A functional message. Not beside its memory, where alignment would make eight bytes of two.
#[derive(Debug, Default)]
struct Unread {
    /// Its bytes; 0: none.
    len: u8,
    source: u8,
}

impl Diagnosis {
    fn settle(&mut self) {
        self.news = self.dropped > 0 || self.last.is_some();
    }
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
        check_spare(&config, functional.as_ref().len())?;
        let remote = (address.tx().id().value() >> 8) as u8;
        let one_peer = !address.any_source();
        let usual = Usual {
            tx: one_peer && address.tx().prefix_len() == 0 && config.transmit.tx_dl == 8,
            rx: one_peer && address.rx().prefix_len() == 0,
        };
        Ok(Self {
            receiver: Receiver::new(&config, buffer, physical)?,
            config,
            address,
            clock: Instant::ZERO,
            sender: Sender::new(),
            functional: Functional {
                transfer: FunctionalTransfer::new(),
                payload: None,
                spare: functional,
            },
            diagnosis: Diagnosis::default(),
            usual,
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
        *self.sender.payload_mut() = Some(payload);
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
        let now = self.advance(now);
        self.functional.payload = Some(payload);
        self.functional.transfer.begin(now, &self.config);
        Ok(())
    }

    /// Ends the transmission of the physical message with `N_ERROR` (`SVC-08`). Nothing happens if
    /// there is none.
    pub fn abort_send(&mut self, now: Instant) {
        self.advance(now);
        self.sender.abort();
    }

    /// Ends the reception of the physical message with `N_ERROR` (`SVC-08`); its further frames are
    /// ignored. Nothing happens if there is none.
    pub fn abort_receive(&mut self, now: Instant) {
        self.advance(now);
        self.receiver.abort();
    }

    /// N_ChangeParameter: sets BS or STmin of our flow controls (`SVC-07`).
    ///
    /// # Errors
    /// [`ChangeError::Receiving`] while a message is being received, [`ChangeError::WrongValue`] above
    /// 0xFF and for reserved STmin codes.
    pub fn configure(&mut self, parameter: Parameter, value: u32) -> Result<(), ChangeError> {
        if self.receiver.is_active() {
            return Err(ChangeError::Receiving);
        }
        let wrong = ChangeError::WrongValue { value };
        let byte = u8::try_from(value).map_err(|_| wrong)?;
        match parameter {
            Parameter::BlockSize => self.receiver.set_block_size(byte),
            Parameter::StMin => {
                self.receiver
                    .set_st_min(StMin::from_code(byte).map_err(|_| wrong)?);
            }
        }
        Ok(())
    }

    /// What happened, in order; `None` when the user knows everything. Drain it after each `handle_*`
    /// and after each commit: a single or first frame that comes before an older outcome was taken is
    /// dropped, counted, and reported as [`Event::Dropped`].
    ///
    /// A message can be read until the next call on the link.
    #[inline]
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
        self.receiver.buffer()
    }

    /// The receive buffer, to change how it answers. Its bytes belong to the running reception.
    pub const fn buffer_mut(&mut self) -> &mut B {
        self.receiver.buffer_mut()
    }

    /// Whether a physical message is being sent.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.sender.is_busy()
    }

    /// Whether a segmented message is being received.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.receiver.is_active()
    }

    /// Bytes of the physical message in committed frames, for progress bars.
    #[must_use]
    pub const fn sent(&self) -> u32 {
        self.sender.sent()
    }

    /// Bytes of the message that is being received, for progress bars.
    #[must_use]
    pub const fn received(&self) -> u32 {
        self.receiver.received()
    }

    /// How many frames of this address had no effect (`SVC-06`). Saturates.
    #[must_use]
    pub const fn ignored(&self) -> u32 {
        self.diagnosis.ignored
    }

    fn may_send(&self, size: u32) -> Result<(), SendError> {
        if size == 0 {
            return Err(SendError::Empty);
        }
        if self.config.receive.listen_only {
            return Err(SendError::ListenOnly);
        }
        if !self.sender.transfer().is_idle() {
            return Err(SendError::Busy);
        }
        if self.config.duplex == Duplex::Half && self.receiver.is_active() {
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
        let now = self.advance(now);
        self.peer.current = self.peer.next;
        self.sender.begin(now, self.tx_half(), &self.config, size);
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

    fn poll_news(&mut self) -> Option<Event<'_, B>> {
        if let Some(result) = self.sender.poll_confirm() {
            return Some(Event::Confirmed(result));
        }
        if self.receiver.reception().has_news() {
            return self.receiver.poll_event().inspect(|event| {
                if let Event::Received(message) = event {
                    self.peer.next = message.source;
                }
            });
        }
        if let Some(result) = self.functional.transfer.take_result() {
            return Some(Event::FunctionalConfirmed(result));
        }
        if self.diagnosis.unread.len > 0 {
            let len = usize::from(core::mem::take(&mut self.diagnosis.unread.len));
            let source = self.diagnosis.unread.source;
            self.diagnosis.settle();
            let spare = self.functional.spare.as_ref();
            let single = spare.get(..len).unwrap_or_default();
            self.peer.next = source;
            return Some(Event::Received(Message {
                bytes: Bytes::Single(single),
                functional: true,
                source,
            }));
        }
        let dropped = core::mem::take(&mut self.diagnosis.dropped);
        let ignored = if dropped == 0 {
            self.diagnosis.last.take()
        } else {
            None
        };
        self.diagnosis.settle();
        if dropped > 0 {
            Some(Event::Dropped(dropped))
        } else {
            ignored.map(Event::Ignored)
        }
    }

    /// Time never runs backward.
    #[inline]
    fn advance(&mut self, now: Instant) -> Instant {
        self.clock = self.clock.max(now);
        self.clock
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
        if self.sender.is_busy() {
            return Some(memory);
        }
        self.sender
            .payload_mut()
            .replace(Prepared::new(memory))
            .map(Prepared::into_memory)
    }

    /// The memory of a message of `len` bytes, to be built in place and sent by
    /// [`send_prepared`](Self::send_prepared). It holds what was left there.
    ///
    /// # Errors
    /// Like [`send`](Self::send), and [`SendError::TooLong`] if the memory is smaller, or was never lent.
    pub fn prepare(&mut self, now: Instant, len: usize) -> Result<&mut [u8], SendError> {
        self.advance(now);
        let size = len as u64;
        self.may_send(u32::try_from(len).unwrap_or(u32::MAX))?;
        let memory = self.sender.payload_mut();
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
        let size = self.sender.payload_mut().as_ref().map_or(0, Payload::size);
        self.may_send(size)?;
        self.begin(now, size);
        Ok(())
    }
}

/// What N_ChangeParameter changes (`SVC-07`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Parameter {
    /// BS.
    BlockSize,
    /// STmin.
    StMin,
}

impl core::str::FromStr for Parameter {
    type Err = ChangeError;
    /// The names of the standard: `BS` and `STMIN`.
    fn from_str(name: &str) -> Result<Self, ChangeError> {
        match name {
            "BS" => Ok(Self::BlockSize),
            "STMIN" => Ok(Self::StMin),
            _ => Err(ChangeError::WrongParameter),
        }
    }
}

#[cfg(test)]
mod tests;
