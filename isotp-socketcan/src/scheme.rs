//! `raw:`, `kernel:` and `socketcan:` in connection strings.

mod kernel;

pub use kernel::KernelScheme;
