//! Where the driver's links put received messages.

use core::fmt;
use std::sync::Arc;

use isotp_core::RxBuffer;

use crate::line::Line;

/// Memory that grows with the message and is given away with it, or a buffer of the user's.
///
/// It is ready when the connection's queue has a place for the message.
pub(crate) struct Buffer {
    line: Arc<Line>,
    memory: Memory,
    /// The queue keeps a place for the message.
    reserved: bool,
}

enum Memory {
    Growing(Vec<u8>),
    User(Box<dyn RxBuffer + Send>),
}

impl Buffer {
    pub(crate) const fn growing(line: Arc<Line>) -> Self {
        Self {
            line,
            memory: Memory::Growing(Vec::new()),
            reserved: false,
        }
    }

    pub(crate) fn user(line: Arc<Line>, buffer: Box<dyn RxBuffer + Send>) -> Self {
        Self {
            line,
            memory: Memory::User(buffer),
            reserved: false,
        }
    }

    /// The message, whole; the place in the queue goes with it. Empty if the user's buffer has it.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.reserved = false;
        match &mut self.memory {
            Memory::Growing(bytes) => core::mem::take(bytes),
            Memory::User(_) => Vec::new(),
        }
    }

    /// The message will not come: gives its memory and its place back.
    pub(super) fn clear(&mut self) {
        self.take();
    }
}

impl RxBuffer for Buffer {
    fn limit(&self) -> u32 {
        match &self.memory {
            Memory::Growing(_) => self.line.longest(),
            Memory::User(buffer) => buffer.limit(),
        }
    }

    fn ready(&mut self, size: u32, received: u32) -> bool {
        self.reserved = self.reserved || self.line.reserve();
        let memory = match &mut self.memory {
            Memory::Growing(_) => true,
            Memory::User(buffer) => buffer.ready(size, received),
        };
        self.reserved && memory
    }

    fn start(&mut self, size: u32) {
        match &mut self.memory {
            Memory::Growing(bytes) => {
                bytes.clear();
                // a failure shows in `write`
                let _ = bytes.try_reserve_exact(size.min(FIRST_RESERVE) as usize);
            }
            Memory::User(buffer) => buffer.start(size),
        }
    }

    #[inline]
    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        match &mut self.memory {
            Memory::Growing(bytes) => {
                if bytes.try_reserve(data.len()).is_err() {
                    return false;
                }
                bytes.extend_from_slice(data);
                true
            }
            Memory::User(buffer) => buffer.write(offset, data),
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("reserved", &self.reserved)
            .finish_non_exhaustive()
    }
}

/// What is reserved at most when a message begins: what is announced may never come.
const FIRST_RESERVE: u32 = 4096;
