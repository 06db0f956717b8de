//! Messages, and what else a connection tells.

use core::fmt;
use core::ops::Deref;

use isotp_core::{NResult, SendError};

/// A received message. It is its bytes, and knows a little more.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Message {
    bytes: Vec<u8>,
    size: u32,
    functional: bool,
    source: u8,
}

impl Message {
    pub(crate) const fn new(bytes: Vec<u8>, size: u32, functional: bool, source: u8) -> Self {
        Self {
            bytes,
            size,
            functional,
            source,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How long it is. The bytes themselves are elsewhere if the connection was made with
    /// [`connect_into`](crate::Network::connect_into) and the message was segmented.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Whether it came on the functional id.
    #[must_use]
    pub const fn is_functional(&self) -> bool {
        self.functional
    }

    /// N_SA of the sender; meaningful with normal fixed and mixed 29-bit addresses.
    #[must_use]
    pub const fn source(&self) -> u8 {
        self.source
    }
}

impl Deref for Message {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Message> for Vec<u8> {
    fn from(message: Message) -> Self {
        message.bytes
    }
}

impl PartialEq<[u8]> for Message {
    fn eq(&self, other: &[u8]) -> bool {
        self.bytes == other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Message {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.bytes == other
    }
}

impl PartialEq<&[u8]> for Message {
    fn eq(&self, other: &&[u8]) -> bool {
        self.bytes == *other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Message {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.bytes == *other
    }
}

impl PartialEq<Vec<u8>> for Message {
    fn eq(&self, other: &Vec<u8>) -> bool {
        self.bytes == *other
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.bytes)
            .field("size", &self.size)
            .field("functional", &self.functional)
            .finish_non_exhaustive()
    }
}

/// What a connection received and noticed, in order; see
/// [`next_event`](crate::Connection::next_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A segmented message begins. [`Message`](Self::Message) or [`Failed`](Self::Failed) follows.
    FirstFrame {
        /// Bytes in the whole message.
        size: u32,
        /// N_SA of the sender; meaningful with normal fixed and mixed 29-bit addresses.
        source: u8,
    },
    /// A whole message.
    Message(Message),
    /// An announced message will not come.
    Failed(NResult),
    /// So many messages were lost because the queue was full. On a frame bus only single frames can be:
    /// ISO-TP has no way to hold them back. A backend that carries whole messages without
    /// [back-pressure](crate::Guarantees::back_pressure) may lose any, and counts those longer than
    /// [`Config::max_message`](crate::Config::max_message) here too.
    Lagged(u32),
    /// A message that nobody waits for, sent with [`try_send`](crate::Connection::try_send), failed.
    SendFailed(NResult),
    /// Such a message made no sense when its turn came, and was not sent: its source had changed its
    /// size, say.
    SendRefused(SendError),
}
