//! Raw CAN sockets, as a bus for the stack of this project.
