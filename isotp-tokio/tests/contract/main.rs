//! The connection contract, under tokio's paused clock over virtual buses: each test is named by the
//! sentence that it holds.

mod back_pressure;
mod cancel;
mod channels;
mod closing;
mod dropped;
mod failing;
mod pacing;
mod sending;
mod siblings;
mod support;
mod tcp;
mod timer;
mod timing;
#[cfg(target_os = "linux")]
mod watch;
