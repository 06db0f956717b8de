//! Raw CAN sockets, as a bus for the stack of this project.

mod clock;
mod echoes;
mod filters;
mod trouble;
mod wire;
