//! What is the user's, at its end.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// Drops what is the user's where others have to go on: should that panic, whoever handles panics has been
/// told, and nobody else is struck.
pub(crate) fn let_go<T>(of: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(of)));
}
