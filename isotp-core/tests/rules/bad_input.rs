//! Bytes, times and calls of any kind: nothing panics, hangs, or delivers what was not received.
//!
//! Half of the input is well formed, so that receptions get far; the seed of a failing run is printed.

use core::time::Duration;

use isotp_core::{
    Address, Config, Confirmation, Duplex, Event, Frame, FrameKind, FrameView, Half, Id, Instant,
    Machine as _, Parameter, RxPadding, TxToken,
};

use crate::node::Node;
use crate::random::Random;

/// `RXE-03`, `SVC-04`, `SVC-05`, `SVC-01`, `SVC-10`: whatever comes, each message that is delivered
/// was received byte by byte, each that was announced ends once, each that was sent is confirmed once.
#[test]
fn random_input_neither_panics_nor_makes_bytes_up() {
    let runs = std::env::var("ISOTP_RUNS").map_or(3000, |runs| runs.parse().unwrap());
    let mut delivered = 0;
    for seed in 0..runs {
        let outcome = std::panic::catch_unwind(|| Run::new(seed).go());
        match outcome {
            Ok(count) => delivered += count,
            Err(_) => panic!("seed {seed}"),
        }
    }
    assert!(
        delivered > runs,
        "the input is too wild to test anything: {delivered} segmented messages in {runs} runs"
    );
}

struct Run {
    random: Random,
    node: Node,
    now: u64,
    kind: FrameKind,
    rx: Half,
    /// What the peer sends as its next well formed frame.
    peer: Peer,
    /// Data fields of the frames that came since the last message was delivered.
    log: Vec<Vec<u8>>,
    announced: bool,
    requested: [bool; 2],
    segmented: u64,
}

