//! The receive buffer: it sums what comes, and keeps nothing.

use indicatif::{ProgressBar, ProgressStyle};
use isotp_tokio::RxBuffer;

use crate::sum::Sum;

/// Sums what arrives, and forgets it.
pub(crate) struct Sink {
    sum: Sum,
    bar: ProgressBar,
    unshown: u64,
}

impl Sink {
    pub(crate) fn new(size: u32) -> Self {
        Self {
            sum: Sum::default(),
            bar: progress(size),
            unshown: 0,
        }
    }

    /// The sum of what came.
    pub(crate) const fn sum(&self) -> &Sum {
        &self.sum
    }

    pub(crate) const fn bar(&self) -> &ProgressBar {
        &self.bar
    }
}

impl RxBuffer for Sink {
    fn limit(&self) -> u32 {
        u32::MAX
    }

    fn start(&mut self, _size: u32) {}

    fn write(&mut self, _offset: u32, data: &[u8]) -> bool {
        self.sum.update(data);
        self.unshown += data.len() as u64;
        if self.unshown >= STEP {
            self.bar.inc(core::mem::take(&mut self.unshown));
        }
        true
    }
}

fn progress(size: u32) -> ProgressBar {
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(u64::from(size)).with_style(style)
}

/// Bytes between two looks at the progress bar.
const STEP: u64 = 1 << 16;
