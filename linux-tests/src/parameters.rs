//! What a link is: the same description for every implementation.

use isotp_core::{Address, Config, FrameKind, Id, StMin};

/// One link as the tester sees it; the other end has the address reversed.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    pub(crate) address: Address,
    /// TX_DL of an FD link; `None` for CC.
    pub(crate) fd: Option<u8>,
    /// The padding byte, where frames are padded to 8.
    pub(crate) pad: Option<u8>,
    /// What the receiver asks for.
    pub(crate) block_size: u8,
    pub(crate) st_min: StMin,
}

impl Parameters {
    /// The same link, seen from the other end.
    pub(crate) fn reversed(&self) -> Self {
        Self {
            address: self.address.reversed(),
            ..self.clone()
        }
    }

    /// As the project's own stack takes it.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        if let Some(tx_dl) = self.fd {
            config.kind = FrameKind::Fd { brs: false };
            config.transmit.tx_dl = tx_dl;
        }
        if let Some(pad) = self.pad {
            config.transmit.pad_to_8 = true;
            config.transmit.pad_byte = pad;
        }
        config.receive.block_size = self.block_size;
        config.receive.st_min = self.st_min;
        config
    }
}

impl Default for Parameters {
    /// Normal addressing with 11 bits, everything else as in the standard's simplest case.
    fn default() -> Self {
        Self {
            address: Addressing::Normal11.address(),
            fd: None,
            pad: None,
            block_size: 0,
            st_min: StMin::ZERO,
        }
    }
}

/// The address formats of the grid, each with one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressing {
    Normal11,
    Normal29,
    Fixed,
    Extended11,
    Extended29,
    Mixed11,
    Mixed29,
}

impl Addressing {
    pub(crate) const ALL: [Self; 7] = [
        Self::Normal11,
        Self::Normal29,
        Self::Fixed,
        Self::Extended11,
        Self::Extended29,
        Self::Mixed11,
        Self::Mixed29,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal11 => "normal-11",
            Self::Normal29 => "normal-29",
            Self::Fixed => "normal-fixed",
            Self::Extended11 => "extended-11",
            Self::Extended29 => "extended-29",
            Self::Mixed11 => "mixed-11",
            Self::Mixed29 => "mixed-29",
        }
    }

    /// The tester's address.
    pub(crate) fn address(self) -> Address {
        let (a, b) = (id(0x7E0), id(0x7E8));
        let (c, d) = (id(0x1234_5678), id(0x1ABC_DEF0));
        match self {
            Self::Normal11 => Address::normal(a, b),
            Self::Normal29 => Address::normal(c, d),
            Self::Fixed => Address::normal_fixed(0xF1, 0x10),
            Self::Extended11 => Address::extended(a, 0x10, b, 0xF1),
            Self::Extended29 => Address::extended(c, 0x10, d, 0xF1),
            Self::Mixed11 => Address::mixed_11(a, b, 0x99),
            Self::Mixed29 => Address::mixed_29(0xF1, 0x10, 0x99),
        }
        .expect("the ids differ")
    }
}

/// An id, 29 bits where it needs them.
pub(crate) fn id(value: u32) -> Id {
    match u16::try_from(value) {
        Ok(value) if value <= 0x7FF => Id::standard(value),
        _ => Id::extended(value),
    }
    .expect("an id of the tests fits")
}

/// The bytes of a test message: they repeat neither after 16 frames nor after 256 bytes.
pub(crate) fn payload(size: usize) -> Vec<u8> {
    (0..size)
        .map(|at| (at ^ (at >> 8).wrapping_mul(31)) as u8)
        .collect()
}
