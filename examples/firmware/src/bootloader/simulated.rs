//! Flash in memory that takes its time.

use core::time::Duration;

use isotp_core::Instant;

use super::{Flash, PAGE, WriteError};

/// Flash memory that is busy for as long as a real one: a page takes 1 ms, and the first page of each
/// sector of 2 KiB another 22 ms, in which the sector is erased.
#[derive(Debug)]
pub struct SimulatedFlash<'a> {
    cells: &'a mut [u8],
    now: Instant,
    /// Until when it is busy with which page.
    writing: Option<(Instant, u32)>,
    mood: Mood,
}

/// What a flash does with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It writes it.
    Works,
    /// It never ends.
    Stuck,
    /// It reports an error.
    Breaks,
}

impl<'a> SimulatedFlash<'a> {
    /// Flash of as many bytes as `cells`.
    pub const fn new(cells: &'a mut [u8]) -> Self {
        Self {
            cells,
            now: Instant::ZERO,
            writing: None,
            mood: Mood::Works,
        }
    }

    /// Time has passed.
    pub fn pass_time(&mut self, now: Instant) {
        self.now = now;
    }

    /// What it does from now on.
    pub fn set_mood(&mut self, mood: Mood) {
        self.mood = mood;
    }

    /// All of it, as the processor reads it.
    #[must_use]
    pub const fn cells(&self) -> &[u8] {
        self.cells
    }
}

impl Flash for SimulatedFlash<'_> {
    fn size(&self) -> u32 {
        self.cells.len() as u32
    }

    fn write(&mut self, address: u32, page: &[u8]) -> nb::Result<(), WriteError> {
        match self.mood {
            Mood::Works => {}
            Mood::Stuck => return Err(nb::Error::WouldBlock),
            Mood::Breaks => return Err(nb::Error::Other(WriteError)),
        }
        let begin = address as usize;
        let Some(cells) = self.cells.get_mut(begin..begin + page.len()) else {
            return Err(nb::Error::Other(WriteError));
        };
        match self.writing {
            None => {
                let erase = if begin.is_multiple_of(SECTOR) {
                    ERASE
                } else {
                    Duration::ZERO
                };
                self.writing = Some((self.now + erase + WRITE, address));
                Err(nb::Error::WouldBlock)
            }
            // whoever begins another page before this one is done has lost both
            Some((_, other)) if other != address => Err(nb::Error::Other(WriteError)),
            Some((until, _)) if self.now < until => Err(nb::Error::WouldBlock),
            Some(_) => {
                cells.copy_from_slice(page);
                self.writing = None;
                Ok(())
            }
        }
    }
}

const SECTOR: usize = 16 * PAGE;
const ERASE: Duration = Duration::from_millis(22);
const WRITE: Duration = Duration::from_millis(1);
