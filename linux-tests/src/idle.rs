//! What a process burns while it waits.

use core::time::Duration;

use crate::sys;

/// Whether this process takes no processor time, but for a little, in so many seconds in which it waits. Says how much it
/// takes. Where the host lets an emulated processor wait, whatever runs on it seems to take that time: then
/// the case is tried once more, alone.
pub(crate) async fn costs_nothing(seconds: u32) -> Result<String, String> {
    let before = sys::processor_time();
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let used = sys::processor_time() - before;
    let told = format!("{used:?} of processor time in {seconds} s");
    if used < MOST * seconds {
        Ok(told)
    } else {
        Err(told)
    }
}

/// In a second. A busy loop takes two hundred times that.
const MOST: Duration = Duration::from_millis(5);
