//! The connection contract under smol.

use isotp_contract::{Body, Under};
use isotp_smol::driver::{Backend, BoxFuture, Network};
use isotp_smol::{OpenError, Smol};

struct UnderSmol;

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
        smol::block_on(case);
    }
}

isotp_contract::suite!(UnderSmol);
