//! The connection contract under tokio, by the real clock. What needs a paused one is in `contract/`.

use isotp_contract::UnderTokio;

isotp_contract::suite!(UnderTokio);
