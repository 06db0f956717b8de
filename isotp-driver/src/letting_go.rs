//! Code of the user's, where others have to go on: what it panics with has gone to whoever handles panics, and
//! nobody else is struck.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// Drops what is the user's.
pub(crate) fn let_go<T>(of: T) {
    spare(|| drop(of));
}

/// Calls what is the user's.
pub(crate) fn spare(call: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(call));
}
