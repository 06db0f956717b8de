//! No runtime in the user's program: threads that block.

use isotp_blocking::Threads;
use isotp_driver::{Backend, BoxFuture, Network, OpenError};

use crate::under::{Body, Under};

/// `isotp-blocking`: the asynchronous handles inside, driven by the thread of that crate.
#[derive(Clone, Copy, Debug)]
pub struct UnderThreads;

impl Under for UnderThreads {
    type Runtime = Threads;

    fn runtime() -> Threads {
        Threads::start().unwrap()
    }

    fn start(backend: Backend) -> Network {
        let network = isotp_blocking::Network::with_backend(backend);
        network.unwrap().inner().clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_blocking::Network::open(&connection)?;
            Ok(network.inner().clone())
        })
    }

    fn block_on(case: Body) {
        futures_lite::future::block_on(case);
    }
}
