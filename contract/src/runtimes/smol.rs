//! smol.

use isotp_driver::{Backend, BoxFuture, Network, OpenError};
use isotp_smol::Smol;

use crate::under::{Body, Under};

/// `isotp-smol`.
#[derive(Clone, Copy, Debug)]
pub struct UnderSmol;

impl Under for UnderSmol {
    type Runtime = Smol;

    fn runtime() -> Smol {
        Smol
    }

    fn start(backend: Backend) -> Network {
        (*isotp_smol::Network::with_backend(backend)).clone()
    }

    fn open(connection: String) -> BoxFuture<'static, Result<Network, OpenError>> {
        Box::pin(async move {
            let network = isotp_smol::Network::open(&connection).await?;
            Ok((*network).clone())
        })
    }

    fn block_on(case: Body) {
        ::smol::block_on(case);
    }
}
