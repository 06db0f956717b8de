//! `raw:`, `kernel:` and `socketcan:` in connection strings.

mod kernel;
mod raw;

pub use kernel::KernelScheme;
pub use raw::RawScheme;
