//! ISO-TP on Linux: raw CAN sockets under the stack of this project, and the kernel's ISO-TP sockets.
//!
//! Programs take the crate of their runtime, which opens `raw:can0`, `kernel:can0` and `socketcan:can0`.
//! What each error means at the bench is in the `guide` of these crates.
//!
//! On anything but Linux this crate is empty.
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

mod end;
mod interface;
mod kernel;
#[cfg(test)]
mod page;
mod raw;
mod scheme;
mod sys;

pub use interface::{Interface, Refusal};
pub use kernel::{
    Kernel, KernelChannel, KernelOpenError, KernelOptions, KernelSocket, NotSent, Obstacles,
    RecvError, Unsupported,
};
pub use raw::{ErrorFrame, Filtering, RawBus, RawMonitor, RawSocket, Received};
pub use scheme::{KernelScheme, RawScheme, SocketCanScheme};

/// The driver itself, for what [`RawBus`] and the schemes are given to.
pub use isotp_driver as driver;
/// What the sockets take and give.
pub use isotp_driver::{
    Address, AddressError, Config, ConfigError, Frame, FrameKind, FrameView, Id, IdError, Incoming,
    NResult, StMin, core::Filter,
};
