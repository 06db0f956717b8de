//! The kernel's own ISO-TP sockets.

mod blocking;
mod encode;
mod open;
mod options;
mod outcome;
mod socket;
mod sys;
mod version;

pub use encode::Unsupported;
pub use open::KernelOpenError;
pub use options::KernelOptions;
pub use socket::{KernelSocket, NotSent, RecvError};
pub use version::Kernel;
