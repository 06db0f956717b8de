//! In-process CAN buses: many named buses, many ports, for any runtime and for plain threads.
//!
//! A [`VirtualBus`] is the simulated bus of `isotp-sim` with ports that several tasks and threads use at
//! once. Networks take a [`Port`], or open `virtual:NAME`, for which [`VirtualScheme`] is here.
//!
//! ```
//! use isotp_core::{FrameKind, FrameView, Id};
//! use isotp_virtual::VirtualBus;
//! let bus = VirtualBus::default();
//! let (mut a, mut b) = (bus.port(), bus.port());
//! let id = Id::standard(0x123)?;
//! let sent = FrameView { id, kind: FrameKind::Classic, data: &[1, 2, 3] };
//! let thread = std::thread::spawn(move || b.wait_frame(core::time::Duration::from_secs(10)));
//! assert!(a.send_frame(sent));
//! let received = thread.join().unwrap().unwrap();
//! assert_eq!(received.to_string(), "123#010203");
//! # Ok::<(), isotp_core::IdError>(())
//! ```
#![forbid(unsafe_code)]

mod bus;
mod port;
mod registry;
mod scheme;

pub use bus::{Options, Tap, VirtualBus};
pub use isotp_sim::{
    BitTiming, Chance, Clock, Fault, Faults, Order, Overrun, PortConfig, Stats, TimingError,
};
pub use port::Port;
pub use registry::NameInUse;
pub use scheme::VirtualScheme;
