//! The connection contract, under tokio's paused clock over virtual buses: each test is named by the
//! sentence that it holds.

mod answers;
mod back_pressure;
mod cancel;
mod changing;
mod channels;
mod closing;
mod counting;
mod dropped;
mod failing;
mod functional;
mod isotpserver;
mod pacing;
mod permits;
mod sending;
mod serving;
mod siblings;
mod streams;
mod support;
mod taps;
mod tcp;
mod timer;
mod timing;
mod virtual_bus;
#[cfg(target_os = "linux")]
mod watch;
