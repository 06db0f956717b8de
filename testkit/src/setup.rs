//! Any configurations, addresses and payloads, and a receive buffer that checks how it is used.

use std::sync::Arc;

use isotp_core::{
    Address, Config, Confirmation, FlowControlUse, FrameKind, Id, Link, RxBuffer, StMin, Timing,
};
use isotp_sim::Rng;

/// The link of all these tests.
pub type TestLink = Link<Buffer, Vec<u8>, Arc<Config>>;

/// Two links that talk to each other.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The number of the pair, below 200, where there are more on one bus.
    pub pair: u8,
    pub format: Format,
    pub kind: FrameKind,
    pub timing: Timing,
    pub sides: [Side; 2],
}

/// What the two may have different.
#[derive(Clone, Debug)]
pub struct Side {
    pub tx_dl: u8,
    pub pad_to_8: bool,
    pub block_size: u8,
    pub st_min: u8,
    pub max_wait: u8,
    pub in_flight: u8,
    pub first_only: bool,
    pub reported: bool,
    /// How the buffer answers when it is asked whether it is ready, bit by bit: 1 is no.
    pub moods: u32,
}

/// The address formats, `Normal` with ids of both lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Normal11,
    Normal29,
    NormalFixed,
    Extended,
    Mixed11,
    Mixed29,
}

/// All of them.
pub const FORMATS: [Format; 6] = [
    Format::Normal11,
    Format::Normal29,
    Format::NormalFixed,
    Format::Extended,
    Format::Mixed11,
    Format::Mixed29,
];

impl Format {
    /// The address of pair number `pair`, below 200, with functional ids where the format allows any.
    pub fn address(self, pair: u8) -> Address {
        let standard = |value: u16| Id::standard(value + u16::from(pair)).unwrap();
        let long = |value: u32| Id::extended(value + u32::from(pair)).unwrap();
        let address = match self {
            Self::Normal11 => Address::normal(standard(0x600), standard(0x700)),
            Self::Normal29 => Address::normal(long(0x1CDA_DC00), long(0x1CDA_F900)),
            Self::NormalFixed => Address::normal_fixed(0xF1, pair),
            Self::Extended => Address::extended(standard(0x500), 0x10, standard(0x600), 0xF1),
            Self::Mixed11 => Address::mixed_11(standard(0x600), standard(0x700), 0x99),
            Self::Mixed29 => Address::mixed_29(0xF1, pair, 0x99),
        };
        let address = address.unwrap();
        match self {
            Self::Normal11 | Self::Normal29 => address
                .with_functional_tx(Id::standard(0x7DF).unwrap())
                .unwrap(),
            _ => address,
        }
    }

    /// The address byte before the PCI, if there is one, in what the link of `address` receives.
    pub fn prefix(address: &Address) -> Option<u8> {
        address.rx().byte()
    }
}

impl Setup {
    /// The configuration of one side.
    #[must_use]
    pub fn config(&self, side: usize) -> Config {
        let own = &self.sides[side];
        let mut config = Config::new();
        config.kind = self.kind;
        config.timing = self.timing.clone();
        config.transmit.tx_dl = if self.kind.is_fd() { own.tx_dl } else { 8 };
        config.transmit.pad_to_8 = own.pad_to_8;
        config.transmit.in_flight = own.in_flight;
        if own.first_only {
            config.transmit.flow_control = FlowControlUse::FirstOnly;
        }
        if own.reported {
            config.confirmation = Confirmation::Reported;
        }
        config.receive.block_size = own.block_size;
        config.receive.st_min = StMin::from_wire(own.st_min);
        config.receive.max_wait = own.max_wait;
        config
    }

    /// The address of one side.
    #[must_use]
    pub fn address(&self, side: usize) -> Address {
        let address = self.format.address(self.pair);
        if side == 0 {
            address
        } else {
            address.reversed()
        }
    }

    /// The link of one side.
    #[must_use]
    pub fn link(&self, side: usize) -> TestLink {
        let buffer = Buffer::new(LIMIT, self.sides[side].moods);
        let config = Arc::new(self.config(side));
        Link::with_spare(self.address(side), config, buffer, [[0; 62]; 2]).unwrap()
    }
}

/// Bytes that tell which message they are of, and where in it they were.
pub fn pattern(message: u64, len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|offset| byte(message, offset))
        .collect()
}

/// One byte of [`pattern`].
pub fn byte(message: u64, offset: u64) -> u8 {
    Rng::new(message << 32 | offset).next_u64() as u8
}

/// A receive buffer that is not always ready, and panics if the core breaks its contract.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    limit: u32,
    size: u32,
    moods: u32,
    asked: u32,
}

impl Buffer {
    /// For messages of up to `limit` bytes.
    #[must_use]
    pub const fn new(limit: u32, moods: u32) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            size: 0,
            moods,
            asked: 0,
        }
    }

    /// From now on it answers so; see [`Side::moods`].
    pub const fn set_moods(&mut self, moods: u32) {
        self.moods = moods;
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl RxBuffer for Buffer {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn ready(&mut self, size: u32, received: u32) -> bool {
        assert!(size <= self.limit && received < size);
        self.asked = self.asked.wrapping_add(1);
        self.moods.rotate_right(self.asked) & 1 == 0
    }

    fn start(&mut self, size: u32) {
        assert!(size <= self.limit);
        self.size = size;
        self.bytes.clear();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset as usize, self.bytes.len(), "a gap, or bytes twice");
        self.bytes.extend_from_slice(data);
        assert!(
            self.bytes.len() <= self.size as usize,
            "more than was announced"
        );
        true
    }
}

/// The longest message that test links take.
pub const LIMIT: u32 = 20_000;
