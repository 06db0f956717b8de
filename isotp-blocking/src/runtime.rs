//! A runtime of one thread, as the driver sees it.

use core::future::Future;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use async_executor::Executor;
use isotp_async_io::{IoListener, IoStream, IoTimer};
use isotp_driver::core::Instant;
use isotp_driver::{Runtime, process_time};

/// The thread that drives all networks of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Threads(());

impl Threads {
    /// The thread; it begins with the first call.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> io::Result<Self> {
        static STARTED: OnceLock<()> = OnceLock::new();
        if STARTED.get().is_none() {
            std::thread::Builder::new()
                .name("isotp".to_owned())
                .spawn(|| async_io::block_on(EXECUTOR.run(core::future::pending::<()>())))?;
            // two threads at once would do as well
            let _ = STARTED.set(());
        }
        Ok(Self(()))
    }
}

static EXECUTOR: Executor<'static> = Executor::new();

impl Runtime for Threads {
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
        EXECUTOR.spawn(task).detach();
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
