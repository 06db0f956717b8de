//! Events of the `tracing` crate, if the feature is on: `DEBUG` for what is usual, `WARN` for what failed,
//! `TRACE` for frames. Without it nothing of this is in the program.

#![cfg_attr(
    not(feature = "tracing"),
    expect(
        unused_variables,
        clippy::missing_const_for_fn,
        reason = "nothing is told without the feature"
    )
)]

use isotp_core::{FrameView, Ignored, NResult};

use crate::error::{ConnectionError, SendError};
use crate::line::Line;
use crate::message::Message;

#[cfg(feature = "tracing")]
macro_rules! tell {
    ($level:ident, $($event:tt)*) => { tracing::$level!(target: "isotp", $($event)*) };
}
#[cfg(not(feature = "tracing"))]
macro_rules! tell {
    ($($event:tt)*) => {{}};
}

/// How a connection is named: tx id, rx id.
#[cfg(feature = "tracing")]
struct Label<'a>(&'a isotp_core::Address);

#[cfg(feature = "tracing")]
impl core::fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}>{}", self.0.tx().id(), self.0.rx().id())
    }
}

pub(crate) fn frame(frame: FrameView<'_>, sent: bool) {
    tell!(trace, sent, %frame, "frame");
}

pub(crate) fn opened(line: &Line) {
    tell!(debug, link = %Label(line.address()), "connection opened");
}

pub(crate) fn over(line: &Line, error: &ConnectionError) {
    match error {
        ConnectionError::Closed => tell!(debug, link = %Label(line.address()), "connection closed"),
        error => tell!(warn, link = %Label(line.address()), %error, "connection lost"),
    }
}

pub(crate) fn changed(line: &Line) {
    tell!(debug, link = %Label(line.address()), "configuration changed");
}

pub(crate) fn sent(line: &Line, outcome: &Result<u32, SendError>) {
    match outcome {
        Ok(bytes) => tell!(debug, link = %Label(line.address()), bytes, "message sent"),
        Err(error) => tell!(warn, link = %Label(line.address()), %error, "message not sent"),
    }
}

pub(crate) fn received(line: &Line, message: &Message) {
    tell!(debug, link = %Label(line.address()), bytes = message.size(), "message received");
}

pub(crate) fn not_received(line: &Line, result: NResult) {
    tell!(warn, link = %Label(line.address()), %result, "message not received");
}

pub(crate) fn lost(line: &Line, messages: u32) {
    tell!(warn, link = %Label(line.address()), messages, "messages lost: the queue is full");
}

pub(crate) fn ignored(line: &Line, reason: Ignored) {
    tell!(debug, link = %Label(line.address()), %reason, "frame ignored");
}
