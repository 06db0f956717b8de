//! The answers to a functional request, for threads.

use futures_lite::future::block_on;
use isotp_driver::Response;

/// The answers to a functional request, as they come: see
/// [`request_functional`](crate::Network::request_functional).
///
/// It is an iterator that blocks until there is an answer, of whoever it is, and ends when the window is
/// over and all that began in it is there, or when the network has ended.
#[derive(Debug)]
pub struct Responses(isotp_driver::Responses);

impl Responses {
    pub(crate) const fn new(responses: isotp_driver::Responses) -> Self {
        Self(responses)
    }

    /// How many single frames were lost because nobody took the answers: `queue` of the configuration
    /// times the number of responders are kept.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl Iterator for Responses {
    type Item = Response;

    fn next(&mut self) -> Option<Response> {
        block_on(self.0.next())
    }
}
