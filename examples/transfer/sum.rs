//! The sum of the bytes at one end.

use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

/// A sum that is counted in the driver's task, and read when that is done.
#[derive(Clone, Default)]
pub(crate) struct Sum(Arc<Mutex<Sha256>>);

impl Sum {
    pub(crate) fn update(&self, bytes: &[u8]) {
        if let Ok(mut sum) = self.0.lock() {
            sum.update(bytes);
        }
    }

    pub(crate) fn hex(&self) -> String {
        let digest = self.0.lock().map(|sum| sum.clone().finalize());
        let digest = digest.unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
