//! Code of the user's, where others have to go on: what it panics with has gone to whoever handles panics, and
//! nobody else is struck.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use isotp_core::{Payload, RxBuffer};

/// What is the user's, and dropped by whom it pleases: [let go](let_go) of, wherever that is.
pub(crate) struct OfUser<T>(Option<T>);

impl<T> OfUser<T> {
    pub(crate) const fn new(of: T) -> Self {
        Self(Some(of))
    }
}

impl<T> Drop for OfUser<T> {
    fn drop(&mut self) {
        let_go(self.0.take());
    }
}

impl<T: Payload> Payload for OfUser<T> {
    fn size(&self) -> u32 {
        self.0.as_ref().map_or(0, T::size)
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        self.0.as_mut()?.copy_to(offset, out)
    }

    fn contiguous(&self) -> Option<&[u8]> {
        self.0.as_ref()?.contiguous()
    }
}

impl<T: RxBuffer> RxBuffer for OfUser<T> {
    fn limit(&self) -> u32 {
        self.0.as_ref().map_or(0, T::limit)
    }

    fn ready(&mut self, size: u32, received: u32) -> bool {
        let buffer = self.0.as_mut();
        buffer.is_some_and(|buffer| buffer.ready(size, received))
    }

    fn start(&mut self, size: u32) {
        if let Some(buffer) = &mut self.0 {
            buffer.start(size);
        }
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        let buffer = self.0.as_mut();
        buffer.is_some_and(|buffer| buffer.write(offset, data))
    }
}

/// Drops what is the user's.
pub(crate) fn let_go<T>(of: T) {
    contain(|| drop(of));
}

/// Calls what is the user's, and contains its panic.
pub(crate) fn contain(call: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
        // it is the user's as well, and may do the same when it is dropped
        core::mem::forget(panic);
    }
}