#[derive(Default)]
struct Peer {
    remaining: usize,
    sequence_number: u8,
    per_frame: usize,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let config = random_config(&mut random);
        let address = random_address(&mut random);
        let mut node = Node::new(address, &config);
        node.link.buffer_mut().limit = 1 + random.below(300) as u32;
        Self {
            node,
            now: 0,
            kind: config.kind,
            rx: address.rx(),
            peer: Peer::default(),
            log: Vec::new(),
            announced: false,
            requested: [false; 2],
            segmented: 0,
            random,
        }
    }

    /// The number of segmented messages delivered.
    fn go(mut self) -> u64 {
        for _ in 0..400 {
            self.step();
            // a user who does not always listen
            if self.random.below(8) != 0 {
                self.drain();
            }
        }
        self.node.link.buffer_mut().is_ready = true;
        self.drain();
        self.settle();
        self.segmented
    }

    fn step(&mut self) {
        let now = Instant::from_micros(self.now);
        match self.random.below(24) {
            0..9 => self.peer_frame(),
            9 => self.any_frame(),
            10..15 => self.poll_transmit(),
            15 => self.now = self.now.saturating_sub(self.random.below(5000)),
            16 => self.now += self.random.below(3000),
            17 => self.pass_time(),
            18 => self.request(now),
            19 => self.confirm_something(now),
            20 => {
                let is_ready = self.random.below(3) != 0;
                self.node.link.buffer_mut().is_ready = is_ready;
            }
            21 => self.flow_control(),
            22 => {
                let value = self.random.next() as u32 >> self.random.below(32);
                let parameter = match self.random.below(2) {
                    0 => Parameter::BlockSize,
                    _ => Parameter::StMin,
                };
                let _ = self.node.link.configure(parameter, value);
            }
            _ => match self.random.below(6) {
                0 => self.node.link.abort_send(now),
                1 => self.node.link.abort_receive(now),
                2 => self.now += 700_000,
                _ => {}
            },
        }
    }

    /// The next frame of a message that the peer sends, sometimes another.
    fn peer_frame(&mut self) {
        let mut data: Vec<u8> = self.rx.byte().into_iter().collect();
        if self.peer.remaining == 0 {
            self.first_frame(&mut data);
        } else {
            data.push(0x20 | self.peer.sequence_number);
            let len = self.peer.per_frame.min(self.peer.remaining);
            data.extend((0..len).map(|_| self.random.next() as u8));
            self.peer.sequence_number = (self.peer.sequence_number + 1) & 0xF;
            self.peer.remaining -= len;
            let full = self.peer.per_frame + 1 + self.rx.prefix_len();
            let padded = data
                .len()
                .max(usize::from(self.random.below(2) == 0) * full);
            data.resize(padded, 0x55);
        }
        if self.random.below(30) == 0 {
            let at = self.random.below(data.len() as u64) as usize;
            data[at] ^= 1 << self.random.below(8);
        }
        self.receive(&data);
    }

    fn first_frame(&mut self, data: &mut Vec<u8>) {
        let dl = if self.kind.is_fd() {
            [8, 12, 16, 20, 24, 32, 48, 64][self.random.below(8) as usize]
        } else {
            8
        };
        let size = dl + self.random.below(90) as usize;
        data.extend([0x10 | (size >> 8) as u8, size as u8]);
        self.peer = Peer {
            remaining: size - (dl - data.len()),
            sequence_number: 1,
            per_frame: dl - 1 - self.rx.prefix_len(),
        };
        let more = dl - data.len();
        data.extend((0..more).map(|_| self.random.next() as u8));
    }

    fn any_frame(&mut self) {
        let mut data: Vec<u8> = self.rx.byte().into_iter().collect();
        let len = self.random.below(if self.kind.is_fd() { 66 } else { 10 });
        data.extend((0..len).map(|_| self.random.next() as u8));
        if let Some(pci) = data.get_mut(self.rx.prefix_len())
            && self.random.below(4) != 0
        {
            *pci &= 0x3F;
        }
        self.receive(&data);
    }

    fn flow_control(&mut self) {
        let mut data: Vec<u8> = self.rx.byte().into_iter().collect();
        let status = [0, 0, 0, 1, 1, 2, 3][self.random.below(7) as usize];
        let (bs, st_min) = (self.random.below(4) as u8, self.random.next() as u8);
        data.extend([0x30 | status, bs, st_min]);
        self.receive(&data);
    }

    fn receive(&mut self, data: &[u8]) {
        self.log.push(data.to_vec());
        let frame = FrameView {
            id: self.rx.id(),
            kind: self.kind,
            data,
        };
        let now = Instant::from_micros(self.now);
        self.node.link.handle_frame(now, frame);
    }

    fn poll_transmit(&mut self) {
        let now = Instant::from_micros(self.now);
        let mut frame = Frame::new();
        let Some(transmit) = self.node.link.poll_transmit(now, &mut frame) else {
            return;
        };
        assert!(frame.data().len() <= self.kind.max_len());
        match self.random.below(12) {
            0 => {}
            1 => transmit.reject(now),
            _ => self.node.tokens.push(transmit.commit(now)),
        }
    }

    fn confirm_something(&mut self, now: Instant) {
        let count = self.node.tokens.len() as u64;
        let token = match self.random.below(4) {
            0 => TxToken::from_bits(self.random.next() >> self.random.below(64)),
            _ if count == 0 => return,
            1 => self.node.tokens[self.random.below(count) as usize],
            _ => self.node.tokens[count as usize - 1],
        };
        if self.random.below(6) == 0 {
            self.node.link.handle_failed(now, token);
        } else {
            self.node.link.handle_transmitted(now, token);
        }
    }

    fn request(&mut self, now: Instant) {
        let len = self.random.below(200) as usize;
        let link = &mut self.node.link;
        if self.random.below(4) == 0 {
            if link.send_functional(now, vec![1; len % 10]).is_ok() {
                assert!(!core::mem::replace(&mut self.requested[1], true));
            }
        } else if link.send(now, vec![2; len]).is_ok() {
            assert!(!core::mem::replace(&mut self.requested[0], true));
        }
    }

    fn pass_time(&mut self) {
        self.node.pass_time(self.now);
        // the link's clock may be ahead of ours, never behind
        assert!(self.node.deadline().is_none_or(|at| at > self.now));
    }

    /// With nothing more coming in, everything ends, and nothing is owed to the user.
    fn settle(&mut self) {
        for _ in 0..1000 {
            let Some(at) = self.node.deadline() else {
                assert!(!self.announced, "an announced message never ended");
                assert_eq!(self.requested, [false; 2], "a request was never confirmed");
                assert_eq!(self.node.sent(self.now), [""; 0], "an idle link sends");
                return;
            };
            self.now = self.now.max(at);
            self.pass_time();
            self.drain();
            self.poll_transmit();
            self.drain();
        }
        panic!("the link never comes to rest");
    }

    fn drain(&mut self) {
        loop {
            let message = match self.node.link.poll_event() {
                None => return,
                Some(Event::Received(message)) => {
                    (message.data().to_vec(), message.single().is_some())
                }
                Some(Event::FirstFrame { .. }) => {
                    assert!(!core::mem::replace(&mut self.announced, true));
                    continue;
                }
                Some(Event::ReceptionFailed(_)) => {
                    assert!(core::mem::replace(&mut self.announced, false));
                    continue;
                }
                Some(Event::Confirmed(_)) => {
                    assert!(core::mem::replace(&mut self.requested[0], false));
                    continue;
                }
                Some(Event::FunctionalConfirmed(_)) => {
                    assert!(core::mem::replace(&mut self.requested[1], false));
                    continue;
                }
                Some(_) => continue,
            };
            let (bytes, is_single) = message;
            let limit = self.node.link.buffer().limit as usize;
            assert!(bytes.len() <= limit, "more than the buffer holds");
            if !is_single {
                assert!(core::mem::replace(&mut self.announced, false));
                self.segmented += 1;
            }
            assert!(
                was_received(&self.log, self.rx.prefix_len(), &bytes, is_single),
                "{bytes:02X?} is in no frames of {:02X?}",
                self.log
            );
        }
    }
}

