//! async-std, as the driver sees it.

use core::future::Future;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;

use isotp_async_io::{IoListener, IoStream, IoTimer};
use isotp_driver::core::Instant;
use isotp_driver::{Runtime, process_time};

/// The executor of async-std, and its reactor: there is one of each in a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type Timer = IoTimer;
    #[cfg(unix)]
    type Watch = isotp_async_io::IoWatch;
    type Stream = IoStream;
    type Listener = IoListener;

    fn now(&self) -> Instant {
        process_time()
    }

    fn timer(&self) -> IoTimer {
        IoTimer::default()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(async_std::task::spawn(task));
    }

    #[cfg(unix)]
    fn watch(&self, descriptor: OwnedFd) -> io::Result<Self::Watch> {
        isotp_async_io::IoWatch::new(descriptor)
    }

    async fn connect(&self, address: &str) -> io::Result<IoStream> {
        isotp_async_io::connect(address).await
    }

    async fn listen(&self, address: &str) -> io::Result<IoListener> {
        isotp_async_io::listen(address).await
    }
}
