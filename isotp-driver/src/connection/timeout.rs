//! Receiving with a deadline for the beginning of the message.

use core::fmt;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use isotp_core::NResult;

use super::{Connection, Reader};
use crate::error::ConnectionError;
use crate::message::Message;

impl Connection {
    /// The next message, if it begins in time: with its first frame or single frame, within `begin`.
    ///
    /// A message that has begun in time is waited for until it is there or has failed, which the timers of
    /// the protocol bound; one that begins in its place later is not. So `begin` is what a UDS client calls P2: it stops at the first frame, however
    /// long the answer is. Where [`Guarantees::first_frame`](crate::Guarantees::first_frame) is
    /// missing, the whole message must be there in time.
    ///
    /// Indications before the message are passed over, as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// [`RecvTimeoutError::TimedOut`] if nothing began, [`RecvTimeoutError::Failed`] if a message began
    /// and failed and no other began in time, [`RecvTimeoutError::Connection`] if the connection is
    /// over.
    ///
    /// # Cancel safety
    /// Dropped, it takes no message.
    pub async fn recv_timeout(&self, begin: Duration) -> Result<Message, RecvTimeoutError> {
        let mut timer = self.facts.runtime.timer();
        timer.set(Some(self.facts.runtime.now() + begin));
        let mut reader = Reader::new(&self.line);
        let (mut late, mut failed, mut begun) = (false, None, None);
        poll_fn(|cx| {
            let mut receiving = None;
            let taken = self.line.poll_take(
                |inbox| {
                    receiving = inbox.reception();
                    inbox.pop_message_or_failure(&mut failed)
                },
                Some((&mut reader.key, cx)),
            );
            if let Poll::Ready(taken) = taken {
                return Poll::Ready(taken.map_err(RecvTimeoutError::Connection));
            }
            if !late && timer.poll_fired(cx).is_ready() {
                (late, begun) = (true, receiving);
            }
            if !late || (begun.is_some() && receiving == begun) {
                return Poll::Pending;
            }
            let error = failed.map_or(RecvTimeoutError::TimedOut(begin), RecvTimeoutError::Failed);
            Poll::Ready(Err(error))
        })
        .await
    }
}

/// Why [`recv_timeout`](Connection::recv_timeout) has no message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// None began within this time.
    TimedOut(Duration),
    /// One began, and failed.
    Failed(NResult),
    /// The connection is over.
    Connection(ConnectionError),
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(begin) => write!(f, "no message began within {begin:?}"),
            Self::Failed(result) => write!(f, "the message began, and failed: {result}"),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RecvTimeoutError {}