/// Whether the frames carried these bytes: one single frame, or a first frame and consecutive frames
/// in order, possibly with others between them. Written from the rules, not from the codec.
fn was_received(log: &[Vec<u8>], x: usize, message: &[u8], is_single: bool) -> bool {
    let pcis = log
        .iter()
        .enumerate()
        .filter_map(|(index, data)| Some((index, data.get(x..)?)));
    for (index, pdu) in pcis {
        let Some(pci) = pdu.first() else { continue };
        if is_single {
            let header = if x + pdu.len() > 8 { 2 } else { 1 };
            if pci >> 4 == 0
                && pdu
                    .get(header..)
                    .is_some_and(|data| data.starts_with(message))
            {
                return true;
            }
            continue;
        }
        if pci >> 4 != 1 || pdu.len() < 2 {
            continue;
        }
        let size = usize::from(pci & 0xF) << 8 | usize::from(pdu[1]);
        let header = if size == 0 { 6 } else { 2 };
        let carried = pdu.get(header..).unwrap_or_default();
        if size == message.len()
            && message.starts_with(carried)
            && follows(
                &log[index + 1..],
                x,
                &message[carried.len()..],
                x + pdu.len(),
            )
        {
            return true;
        }
    }
    false
}

/// Whether consecutive frames of `rx_dl` bytes carried the rest of a message.
fn follows(log: &[Vec<u8>], x: usize, mut rest: &[u8], rx_dl: usize) -> bool {
    let mut sequence_number = 1;
    for data in log {
        let len = rest.len().min(rx_dl - x - 1);
        let fits = data.get(x) == Some(&(0x20 | sequence_number))
            && data
                .get(x + 1..)
                .is_some_and(|data| data.starts_with(&rest[..len]));
        if fits {
            rest = &rest[len..];
            sequence_number = (sequence_number + 1) & 0xF;
        }
        if rest.is_empty() {
            return true;
        }
    }
    false
}

fn random_config(random: &mut Random) -> Config {
    let mut config = match random.below(3) {
        0 => Config::fd([8, 12, 20, 64][random.below(4) as usize], true),
        _ => Config::new(),
    };
    config.transmit.pad_to_8 = random.below(2) == 0;
    config.transmit.max_wait = [None, Some(0), Some(3)][random.below(3) as usize];
    config.transmit.in_flight = [1, 1, 4, 255][random.below(4) as usize];
    config.receive.block_size = [0, 0, 1, 2, 255][random.below(5) as usize];
    config.receive.max_wait = random.below(3) as u8;
    config.receive.padding = match random.below(4) {
        0 => RxPadding::Padded,
        1 => RxPadding::Exact,
        _ => RxPadding::Any,
    };
    config.receive.lenient_length = random.below(2) == 0;
    config.receive.any_kind = random.below(2) == 0;
    config.receive.listen_only = random.below(8) == 0;
    config.timing.n_br = Duration::from_millis(5);
    config.timing.n_cr = Duration::from_millis(50);
    config.diagnostics = random.below(2) == 0;
    if random.below(4) == 0 {
        config.duplex = Duplex::Half;
    }
    if random.below(2) == 0 {
        config.confirmation = Confirmation::Reported;
    }
    config
}

fn random_address(random: &mut Random) -> Address {
    let id = |value| Id::standard(value).unwrap();
    let functional = |address: Address| address.with_functional_tx(id(0x7DF));
    match random.below(4) {
        0 => Address::mixed_11(id(0x7E0), id(0x7E8), 0x99).and_then(functional),
        1 => Address::extended(id(0x6F1), 0x10, id(0x610), 0xF1),
        2 => Address::normal_fixed(0xF1, 0x10).and_then(Address::with_any_source),
        _ => Address::normal(id(0x7E0), id(0x7E8)).and_then(functional),
    }
    .unwrap()
}
