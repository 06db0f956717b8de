//! A bootloader: an image of any size goes to flash while it arrives, through little memory.
//!
//! [`PageBuffer`] is the receive buffer of the link. It keeps a few pages; a full one is written to
//! flash in the background while the next ones fill. When the end of a block finds too little room the
//! buffer says "not now", the link holds the sender back with FC.WAIT, and asks again until there is
//! room. What that needs of the configuration is in [`CONFIG`]:
//! - a block size, so that the sender stops where the buffer can be asked. What the buffer promised must
//!   have room: [`BLOCK`] bytes.
//! - N_Br below the time that a page takes, or a sender with short timers gives up;
//! - N_WFTmax above zero, and so large that N_Br times N_WFTmax is longer than any wait. A flash that is
//!   never ready ends the reception with `N_WFT_OVRN`.

mod bench;
mod image;
mod simulated;

pub use bench::{Bench, Outcome};
pub use image::{Image, checksum};
pub use simulated::{Mood, SimulatedFlash};

use core::time::Duration;

use isotp_core::{Config, RxBuffer};

/// Bytes in a page.
pub const PAGE: usize = 128;
/// Bytes that the sender may send after each flow control: a block of consecutive frames of 7 bytes.
pub const BLOCK: usize = CONFIG.receive.block_size as usize * 7;
/// Pages that the buffer holds.
const PAGES: usize = 3;
/// Bytes of RAM for all data of a reception: the buffer, and the spare memory of the link.
pub const RAM: usize = size_of::<PageBuffer<()>>() + 2 * 7;
const _: () = assert!(RAM <= 512);

/// What the link of a bootloader needs.
pub static CONFIG: Config = {
    let mut config = Config::uds();
    config.receive.block_size = 18;
    config.receive.max_wait = 20;
    config.timing.n_br = Duration::from_millis(5);
    config
};

/// Flash memory that is written page by page, while the program goes on.
pub trait Flash {
    /// Bytes in it.
    fn size(&self) -> u32;

    /// Writes `page` at `address`. `WouldBlock`: it is being written, call again with the same.
    ///
    /// # Errors
    /// [`WriteError`]: the page cannot be written, and the image is lost.
    fn write(&mut self, address: u32, page: &[u8]) -> nb::Result<(), WriteError>;
}

/// The flash refused a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteError;

/// A receive buffer that writes to flash.
///
/// All the memory for data that a reception takes is here and in the link's spare memory.
#[derive(Debug)]
pub struct PageBuffer<F> {
    flash: F,
    /// A ring: byte `n` of the image is at `n % len`.
    memory: [u8; PAGES * PAGE],
    size: u32,
    received: u32,
    written: u32,
    failed: bool,
}

impl<F: Flash> PageBuffer<F> {
    /// An empty buffer before `flash`.
    pub const fn new(flash: F) -> Self {
        Self {
            flash,
            memory: [0; PAGES * PAGE],
            size: 0,
            received: 0,
            written: 0,
            failed: false,
        }
    }

    /// Writes what can be written now. The loop calls it at each turn: after the last frame nothing
    /// else does.
    pub fn poll(&mut self) {
        while self.is_writing() {
            let end = self.page_end();
            let begin = self.written as usize % self.memory.len();
            let len = (end - self.written) as usize;
            let page = self.memory.get(begin..begin + len).unwrap_or_default();
            match self.flash.write(self.written, page) {
                Ok(()) => self.written = end,
                Err(nb::Error::WouldBlock) => return,
                Err(nb::Error::Other(WriteError)) => self.failed = true,
            }
        }
    }

    /// Whether the whole image is in flash.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        !self.failed && self.written == self.size
    }

    /// The flash.
    pub const fn flash(&self) -> &F {
        &self.flash
    }

    /// The flash, to change it.
    pub const fn flash_mut(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Whether there is a page to be written: a full one, or the last of the image.
    fn is_writing(&self) -> bool {
        !self.failed && self.written < self.received && self.received >= self.page_end()
    }

    fn page_end(&self) -> u32 {
        self.size.min(self.written + PAGE as u32)
    }

    const fn room(&self) -> usize {
        self.memory.len() - (self.received - self.written) as usize
    }
}

impl<F: Flash> RxBuffer for PageBuffer<F> {
    fn limit(&self) -> u32 {
        self.flash.size()
    }

    fn ready(&mut self, _size: u32, received: u32) -> bool {
        self.poll();
        if self.failed {
            return true; // `write` then says so, which ends the reception
        }
        if received == 0 {
            // a page of the image before is perhaps being written
            return !self.is_writing();
        }
        self.room() >= BLOCK
    }

    fn start(&mut self, size: u32) {
        self.size = size;
        self.received = 0;
        self.written = 0;
        self.failed = false;
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        if self.failed || offset != self.received || data.len() > self.room() {
            return false;
        }
        let len = self.memory.len();
        for (index, byte) in data.iter().enumerate() {
            if let Some(place) = self.memory.get_mut((offset as usize + index) % len) {
                *place = *byte;
            }
        }
        self.received += data.len() as u32;
        self.poll();
        !self.failed
    }
}
