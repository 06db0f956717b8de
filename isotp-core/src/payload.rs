//! What is sent: a size, and bytes on demand.

use core::ops::Range;

use crate::address::Half;
use crate::config::Config;
use crate::error::SendError;
use crate::frame::Frame;
use crate::pdu::{self, copy};

/// The bytes of a message to be sent.
///
/// Anything that is `AsRef<[u8]>` is one: slices, arrays, vectors. Implement it for a source that
/// makes its bytes as they are needed, such as a file; a message of 4 GiB then needs no memory.
pub trait Payload {
    /// Bytes in the whole message. It must not change while the message is being sent.
    fn size(&self) -> u32;

    /// Copies the bytes from `offset` on into `out` and says how many were copied.
    ///
    /// `None`, or fewer than `out` holds, means "not yet": the same offset is asked for again at the
    /// next poll, and N_Cs bounds the wait. Offsets never go back, except to repeat a frame that the
    /// bus did not take.
    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize>;

    /// All the bytes, where they lie together in memory: the fast way.
    fn contiguous(&self) -> Option<&[u8]> {
        None
    }
}

impl<T: AsRef<[u8]>> Payload for T {
    fn size(&self) -> u32 {
        u32::try_from(self.as_ref().len()).unwrap_or(u32::MAX)
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let from = self.as_ref().get(usize::try_from(offset).ok()?..)?;
        Some(copy(out, from))
    }

    fn contiguous(&self) -> Option<&[u8]> {
        Some(self.as_ref())
    }
}

/// The size of a message that can be sent at all.
pub(crate) fn sendable_size(payload: &impl Payload) -> Result<u32, SendError> {
    let max = u32::MAX;
    match payload.contiguous().map(|bytes| bytes.len() as u64) {
        Some(size) if size > u64::from(max) => return Err(SendError::TooLong { size, max }),
        _ => {}
    }
    match payload.size() {
        0 => Err(SendError::Empty),
        size => Ok(size),
    }
}

/// Writes `len` bytes of a payload behind the header of a frame, and finishes it; `false` if the
/// payload does not have them.
pub(crate) fn fill<P: Payload>(
    payload: &mut P,
    offset: u32,
    frame: &mut Frame,
    half: Half,
    config: &Config,
    data: Range<usize>,
) -> bool {
    let (len, end) = (data.len(), data.end);
    let room = frame.data.get_mut(data);
    let given = room.and_then(|room| payload.copy_to(offset, room));
    if given.is_none_or(|given| given < len) {
        return false;
    }
    pdu::finish(frame, half, config, end);
    true
}

/// Memory that a link keeps for the messages it sends, for callers that build them in place.
///
/// See [`Link::prepare`](crate::Link::prepare).
#[derive(Debug)]
pub struct Prepared<M> {
    memory: M,
    len: usize,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>> Prepared<M> {
    /// Takes the memory.
    pub const fn new(memory: M) -> Self {
        Self { memory, len: 0 }
    }

    /// Sets the length of the message to be built and gives its bytes, as they were left.
    pub(crate) fn prepare(&mut self, len: usize) -> Option<&mut [u8]> {
        let bytes = self.memory.as_mut().get_mut(..len)?;
        self.len = len;
        Some(bytes)
    }

    pub(crate) fn into_memory(self) -> M {
        self.memory
    }

    pub(crate) fn capacity(&self) -> usize {
        self.memory.as_ref().len()
    }
}

impl<M: AsRef<[u8]>> AsRef<[u8]> for Prepared<M> {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_ref().get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FF_DL has 32 bits. The memory is never touched, and so costs nothing.
    #[test]
    #[cfg(all(target_pointer_width = "64", not(miri)))]
    fn a_message_of_more_than_4_gib_is_refused() {
        let mut payload = std::vec![0u8; 1 << 32];
        let (size, max) = (1 << 32, u32::MAX);
        assert_eq!(
            sendable_size(&payload),
            Err(SendError::TooLong { size, max })
        );
        payload.pop();
        assert_eq!(sendable_size(&payload), Ok(u32::MAX));
    }
}
