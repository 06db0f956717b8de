//! Where received messages go: memory that the caller gives.

/// Takes the bytes of one segmented message at a time.
///
/// Implemented for `&mut [u8]`, for `heapless::Vec<u8, N>` (feature `heapless`) and, with `alloc`,
/// for `GrowingBuffer`. Implement it to stream into flash: say `false` in [`ready`](Self::ready)
/// while a page is being written, and the link holds the sender back with FC.WAIT.
///
/// Per message the link calls `start` once, then `write` in order, gapless. Bytes may be written
/// before their flow control is confirmed; if the message then fails, `start` begins the next.
pub trait RxBuffer {
    /// The longest message that it ever takes. A longer one is answered with FC.OVFLW (`RXE-03`).
    fn limit(&self) -> u32;

    /// Asked when a flow control falls due: is there room for the next block of a message of `size`
    /// bytes, `received` of which are here? `false`: FC.WAIT (`RXE-04`), asked again at each poll.
    fn ready(&mut self, size: u32, received: u32) -> bool {
        let _ = (size, received);
        true
    }

    /// A message of `size` bytes begins; `size` is at most [`limit`](Self::limit).
    fn start(&mut self, size: u32);

    /// The next bytes, from `offset` on. `false` if they cannot be taken: the reception then ends
    /// with `N_ERROR`.
    fn write(&mut self, offset: u32, data: &[u8]) -> bool;
}

impl RxBuffer for &mut [u8] {
    fn limit(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn start(&mut self, _size: u32) {}

    #[inline]
    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        let begin = offset as usize;
        let room = begin
            .checked_add(data.len())
            .and_then(|end| self.get_mut(begin..end));
        room.map(|room| room.copy_from_slice(data)).is_some()
    }
}

#[cfg(feature = "heapless")]
impl<const N: usize> RxBuffer for heapless::Vec<u8, N> {
    fn limit(&self) -> u32 {
        u32::try_from(N).unwrap_or(u32::MAX)
    }

    fn start(&mut self, _size: u32) {
        self.clear();
    }

    fn write(&mut self, _offset: u32, data: &[u8]) -> bool {
        self.extend_from_slice(data).is_ok()
    }
}

/// A `Vec` with a limit that grows as data arrives.
///
/// A first frame that claims 4 GiB costs nothing: memory follows the bytes that really came.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrowingBuffer {
    bytes: alloc::vec::Vec<u8>,
    limit: u32,
}

#[cfg(feature = "alloc")]
impl GrowingBuffer {
    /// An empty buffer that takes messages of up to `limit` bytes.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self {
            bytes: alloc::vec::Vec::new(),
            limit,
        }
    }

    /// Takes the message out and leaves an empty buffer with the same limit.
    pub fn take(&mut self) -> alloc::vec::Vec<u8> {
        core::mem::take(&mut self.bytes)
    }
}

#[cfg(feature = "alloc")]
impl AsRef<[u8]> for GrowingBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(feature = "alloc")]
impl RxBuffer for GrowingBuffer {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn start(&mut self, size: u32) {
        self.bytes.clear();
        // a message of usual size gets its memory at once; a failure here shows in `write`
        let _ = self
            .bytes
            .try_reserve_exact(size.min(FIRST_RESERVE) as usize);
    }

    #[inline]
    fn write(&mut self, _offset: u32, data: &[u8]) -> bool {
        if self.bytes.try_reserve(data.len()).is_err() {
            return false;
        }
        self.bytes.extend_from_slice(data);
        true
    }
}

/// What is reserved at most when a message begins.
#[cfg(feature = "alloc")]
const FIRST_RESERVE: u32 = 4096;
