//! What a process burns while it waits.

use core::time::Duration;

use tokio::time::sleep;

use crate::sys;

/// The processor time of this process in that of the next seconds in which it took the least. Where the host lets an
/// emulated processor wait, whatever runs on it seems to take that time; what a network burns is in each second.
pub(crate) async fn least_in_a_second(seconds: u32) -> Duration {
    // what was begun comes to its end
    sleep(Duration::from_millis(50)).await;
    let mut least = Duration::MAX;
    for _ in 0..seconds {
        let before = sys::processor_time();
        sleep(Duration::from_secs(1)).await;
        least = least.min(sys::processor_time() - before);
    }
    least
}

/// A second without anything to do takes less. A busy loop takes a hundred times that.
pub(crate) const MOST: Duration = Duration::from_millis(5);
