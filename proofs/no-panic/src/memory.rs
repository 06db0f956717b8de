//! The buffers, payloads and pointers that everything is called with.

use isotp_core::{Config, Prepared};

use crate::{bytes, opaque};

static CONFIG: Config = Config::uds();

/// A buffer, a payload, or spare memory, of a content that is not known.
pub(crate) trait Make {
    fn make() -> Self;
}

impl Make for &'static Config {
    fn make() -> Self {
        opaque(&CONFIG)
    }
}

impl Make for &'static [u8] {
    fn make() -> Self {
        bytes()
    }
}

impl Make for &'static mut [u8] {
    fn make() -> Self {
        opaque(&mut [])
    }
}

impl<const N: usize> Make for [u8; N] {
    fn make() -> Self {
        opaque([0; N])
    }
}

impl<const N: usize> Make for heapless::Vec<u8, N> {
    fn make() -> Self {
        opaque(Self::new())
    }
}

impl Make for Prepared<&'static mut [u8]> {
    fn make() -> Self {
        opaque(Self::new(Make::make()))
    }
}

#[cfg(feature = "alloc")]
mod growing {
    use alloc::sync::Arc;
    use alloc::vec::Vec;

    use isotp_core::{Config, GrowingBuffer};

    use super::Make;
    use crate::opaque;

    impl Make for Vec<u8> {
        fn make() -> Self {
            opaque(Self::new())
        }
    }

    impl Make for GrowingBuffer {
        fn make() -> Self {
            let mut buffer = opaque(Self::new(opaque(1)));
            crate::call!(buffer.take(); buffer.as_ref());
            opaque(buffer)
        }
    }

    /// An `Arc` that exists already: making one may fail, but that is its owner's affair.
    impl Make for Option<Arc<Config>> {
        fn make() -> Self {
            opaque(None)
        }
    }
}
