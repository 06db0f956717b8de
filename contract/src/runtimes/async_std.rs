//! async-std.

use isotp_async_std::AsyncStd;
use isotp_driver::{Backend, BoxFuture, Network, OpenError};

use crate::under::{Body, Under};

/// `isotp-async-std`.
#[derive(Clone, Copy, Debug)]
pub struct UnderAsyncStd;

impl Under for UnderAsyncStd {
    type Runtime = AsyncStd;

    fn runtime() -> AsyncStd {
        AsyncStd
    }

    fn start(backend: Backend) -> Network {
        (*isotp_async_std::Network::with_backend(backend)).clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_async_std::Network::open(&connection).await?;
            Ok((*network).clone())
        })
    }

    fn block_on(case: Body) {
        ::async_std::task::block_on(case);
    }
}
