//! `raw:`, `kernel:` and `socketcan:` in connection strings.

mod raw;

pub use raw::RawScheme;
