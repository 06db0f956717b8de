//! Profiles and their overrides: `C8{bs=2,stmin=05}`.

use core::time::Duration;

use isotp_core::{
    Address, AddressError, AddressFormat, Config, Confirmation, Duplex, FlowControlUse, FrameKind,
    Half, Id, RxPadding, StMin,
};

use super::frame::parse_id;
use super::script::parse_time;

/// Everything that a vector says before its script.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) ids: Ids,
    pub(crate) config: Config,
    /// The longest message that the receiver takes.
    pub(crate) limit: u32,
    /// Why the configuration must be refused, where the types cannot even say it.
    unsayable: Option<String>,
}

/// The address: format, ids and address bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    format: AddressFormat,
    pub(crate) tx: Id,
    pub(crate) rx: Id,
    functional_tx: Option<Id>,
    functional_rx: Option<Id>,
    pub(crate) tx_byte: Option<u8>,
    pub(crate) rx_byte: Option<u8>,
}

impl Profile {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, overrides) = match text.split_once('{') {
            None => (text, ""),
            Some((name, rest)) => {
                let rest = rest.trim_end();
                let inner = rest
                    .strip_suffix('}')
                    .ok_or_else(|| format!("`{text}`: the overrides do not end with a brace"))?;
                (name, inner)
            }
        };
        let mut profile = Self::named(name.trim())?;
        let mut raw = Raw::default();
        for item in overrides
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            // `n_as=n_ar=25` sets both
            let mut parts: Vec<&str> = item.split('=').map(str::trim).collect();
            let value = parts.pop().unwrap_or_default();
            if parts.is_empty() {
                return Err(format!("`{item}`: expected key=value"));
            }
            for key in parts {
                profile
                    .set(key, value, &mut raw)
                    .map_err(|error| format!("`{key}={value}`: {error}"))?;
            }
        }
        profile.finish(&raw);
        Ok(profile)
    }

    fn named(name: &str) -> Result<Self, String> {
        let standard = |value| Id::standard(value).ok();
        let normal = |tx: u16, rx: u16, functional_tx, functional_rx| {
            let (tx, rx) = (Id::standard(tx), Id::standard(rx));
            Ids::new(AddressFormat::Normal, tx.unwrap(), rx.unwrap())
                .functional(functional_tx, functional_rx)
        };
        let c8 = normal(0x7E0, 0x7E8, standard(0x7DF), None);
        let fixed = |format, tx, rx| {
            let (tx, rx) = (Id::extended(tx), Id::extended(rx));
            Ids::new(format, tx.unwrap(), rx.unwrap())
        };
        let long = |value| Id::extended(value).ok();
        let ex = normal(0x6F1, 0x610, None, None)
            .format(AddressFormat::Extended)
            .bytes(0x10, 0xF1);
        let (ids, tx_dl) = match name {
            "C8" => (c8, 8),
            "E8" => (normal(0x7E8, 0x7E0, None, standard(0x7DF)), 8),
            "F64" => (c8, 64),
            "F12" => (c8, 12),
            "F20" => (c8, 20),
            "NF" => (
                fixed(AddressFormat::NormalFixed, 0x18DA_10F1, 0x18DA_F110)
                    .functional(long(0x18DB_33F1), None),
                8,
            ),
            "NFE" => (
                fixed(AddressFormat::NormalFixed, 0x18DA_F110, 0x18DA_10F1)
                    .functional(None, long(0x18DB_33F1)),
                8,
            ),
            "EX" => (ex, 8),
            "EXF" => (ex, 64),
            "M11" => (
                normal(0x7E0, 0x7E8, None, None)
                    .format(AddressFormat::Mixed11)
                    .bytes(0x99, 0x99),
                8,
            ),
            "M29" => (
                fixed(AddressFormat::Mixed29, 0x18CE_10F1, 0x18CE_F110)
                    .functional(long(0x18CD_33F1), None)
                    .bytes(0x99, 0x99),
                8,
            ),
            _ => return Err(format!("unknown profile `{name}`")),
        };
        let config = if tx_dl == 8 {
            Config::new()
        } else {
            Config::fd(tx_dl, false)
        };
        Ok(Self {
            ids,
            config,
            limit: 4095,
            unsayable: None,
        })
    }

    fn set(&mut self, key: &str, value: &str, raw: &mut Raw) -> Result<(), String> {
        let config = &mut self.config;
        let (transmit, receive) = (&mut config.transmit, &mut config.receive);
        match key {
            "tx" => self.ids.tx = parse_id(value)?,
            "rx" => self.ids.rx = parse_id(value)?,
            "tx_dl" => raw.tx_dl = Some(decimal(value)?),
            "pad" => raw.pad = off_or(value, "off", hexadecimal)?,
            "bs" => raw.bs = Some(decimal(value)?),
            "stmin" => raw.st_min = Some(hexadecimal(value)?),
            "brs" => raw.brs = choose(value, &[("0", false), ("1", true)])?,
            "rxpad" => {
                let policies = [
                    ("any", RxPadding::Any),
                    ("padded", RxPadding::Padded),
                    ("opt", RxPadding::Exact),
                ];
                receive.padding = choose(value, &policies)?;
            }
            "buf" => self.limit = decimal(value)?,
            "wftmax" => receive.max_wait = decimal(value)?,
            "txwft" => transmit.max_wait = off_or(value, "none", decimal)?,
            "dyn" => {
                let uses = [
                    ("1", FlowControlUse::Every),
                    ("0", FlowControlUse::FirstOnly),
                ];
                transmit.flow_control = choose(value, &uses)?;
            }
            "len" => {
                receive.lenient_length = choose(value, &[("strict", false), ("lenient", true)])?;
            }
            "ftype" => receive.any_kind = choose(value, &[("strict", false), ("any", true)])?,
            "duplex" => {
                config.duplex = choose(value, &[("full", Duplex::Full), ("half", Duplex::Half)])?;
            }
            "con" => {
                let ways = [
                    ("auto", Confirmation::OnCommit),
                    ("manual", Confirmation::Reported),
                ];
                config.confirmation = choose(value, &ways)?;
            }
            _ => {
                let timing = &mut config.timing;
                let timer = match key {
                    "n_as" => &mut timing.n_as,
                    "n_ar" => &mut timing.n_ar,
                    "n_bs" => &mut timing.n_bs,
                    "n_br" => &mut timing.n_br,
                    "n_cr" => &mut timing.n_cr,
                    _ => return Err("unknown key".to_owned()),
                };
                *timer = Duration::from_micros(parse_time(value)?);
            }
        }
        Ok(())
    }

    /// Values that may be too large for their field are judged when all keys are known.
    fn finish(&mut self, raw: &Raw) {
        if let Err(error) = self.try_finish(raw) {
            self.unsayable = Some(error);
        }
    }

    fn try_finish(&mut self, raw: &Raw) -> Result<(), String> {
        let byte = |name: &str, value: u64| {
            u8::try_from(value).map_err(|_| format!("{name} is {value}, expected one byte"))
        };
        let config = &mut self.config;
        if let Some(tx_dl) = raw.tx_dl {
            config.transmit.tx_dl = byte("tx_dl", tx_dl)?;
        }
        if let Some(bs) = raw.bs {
            config.receive.block_size = byte("bs", bs)?;
        }
        if let Some(st_min) = raw.st_min {
            let code = byte("stmin", st_min)?;
            config.receive.st_min = StMin::from_code(code).map_err(|error| error.to_string())?;
        }
        if let Some(pad) = raw.pad {
            config.transmit.pad_byte = byte("pad", pad)?;
            config.transmit.pad_to_8 = true;
        }
        match &mut config.kind {
            FrameKind::Fd { brs } => *brs = raw.brs,
            FrameKind::Classic if raw.brs => {
                return Err("brs on CAN CC, which has none (TXF-01)".to_owned());
            }
            FrameKind::Classic => {}
        }
        Ok(())
    }

    /// The address, or why the configuration is refused. A vector that says what no profile can
    /// mean is an error of the vector: the outer one.
    pub(crate) fn address(&self) -> Result<Result<Address, String>, String> {
        if let Some(reason) = &self.unsayable {
            return Ok(Err(reason.clone()));
        }
        if let Err(error) = self.config.check() {
            return Ok(Err(error.to_string()));
        }
        let tx = self.ids.half(self.ids.tx, self.ids.tx_byte)?;
        let rx = self.ids.half(self.ids.rx, self.ids.rx_byte)?;
        Ok(self
            .ids
            .address(tx, rx)
            .map_err(|error: AddressError| error.to_string()))
    }

    pub(crate) fn is_manual(&self) -> bool {
        self.config.confirmation == Confirmation::Reported
    }
}

