//! What a connection tells by the `tracing` crate.

use core::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, Config, Id, Network};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id as SpanId, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps each event as a line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "isotp"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> SpanId {
        SpanId::from_u64(1)
    }

    fn record(&self, _: &SpanId, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &SpanId, _: &SpanId) {}
    fn enter(&self, _: &SpanId) {}
    fn exit(&self, _: &SpanId) {}
}

#[tokio::test(start_paused = true)]
async fn messages_failures_and_frames_are_told() {
    let lines = Lines::default();
    let _told = tracing::subscriber::set_default(lines.clone());
    let id = |value| Id::standard(value).unwrap();
    let address = Address::normal(id(0x7E0), id(0x7E8)).unwrap();
    let network = Network::with_bus(VirtualBus::default().port());
    let connection = network.connect(address, Config::default()).await.unwrap();
    connection.send([1, 2]).await.unwrap();
    connection.send([1; 9]).await.unwrap_err();
    connection.configure(Config::uds()).await.unwrap();
    connection.close().await;
    let lines = lines.0.lock().unwrap().clone();
    let expected = [
        "DEBUG connection opened link=7E0>7E8",
        "TRACE frame sent=true frame=7E0#020102",
        "DEBUG message sent link=7E0>7E8 bytes=2",
        "TRACE frame sent=true frame=7E0#1009010101010101",
        "WARN message not sent link=7E0>7E8 error=N_TIMEOUT_Bs",
        "DEBUG configuration changed link=7E0>7E8",
        "DEBUG connection closed link=7E0>7E8",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        // an error goes on with its explanation
        assert!(
            line.starts_with(expected),
            "{line:?}, expected {expected:?}"
        );
    }
}
