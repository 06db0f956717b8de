//! Raw CAN sockets, as a bus for the stack of this project.

mod bus;
mod clock;
mod echoes;
mod filters;
mod socket;
#[cfg(test)]
mod testing;
mod trouble;
mod wire;

pub use bus::{RawBus, RawMonitor};
pub use filters::Filtering;
pub use socket::{RawSocket, Received};
pub use trouble::ErrorFrame;
