//! isotp-core in firmware: ways to drive a link without an operating system, each to be copied.
//!
//! - [`superloop`]: one loop over `embedded_can::nb::Can`, which is where to begin
//! - [`interrupt`]: an interrupt that moves frames and a task that owns the link, as in RTIC
//! - `embassy` (feature `embassy`): a task over the two halves of an asynchronous CAN driver
//! - [`bootloader`]: a receive buffer that writes an image of any size to flash while it arrives
//!
//! All of it runs on a computer too: [`controller`] is a CAN controller in memory.
#![no_std]
#![forbid(unsafe_code)]

pub mod bootloader;
pub mod controller;
#[cfg(feature = "embassy")]
pub mod embassy;
pub mod interrupt;
pub mod superloop;
