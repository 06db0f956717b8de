//! `raw:`, `kernel:` and `socketcan:` in connection strings.

mod kernel;
mod raw;
mod socketcan;

pub use kernel::KernelScheme;
pub use raw::RawScheme;
pub use socketcan::SocketCanScheme;