impl Ids {
    const fn new(format: AddressFormat, tx: Id, rx: Id) -> Self {
        Self {
            format,
            tx,
            rx,
            functional_tx: None,
            functional_rx: None,
            tx_byte: None,
            rx_byte: None,
        }
    }

    const fn functional(mut self, tx: Option<Id>, rx: Option<Id>) -> Self {
        self.functional_tx = tx;
        self.functional_rx = rx;
        self
    }

    const fn format(mut self, format: AddressFormat) -> Self {
        self.format = format;
        self
    }

    const fn bytes(mut self, tx: u8, rx: u8) -> Self {
        self.tx_byte = Some(tx);
        self.rx_byte = Some(rx);
        self
    }

    fn half(&self, id: Id, byte: Option<u8>) -> Result<Half, String> {
        let byte = byte.unwrap_or_default();
        let (target, source) = ((id.value() >> 8) as u8, id.value() as u8);
        let fixed = |form: u32| {
            if id.is_extended() && (id.value() >> 16) & 0x3FF == form {
                Ok(())
            } else {
                Err(format!("{id} is no physical id of this address format"))
            }
        };
        Ok(match self.format {
            AddressFormat::Normal => Half::normal(id),
            AddressFormat::Extended => Half::extended(id, byte),
            AddressFormat::Mixed11 => Half::mixed_11(id, byte),
            AddressFormat::NormalFixed => {
                fixed(0xDA)?;
                Half::normal_fixed(target, source)
            }
            AddressFormat::Mixed29 => {
                fixed(0xCE)?;
                Half::mixed_29(target, source, byte)
            }
        })
    }

