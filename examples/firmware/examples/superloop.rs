//! Two bare-metal superloops on one bus in memory.
//!
//! The loop is in `src/superloop.rs`; the same runs on an emulated Cortex-M4 in `cargo xtask embedded`.
//!
//! Run with: `cargo run --example superloop`

fn main() -> Result<(), &'static str> {
    isotp_firmware::superloop::demo(&mut |line| println!("{line}"))
}
