//! A CAN controller in memory, so that the examples run anywhere.

use core::convert::Infallible;

use embedded_can::nb::Can;
use heapless::Deque;

/// A controller with one mailbox for frames to be sent.
///
/// Like many real ones it puts a frame of higher priority in the mailbox by handing back the one that
/// was there.
#[derive(Debug, Default)]
pub struct Controller {
    mailbox: Option<CanFrame>,
    inbox: Deque<CanFrame, 8>,
    displaced: u32,
}

impl Controller {
    /// A controller with nothing in it.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            mailbox: None,
            inbox: Deque::new(),
            displaced: 0,
        }
    }

    /// The bus: the mailbox empties into the other node, if that has room. What crossed is given.
    pub fn pass(&mut self, to: &mut Self) -> Option<CanFrame> {
        let frame = self.mailbox.take()?;
        match to.inbox.push_back(frame.clone()) {
            Ok(()) => Some(frame),
            Err(frame) => {
                self.mailbox = Some(frame);
                None
            }
        }
    }

    /// How many frames were handed back.
    #[must_use]
    pub const fn displaced(&self) -> u32 {
        self.displaced
    }
}

impl Can for Controller {
    type Frame = CanFrame;
    type Error = Infallible;

    fn transmit(&mut self, frame: &CanFrame) -> nb::Result<Option<CanFrame>, Infallible> {
        match &self.mailbox {
            Some(waiting) if waiting.id <= frame.id => Err(nb::Error::WouldBlock),
            _ => {
                let displaced = self.mailbox.replace(frame.clone());
                self.displaced += u32::from(displaced.is_some());
                Ok(displaced)
            }
        }
    }

    fn receive(&mut self) -> nb::Result<CanFrame, Infallible> {
        self.inbox.pop_front().ok_or(nb::Error::WouldBlock)
    }
}

/// The frame type of that controller: what a HAL brings.
#[derive(Clone, Debug)]
pub struct CanFrame {
    id: embedded_can::Id,
    len: u8,
    data: [u8; 8],
}

impl embedded_can::Frame for CanFrame {
    fn new(id: impl Into<embedded_can::Id>, data: &[u8]) -> Option<Self> {
        let mut bytes = [0; 8];
        bytes.get_mut(..data.len())?.copy_from_slice(data);
        Some(Self {
            id: id.into(),
            len: data.len() as u8,
            data: bytes,
        })
    }

    fn new_remote(_id: impl Into<embedded_can::Id>, _dlc: usize) -> Option<Self> {
        None
    }

    fn is_extended(&self) -> bool {
        matches!(self.id, embedded_can::Id::Extended(_))
    }

    fn is_remote_frame(&self) -> bool {
        false
    }

    fn id(&self) -> embedded_can::Id {
        self.id
    }

    fn dlc(&self) -> usize {
        usize::from(self.len)
    }

    fn data(&self) -> &[u8] {
        self.data.get(..self.dlc()).unwrap_or(&self.data)
    }
}