    fn address(&self, tx: Half, rx: Half) -> Result<Address, AddressError> {
        let mut address = Address::from_halves(tx, rx)?;
        if matches!(
            self.format,
            AddressFormat::NormalFixed | AddressFormat::Mixed29
        ) {
            address = address.with_priority((self.tx.value() >> 26) as u8)?;
        }
        if let Some(id) = self.functional_tx {
            address = address.with_functional_tx(id)?;
        }
        if let Some(id) = self.functional_rx {
            address = address.with_functional_rx(id)?;
        }
        Ok(address)
    }
}

/// Overrides that may hold values which the configuration's types refuse.
#[derive(Debug, Default)]
struct Raw {
    tx_dl: Option<u64>,
    bs: Option<u64>,
    st_min: Option<u64>,
    pad: Option<u64>,
    brs: bool,
}

fn decimal<T: core::str::FromStr>(value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| "no decimal number in range".to_owned())
}

fn hexadecimal(value: &str) -> Result<u64, String> {
    u64::from_str_radix(value, 16).map_err(|_| "no hexadecimal number".to_owned())
}

fn off_or<T>(
    value: &str,
    off: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if value == off {
        Ok(None)
    } else {
        parse(value).map(Some)
    }
}

fn choose<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| "unknown value".to_owned())
}
