//! The runtimes of the project, each behind the feature of its name.

#[cfg(feature = "async-std")]
mod async_std;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "blocking")]
mod threads;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "async-std")]
pub use async_std::UnderAsyncStd;
#[cfg(feature = "smol")]
pub use smol::UnderSmol;
#[cfg(feature = "blocking")]
pub use threads::UnderThreads;
#[cfg(feature = "tokio")]
pub use tokio::UnderTokio;
