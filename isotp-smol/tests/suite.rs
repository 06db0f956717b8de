//! The connection contract under smol.

use isotp_contract::UnderSmol;

isotp_contract::suite!(UnderSmol);
