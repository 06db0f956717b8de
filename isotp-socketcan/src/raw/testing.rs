//! A watch without a runtime, for tests: system calls go through, and answers can be put in their place.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use isotp_driver::{Interest, Readiness, Watch};

/// Always ready. The next calls fail with these errors, before they reach the kernel.
#[derive(Debug)]
pub(super) struct Scripted {
    descriptor: OwnedFd,
    errors: Mutex<VecDeque<i32>>,
}

impl Scripted {
    pub(super) fn readiness(descriptor: OwnedFd) -> Readiness<Self> {
        Readiness::new(Arc::new(Self {
            descriptor,
            errors: Mutex::default(),
        }))
    }

    /// The next call fails with this error.
    pub(super) fn fail(&self, errno: i32) {
        self.errors.lock().unwrap().push_back(errno);
    }
}

impl Watch for Scripted {
    async fn ready(&self, interest: Interest) -> io::Result<Interest> {
        Ok(interest)
    }

    fn try_io<T>(
        &self,
        _: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.errors.lock().unwrap().pop_front() {
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => call(self.descriptor.as_fd()),
        }
    }

    fn clear(&self, _: Interest) {}
}
