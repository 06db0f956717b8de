//! A connection over `raw:`, as a program has it, watched step by step.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use isotp_tokio::{Config, Connection, Event, Network, SendError};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::deadline::within;
use crate::differential::{Stack, received};
use crate::parameters::Parameters;

/// A connection, and what it is sending.
pub(crate) struct WatchedLink {
    sending: Vec<Sending>,
    connection: Arc<Connection>,
    _network: Network,
    // last, so that what is above can still end in it
    runtime: Runtime,
}

/// A message on its way.
struct Sending(Pin<Box<dyn Future<Output = Result<(), SendError>>>>);

impl WatchedLink {
    /// With the protocol's own configuration, as the core alone has it.
    pub(crate) fn open(interface: &str, parameters: &Parameters) -> Result<Self, String> {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(said)?;
        let (network, connection) = runtime.block_on(async {
            let string = format!("raw:{interface}");
            let network = within("a network", Network::open(&string)).await?;
            let config = Config::from(parameters.config());
            let connection = network.connect(parameters.address, config);
            let connection = within("a connection", connection).await?;
            Ok::<_, String>((network, connection))
        })?;
        Ok(Self {
            sending: Vec::new(),
            connection: Arc::new(connection),
            _network: network,
            runtime,
        })
    }
}

impl Stack for WatchedLink {
    fn begin(&mut self, payload: &[u8]) -> Result<(), String> {
        let (connection, payload) = (self.connection.clone(), payload.to_vec());
        let mut sending = Sending(Box::pin(async move { connection.send(payload).await }));
        let once = poll_fn(|cx| Poll::Ready(sending.0.as_mut().poll(cx)));
        match self.runtime.block_on(once) {
            Poll::Ready(Err(error)) => return Err(error.to_string()),
            Poll::Ready(Ok(())) => return Err("sent before anybody could".to_owned()),
            Poll::Pending => self.sending.push(sending),
        }
        Ok(())
    }

    fn watch(&mut self, time: Duration) -> Result<Vec<String>, String> {
        let mut happened = Vec::new();
        let (connection, sending) = (&self.connection, &mut self.sending);
        let watching = async {
            loop {
                let next = tokio::select! {
                    biased;
                    told = sent(sending) => told,
                    event = connection.next_event() => match event {
                        Ok(Event::Message(message)) => received(message.as_ref()),
                        Ok(Event::Failed(result)) => format!("failed {}", result.name()),
                        Ok(Event::FirstFrame { .. }) => continue,
                        Ok(event) => format!("{event:?}"),
                        Err(error) => return Err(error.to_string()),
                    },
                };
                happened.push(next);
            }
        };
        match self
            .runtime
            .block_on(async { timeout(time, watching).await })
        {
            Ok(over) => over,
            Err(_) => Ok(happened),
        }
    }
}

/// How the next message ended.
async fn sent(sending: &mut Vec<Sending>) -> String {
    let (at, outcome) = poll_fn(|cx| {
        for (at, one) in sending.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = one.0.as_mut().poll(cx) {
                return Poll::Ready((at, outcome));
            }
        }
        Poll::Pending
    })
    .await;
    drop(sending.remove(at));
    match outcome {
        Ok(()) => "sent".to_owned(),
        Err(SendError::Failed(result)) => format!("failed {}", result.name()),
        Err(error) => error.to_string(),
    }
}

fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}
