//! What a payload cannot say: why it has no more bytes.

use std::io;
use std::sync::{Arc, Mutex};

/// An error of the file, which ends the transfer as N_ERROR.
#[derive(Clone, Default)]
pub(crate) struct Problem(Arc<Mutex<Option<io::Error>>>);

impl Problem {
    pub(crate) fn note(&self, error: io::Error) {
        if let Ok(mut problem) = self.0.lock() {
            *problem = Some(error);
        }
    }

    pub(crate) fn take(&self) -> Option<io::Error> {
        self.0.lock().ok()?.take()
    }
}
