//! The reactor that smol and async-std share, as the driver sees it: what their crates have in common.
#![forbid(unsafe_code)]

mod tcp;
mod timer;
#[cfg(unix)]
mod watch;

pub use tcp::{IoListener, IoStream, connect, listen};
pub use timer::IoTimer;
#[cfg(unix)]
pub use watch::IoWatch;
