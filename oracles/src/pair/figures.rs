//! What runs add up to.

use core::fmt;

/// How many transfers of each kind a run had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that a link took to send.
    pub transfers: u64,
    /// Those that were confirmed.
    pub confirmed: u64,
    /// Messages that were received.
    pub received: u64,
    /// Those whose pieces were of several messages, in a way that ISO-TP cannot see.
    pub mixed_up: u64,
    /// Those that inverted bits made.
    pub altered: u64,
    /// Frames on the bus.
    pub frames: u64,
    /// Frames that a fault met.
    pub faults: u64,
}

impl Figures {
    /// Adds those of another run.
    pub const fn add(&mut self, other: &Self) {
        self.transfers += other.transfers;
        self.confirmed += other.confirmed;
        self.received += other.received;
        self.mixed_up += other.mixed_up;
        self.altered += other.altered;
        self.frames += other.frames;
        self.faults += other.faults;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} transfers, {} confirmed, {} messages received, {} of them mixed up, {} of inverted bits; \
             {} frames, {} faults",
            self.transfers,
            self.confirmed,
            self.received,
            self.mixed_up,
            self.altered,
            self.frames,
            self.faults
        )
    }
}
