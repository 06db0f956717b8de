//! tokio, as the driver sees it.

#[cfg_attr(not(target_os = "linux"), path = "runtime/coarse.rs")]
mod fine;
#[cfg(unix)]
mod register;
mod tcp;
mod timer;
#[cfg(unix)]
mod watch;

pub use tcp::{TokioListener, TokioStream};
pub use timer::TokioTimer;
#[cfg(unix)]
pub use watch::TokioWatch;

use core::future::Future;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;

use isotp_driver::core::Instant;
use isotp_driver::{Runtime, process_origin};
use tokio::runtime::Handle;

/// A tokio runtime.
#[derive(Clone, Debug)]
pub struct Tokio(Handle);

impl Tokio {
    /// The runtime that this code runs in.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn current() -> Self {
        Self(Handle::current())
    }
}

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        Self(handle)
    }
}

impl Runtime for Tokio {
    type Timer = TokioTimer;
    #[cfg(unix)]
    type Watch = TokioWatch;
    type Stream = TokioStream;
    type Listener = TokioListener;

    fn now(&self) -> Instant {
        Instant::ZERO + tokio::time::Instant::now().duration_since(origin())
    }

    fn timer(&self) -> TokioTimer {
        TokioTimer::new(self.0.clone())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    #[cfg(unix)]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<TokioWatch> {
        TokioWatch::new(&self.0, descriptor)
    }

    async fn connect(&self, address: &str) -> io::Result<TokioStream> {
        TokioStream::connect(&self.0, address).await
    }

    async fn listen(&self, address: &str) -> io::Result<TokioListener> {
        TokioListener::bind(&self.0, address).await
    }
}

fn origin() -> tokio::time::Instant {
    tokio::time::Instant::from_std(process_origin())
}
