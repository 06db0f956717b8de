//! Memory of the state machines, without the memory that the caller gives.

use isotp_core::{Config, Frame, Link, Receiver, Sender, Slot};

type Buffer = &'static mut [u8];
type Bytes = &'static [u8];

/// Names and sizes in bytes.
pub(crate) fn all() -> [(&'static str, usize); 8] {
    [
        ("`Sender<&[u8]>`", size_of::<Sender<Bytes>>()),
        (
            "`Receiver<&mut [u8]>`, spare memory for FD",
            size_of::<Receiver<Buffer>>(),
        ),
        (
            "`Receiver<&mut [u8]>`, spare memory for CC",
            size_of::<Receiver<Buffer, [u8; 7]>>(),
        ),
        (
            "`Link<&mut [u8], &[u8]>`, spare memory for FD",
            size_of::<Link<Buffer, Bytes>>(),
        ),
        (
            "`Link<&mut [u8], &[u8]>`, spare memory for CC",
            size_of::<Link<Buffer, Bytes, &'static Config, [u8; 7]>>(),
        ),
        (
            "`Slot` of a router, with a link with spare memory for CC",
            size_of::<Slot<Link<Buffer, Bytes, &'static Config, [u8; 7]>>>(),
        ),
        ("`Config`, shared by links", size_of::<Config>()),
        ("`Frame`, one for all links", size_of::<Frame>()),
    ]
}
