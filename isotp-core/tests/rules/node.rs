//! One link whose frames and events are text, at times in microseconds.

use isotp_core::{
    Address, Config, Confirmation, Event, Frame, FrameKind, FrameView, Id, Instant, Link, Machine,
    Payload, RxBuffer, TxToken,
};

/// A link under test. `now` moves with each call that has a time.
pub(crate) struct Node<P = Vec<u8>> {
    pub(crate) link: Link<Store, P, Box<Config>>,
    /// Tokens of committed frames, oldest first.
    pub(crate) tokens: Vec<TxToken>,
}

/// A buffer that says when it is ready.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) bytes: Vec<u8>,
    pub(crate) limit: u32,
    pub(crate) is_ready: bool,
    /// Bytes after which it takes no more, against its word.
    pub(crate) breaks_at: usize,
}

impl RxBuffer for Store {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn ready(&mut self, _size: u32, _received: u32) -> bool {
        self.is_ready
    }

    fn start(&mut self, _size: u32) {
        self.bytes.clear();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset as usize, self.bytes.len(), "bytes come gapless");
        self.bytes.extend_from_slice(data);
        assert!(self.bytes.len() <= self.limit as usize, "the limit holds");
        self.bytes.len() <= self.breaks_at
    }
}

impl AsRef<[u8]> for Store {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<P: Payload> Node<P> {
    pub(crate) fn new(address: Address, config: &Config) -> Self {
        let store = Store {
            bytes: Vec::new(),
            limit: 4095,
            is_ready: true,
            breaks_at: usize::MAX,
        };
        let config = Box::new(config.clone());
        Self {
            link: Link::with_spare(address, config, store, [[0; 62]; 2]).unwrap(),
            tokens: Vec::new(),
        }
    }

    pub(crate) fn request(&mut self, at: u64, payload: P) {
        self.link.send(Instant::from_micros(at), payload).unwrap();
    }

    pub(crate) fn receive(&mut self, at: u64, frame: &str) {
        let (id, kind, data) = parse(frame);
        let view = FrameView {
            id,
            kind,
            data: &data,
        };
        self.link.handle_frame(Instant::from_micros(at), view);
    }

    /// Commits all that wants to go out.
    pub(crate) fn sent(&mut self, at: u64) -> Vec<String> {
        let now = Instant::from_micros(at);
        let (mut frame, mut sent) = (Frame::new(), Vec::new());
        while let Some(transmit) = self.link.poll_transmit(now, &mut frame) {
            self.tokens.push(transmit.commit(now));
            sent.push(frame.to_string());
            assert!(sent.len() < 10_000, "the link sends without end");
        }
        sent
    }

    pub(crate) fn pass_time(&mut self, at: u64) {
        self.link.handle_timeout(Instant::from_micros(at));
    }

    /// Confirms the oldest frame that was not confirmed.
    pub(crate) fn confirm(&mut self, at: u64) {
        let token = self.tokens.remove(0);
        self.link
            .handle_transmitted(Instant::from_micros(at), token);
    }

    /// Reports the oldest frame as lost.
    pub(crate) fn lose(&mut self, at: u64) {
        let token = self.tokens.remove(0);
        self.link.handle_failed(Instant::from_micros(at), token);
    }

    /// All events, in the words of the vectors.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.link.poll_event() {
            events.push(match event {
                Event::FirstFrame { size, .. } => format!("ff {size}"),
                Event::Received(message) => {
                    let data: String = message.data().iter().map(|b| format!("{b:02X}")).collect();
                    let word = if message.is_functional() {
                        "indf"
                    } else {
                        "ind"
                    };
                    format!("{word} {data}")
                }
                Event::ReceptionFailed(result) => format!("ind! {}", result.name()),
                Event::Confirmed(result) => format!("cfm {}", result.name()),
                Event::FunctionalConfirmed(result) => format!("cfmf {}", result.name()),
                other => format!("{other:?}"),
            });
        }
        events
    }

    /// The next deadline in microseconds.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.link
            .poll_timeout()
            .map(|timeout| timeout.at.as_micros())
    }
}

/// A frame written the candump way.
pub(crate) fn parse(text: &str) -> (Id, FrameKind, Vec<u8>) {
    let (id, rest) = text.split_once('#').unwrap();
    let value = u32::from_str_radix(id, 16).unwrap();
    let id = match id.len() {
        3 => Id::standard(value as u16).unwrap(),
        _ => Id::extended(value).unwrap(),
    };
    let (kind, data) = match rest.strip_prefix('#') {
        None => (FrameKind::Classic, rest),
        Some(fd) => (FrameKind::Fd { brs: false }, &fd[1..]),
    };
    (id, kind, bytes(data))
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// The message 00, 01, 02, ..
pub(crate) fn counting(len: usize) -> Vec<u8> {
    (0..len).map(|index| index as u8).collect()
}

pub(crate) fn tester() -> Address {
    let (tx, rx) = (Id::standard(0x7E0).unwrap(), Id::standard(0x7E8).unwrap());
    let functional = Id::standard(0x7DF).unwrap();
    Address::normal(tx, rx)
        .unwrap()
        .with_functional_tx(functional)
        .unwrap()
}

/// The conformance profile with confirmations that are reported.
pub(crate) fn reported() -> Config {
    let mut config = Config::new();
    config.confirmation = Confirmation::Reported;
    config
}
