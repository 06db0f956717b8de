//! Functional requests: one single frame to many, and the answers of all.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use futures_core::Stream;
use isotp_core::Address;

use crate::collector::{Collector, Response};
use crate::config::Config;
use crate::connection::{Delivery, Watch};
use crate::error::{ConnectError, SendError};
use crate::hub::Handle;
use crate::line::{Line, Target};
use crate::network::Network;
use crate::payload::Outgoing;
use crate::runtime::Timer;

impl Network {
    /// Sends one functional message, and collects the answers of all responders.
    ///
    /// `responders` are the addresses that may answer, each with the physical ids of one of them (for
    /// flow control and the answer) and the functional tx id, which is the same in all. Answers of any
    /// length are received from all of them at once. `window` begins when the request is on the bus: what
    /// begins within it is collected, and what has begun by its end is waited for.
    ///
    /// A responder that is also open as a connection of this network is received by that connection's
    /// link, and its answers go to the request while it runs; what it began before goes to the connection.
    /// The request leaves on a link whose address has the functional id: where all responders are open as
    /// connections, one of those must have it. A connection that is closing is waited for. The other
    /// addresses belong to the request while it runs: a connection with one of them is refused. Where a
    /// backend has its own channels for some connections, such as `socketcan:` for those of the kernel, the
    /// address of one of them is refused to the request.
    ///
    /// ```
    /// # use isotp_driver::{Address, Config, Id, Network};
    /// # async fn example(network: Network) -> Result<(), Box<dyn core::error::Error>> {
    /// let ecu = |number: u16| -> Result<Address, Box<dyn core::error::Error>> {
    ///     let address = Address::normal(Id::standard(0x7E0 + number)?, Id::standard(0x7E8 + number)?)?;
    ///     Ok(address.with_functional_tx(Id::standard(0x7DF)?)?)
    /// };
    /// let ecus = (0..8).map(ecu).collect::<Result<Vec<_>, _>>()?;
    /// let window = core::time::Duration::from_millis(50);
    /// let mut answers = network.request_functional(ecus, Config::uds(), [0x3E, 0x00], window).await?;
    /// while let Some(answer) = answers.next().await {
    ///     println!("{}: {:02X?}", answer.responder.rx().id(), answer.outcome?.as_ref());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RequestError::NoResponders`] without any, [`RequestError::Connect`] if an address or the
    /// configuration cannot be had, [`RequestError::Send`] if the request was not sent.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing behind; the request may have been sent.
    pub async fn request_functional(
        &self,
        responders: impl IntoIterator<Item = Address>,
        config: Config,
        request: impl Into<Vec<u8>>,
        window: Duration,
    ) -> Result<Responses, RequestError> {
        let responders: Vec<Address> = responders.into_iter().collect();
        if responders.is_empty() {
            return Err(RequestError::NoResponders);
        }
        let mut kept = Vec::new();
        for responder in &responders {
            kept.push(self.admit(responder).await?);
        }
        let room = responders.len().saturating_mul(config.queue);
        let mut responses = Responses {
            collector: Collector::new(room),
            lines: Vec::with_capacity(responders.len()),
            late: false,
            _handle: self.handle().clone(),
            key: None,
            timer: self.runtime().timer(),
        };
        for responder in responders {
            let collector = responses.collector.clone();
            let line = self.join_request(responder, &config, collector)?;
            responses.lines.push(Awaited { line, begun: None });
        }
        for Awaited { line, .. } in &mut responses.lines {
            Watch::new(line).opened().await?;
            if let Some(host) = line.merged() {
                *line = host;
            }
        }
        drop(kept);
        send(&responses.lines, request.into()).await?;
        let end = self.runtime().now() + window;
        responses.timer.set(Some(end));
        Ok(responses)
    }
}

/// The answers to a functional request, as they come: see
/// [`request_functional`](Network::request_functional). It is a stream that ends.
pub struct Responses {
    collector: Arc<Collector>,
    /// Of each responder.
    lines: Vec<Awaited>,
    timer: Box<dyn Timer>,
    /// The window is over: only what has begun in it is waited for.
    late: bool,
    _handle: Handle,
    key: Option<u64>,
}

struct Awaited {
    line: Arc<Line>,
    /// The number of the reception that had begun when the window ended.
    begun: Option<u32>,
}

impl Responses {
    /// The next answer, of whoever it is; `None` when the window is over and all that began in it is
    /// there, or the network has ended.
    ///
    /// # Cancel safety
    /// Dropped, it takes no answer.
    pub async fn next(&mut self) -> Option<Response> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// How many single frames were lost because nobody took the answers: `queue` of the configuration
    /// times the number of responders are kept.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.collector.lost()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Response>> {
        if let Poll::Ready(response) = self.collector.poll(&mut self.key, cx) {
            return Poll::Ready(Some(response));
        }
        let (collector, ended) = (&self.collector, self.collector.take_ended());
        // where all links are over the runtime may be gone, and its timers with it
        let over = ended && self.lines.iter().all(|awaited| awaited.line.is_over());
        if !self.late && (over || self.timer.poll_fired(cx).is_ready()) {
            self.late = true;
            for awaited in &mut self.lines {
                awaited.begun = awaited.line.reception_for(collector);
            }
        }
        if !self.late && !ended {
            return Poll::Pending;
        }
        let late = self.late;
        self.lines.retain(|Awaited { line, begun }| {
            let begun = || begun.is_some() && line.reception_for(collector) == *begun;
            let wanted = !line.is_over() && (!late || begun());
            if !wanted {
                line.stop_collecting(collector);
            }
            wanted
        });
        // the last answer may have come just now
        match self.collector.poll(&mut self.key, cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending if self.lines.is_empty() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Stream for Responses {
    type Item = Response;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Response>> {
        self.get_mut().poll(cx)
    }
}

impl Drop for Responses {
    fn drop(&mut self) {
        for Awaited { line, .. } in &self.lines {
            line.stop_collecting(&self.collector);
        }
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses")
            .field("responders", &self.lines.len())
            .field("late", &self.late)
            .finish_non_exhaustive()
    }
}

/// Why a functional request was not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// There is nobody who could answer.
    NoResponders,
    /// A responder cannot be received.
    Connect(ConnectError),
    /// The request was not sent.
    Send(SendError),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoResponders => f.write_str(
                "no responder was named, expected the address of each ECU that may answer",
            ),
            Self::Connect(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RequestError {}

impl From<ConnectError> for RequestError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl From<SendError> for RequestError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

/// Sends the request on the first link that has a functional id.
async fn send(lines: &[Awaited], request: Vec<u8>) -> Result<(), SendError> {
    let mut request = Outgoing::from(request);
    let mut lines = lines.iter();
    loop {
        let Some(Awaited { line, .. }) = lines.next() else {
            let error = isotp_core::SendError::NoFunctionalId;
            let refused = isotp_core::Refused {
                error,
                payload: request,
            };
            return Err(SendError::Refused(refused));
        };
        match Delivery::new(line, Target::Functional, request).await {
            Err(SendError::Refused(refused))
                if refused.error == isotp_core::SendError::NoFunctionalId =>
            {
                request = refused.payload;
            }
            outcome => return outcome,
        }
    }
}
