//! The connection contract under async-std.

use isotp_contract::UnderAsyncStd;

isotp_contract::suite!(UnderAsyncStd);
