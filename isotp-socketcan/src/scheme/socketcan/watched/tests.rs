use std::sync::Mutex;

use isotp_driver::{FrameKind, FrameView, Id};

use super::*;

/// Writes down what it is asked, and answers what the trait's own methods never do.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "the test is about all of them"
)]
impl Bus for Recorder {
    fn try_send(&mut self, now: Instant, frame: &Frame, token: TxToken) -> Result<Taken, BusError> {
        self.note(format!(
            "try_send {} {frame} {}",
            now.as_micros(),
            token.to_bits()
        ));
        Ok(Taken::Later)
    }

    fn flush(&mut self, now: Instant) -> Result<(), BusError> {
        Err(BusError::new(format!("flush {}", now.as_micros())))
    }

    fn receive(&mut self, at: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        frame.clone_from(&self::frame());
        Ok(Some(Arrival::Received { at }))
    }

    fn poll_ready(&mut self, _: &mut Context<'_>, what: Interest) -> Poll<Result<(), BusError>> {
        self.note(format!("poll_ready {} {}", what.readable, what.writable));
        Poll::Ready(Ok(()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(Instant::from_micros(9))
    }

    fn confirms(&self) -> bool {
        true
    }

    fn in_flight(&self) -> u8 {
        7
    }

    fn supports_fd(&self) -> bool {
        false
    }

    fn connected(&mut self, address: &Address) {
        self.note(format!("connected {}", address.rx().id()));
    }

    fn listen_to_all(&mut self, all: bool) {
        self.note(format!("listen_to_all {all}"));
    }

    fn disconnected(&mut self, address: &Address) {
        self.note(format!("disconnected {}", address.rx().id()));
    }
}

fn id(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn frame() -> Frame {
    let (id, kind) = (id(0x123), FrameKind::Classic);
    let mut frame = Frame::new();
    assert!(frame.copy_from(FrameView {
        id,
        kind,
        data: &[1]
    }));
    frame
}

#[test]
fn every_method_reaches_the_bus() {
    let mut bus = WatchedBus::new(Recorder::default(), 2000, Holder::new_bus());
    let cx = &mut Context::from_waker(Waker::noop());
    let (now, address) = (Instant::from_micros(5), Address::normal(id(1), id(2)));
    let address = address.unwrap();

    assert_eq!(
        bus.try_send(now, &frame(), TxToken::from_bits(3)).unwrap(),
        Taken::Later
    );
    assert_eq!(bus.flush(now).unwrap_err().to_string(), "flush 5");
    let mut received = Frame::new();
    let arrival = bus.receive(now, &mut received).unwrap();
    assert_eq!(arrival, Some(Arrival::Received { at: now }));
    assert_eq!(received.to_string(), "123#01");
    assert!(bus.poll_ready(cx, Interest::WRITABLE).is_ready());
    assert_eq!(bus.poll_timeout(), Some(Instant::from_micros(9)));
    assert_eq!(
        (bus.confirms(), bus.in_flight(), bus.supports_fd()),
        (true, 7, false)
    );
    bus.connected(&address);
    bus.listen_to_all(true);
    bus.listen_to_all(false);
    bus.disconnected(&address);
    let asked = bus.bus.0.into_inner().unwrap();
    assert_eq!(
        asked,
        [
            "try_send 5 123#01 3",
            "poll_ready false true",
            "connected 002",
            "listen_to_all true",
            "listen_to_all false",
            "disconnected 002"
        ]
    );
}
