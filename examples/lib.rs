//! What the examples share.
#![forbid(unsafe_code)]

use core::fmt;

use isotp_driver::{FrameKind, FrameView, Instant};

/// A frame as `candump -t z` prints it.
#[derive(Debug)]
pub struct Candump<'a>(
    /// When it crossed the bus.
    pub Instant,
    /// The frame.
    pub FrameView<'a>,
);

impl fmt::Display for Candump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (micros, frame) = (self.0.as_micros(), self.1);
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let id = frame.id.to_string();
        write!(f, " ({seconds:03}.{micros:06})  virtual  {id:>8}  ")?;
        match frame.kind {
            FrameKind::Classic => write!(f, " [{}] ", frame.data.len())?,
            FrameKind::Fd { .. } => write!(f, "[{:02}] ", frame.data.len())?,
        }
        frame
            .data
            .iter()
            .try_for_each(|byte| write!(f, " {byte:02X}"))
    }
}
