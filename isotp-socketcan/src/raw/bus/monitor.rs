//! What a bus tells about itself while a network has it.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::raw::filters::Filtering;

/// Looks at a [`RawBus`](crate::RawBus) from outside. Clones look at the same one.
#[derive(Clone, Debug)]
pub struct RawMonitor(Arc<Figures>);

#[derive(Debug)]
struct Figures {
    dropped: AtomicU32,
    error_frames: AtomicU32,
    calls: AtomicU32,
    full_sockets: AtomicU32,
    full_interfaces: AtomicU32,
    filtering: Mutex<Filtering>,
}

impl RawMonitor {
    pub(super) fn new() -> Self {
        Self(Arc::new(Figures {
            dropped: AtomicU32::new(0),
            error_frames: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            full_sockets: AtomicU32::new(0),
            full_interfaces: AtomicU32::new(0),
            filtering: Mutex::new(Filtering::Nothing),
        }))
    }

    /// How many received frames were lost since the socket's receive queue was full: the program was too
    /// slow, or the system's `net.core.rmem_max` is too small.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// How many error frames the controller has sent.
    #[must_use]
    pub fn error_frames(&self) -> u32 {
        self.0.error_frames.load(Ordering::Relaxed)
    }

    /// How many system calls sent and received frames. Each may have taken many of them.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// How often frames had to wait since the socket's own queue was full (`EAGAIN`).
    #[must_use]
    pub fn full_sockets(&self) -> u32 {
        self.0.full_sockets.load(Ordering::Relaxed)
    }

    /// How often frames had to wait since the queue of the interface was full (`ENOBUFS`).
    #[must_use]
    pub fn full_interfaces(&self) -> u32 {
        self.0.full_interfaces.load(Ordering::Relaxed)
    }

    /// Which frames the kernel lets through.
    #[must_use]
    pub fn filtering(&self) -> Filtering {
        *self
            .0
            .filtering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Told in the log whenever they have doubled.
    pub(super) fn add_dropped(&self, interface: &str, more: u32) {
        let before = self.0.dropped.fetch_add(more, Ordering::Relaxed);
        let all = before.wrapping_add(more);
        if before.leading_zeros() != all.leading_zeros() {
            log::warn!("{interface}: {all} received frames lost, the receive queue was full");
        }
    }

    pub(super) fn add_call(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_error_frame(&self) {
        self.0.error_frames.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_full_socket(&self) {
        self.0.full_sockets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_full_interface(&self) {
        self.0.full_interfaces.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_filtering(&self, filtering: Filtering) {
        let mut known = self
            .0
            .filtering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = filtering;
    }
}
