//! tokio, by the real clock.

use ::tokio::runtime::{Builder, Runtime};
use isotp_driver::{Backend, BoxFuture, Connection, Network, OpenError};
use isotp_tokio::{ByteStream, Tokio};
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::under::{Body, Bytes, Stop, Under};

/// `isotp-tokio`.
#[derive(Clone, Copy, Debug)]
pub struct UnderTokio;

impl Under for UnderTokio {
    type Runtime = Tokio;

    fn runtime() -> Tokio {
        Tokio::current()
    }

    fn start(backend: Backend) -> Network {
        (*isotp_tokio::Network::with_backend(backend)).clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_tokio::Network::open(&connection).await?;
            Ok((*network).clone())
        })
    }

    fn bytes(connection: Connection) -> Bytes {
        Box::pin(ByteStream::from(connection).compat())
    }

    /// This one can be stopped.
    fn stoppable(backend: Backend) -> (Network, Stop) {
        let runtime = runtime();
        let inside = runtime.enter();
        let network = Self::start(backend);
        drop(inside);
        // no runtime may be dropped in a task of another
        let stop = || std::thread::spawn(|| drop(runtime)).join().unwrap();
        (network, Box::new(stop))
    }

    fn block_on(case: Body) {
        runtime().block_on(case);
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}
