//! Network interfaces: their index and frame size, and what to do where one is missing.
