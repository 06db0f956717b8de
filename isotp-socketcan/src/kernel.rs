//! The kernel's own ISO-TP sockets.

mod blocking;
mod channel;
mod claims;
mod closing;
mod encode;
mod guard;
mod link;
mod open;
mod options;
mod outcome;
mod socket;
mod sys;
mod version;

pub use channel::KernelChannel;
pub(crate) use claims::{Claim, Holder};
pub use encode::Unsupported;
pub(crate) use guard::Guard;
pub use link::Obstacles;
pub use open::KernelOpenError;
pub(crate) use open::new_socket;
pub use options::KernelOptions;
pub use socket::{KernelSocket, NotSent, RecvError};
pub use version::Kernel;
