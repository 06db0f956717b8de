//! Configuration: plain structs, presets, and the check that refuses what makes no sense.

mod st_min;

pub use st_min::StMin;

use core::time::Duration;

use crate::error::ConfigError;
use crate::frame::FrameKind;
use crate::time::Timer;

/// Everything about a link that is not its address.
///
/// The default is the conformance profile: CAN CC, no padding, BS 0, STmin 0, all timers 1000 ms,
/// strict readings. A link holds it by reference (or through any other pointer), so that many links
/// share one. It is checked once, when a link is made.
///
/// ```
/// use isotp_core::{Config, StMin};
/// static CONFIG: Config = Config::uds();
/// assert_eq!(CONFIG.transmit.pad_to_8, true);
/// assert_eq!(CONFIG.receive.st_min, StMin::ZERO);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Config {
    /// CC or FD, for sent data and flow control alike (`TXF-08`).
    pub kind: FrameKind,
    /// How frames are built.
    pub transmit: TransmitConfig,
    /// How frames are read, and what the flow control offers.
    pub receive: ReceiveConfig,
    /// The six timers.
    pub timing: Timing,
    /// Whether one link sends and receives segmented messages at the same time.
    pub duplex: Duplex,
    /// When a frame counts as on the bus.
    pub confirmation: Confirmation,
    /// Report each ignored frame with its reason as an event. They are counted in any case.
    pub diagnostics: bool,
}

impl Config {
    /// The conformance profile, which is also the default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            kind: FrameKind::Classic,
            transmit: TransmitConfig::new(),
            receive: ReceiveConfig::new(),
            timing: Timing::new(),
            duplex: Duplex::Full,
            confirmation: Confirmation::OnCommit,
            diagnostics: false,
        }
    }

    /// What a diagnostic tester usually wants: CAN CC, frames padded to 8 with 0xCC.
    #[must_use]
    pub const fn uds() -> Self {
        let mut config = Self::new();
        config.transmit.pad_to_8 = true;
        config
    }

    /// OBD after ISO 15765-4: padded frames, BS 0, STmin 0, no WAIT, and its shorter timers
    /// (`OBD-01`, `OBD-02`).
    #[must_use]
    pub const fn obd() -> Self {
        let mut config = Self::uds();
        config.timing = Timing {
            n_as: Duration::from_millis(25),
            n_ar: Duration::from_millis(25),
            n_bs: Duration::from_millis(75),
            n_br: Duration::from_millis(20),
            n_cs: Duration::from_millis(40),
            n_cr: Duration::from_millis(150),
        };
        config
    }

    /// What a Linux `CAN_ISOTP` socket does by default: no padding, BS and STmin of the first flow
    /// control only.
    #[must_use]
    pub const fn linux_kernel() -> Self {
        let mut config = Self::new();
        config.transmit.flow_control = FlowControlUse::FirstOnly;
        config
    }

    /// The conformance profile on CAN FD with frames of up to `tx_dl` bytes.
    #[must_use]
    pub const fn fd(tx_dl: u8, brs: bool) -> Self {
        let mut config = Self::new();
        config.kind = FrameKind::Fd { brs };
        config.transmit.tx_dl = tx_dl;
        config
    }

    /// What an [`Observer`](crate::Observer) needs: it only listens (`FC-11`), to CC and FD frames alike.
    #[must_use]
    pub const fn listening() -> Self {
        let mut config = Self::new();
        config.receive.listen_only = true;
        config.receive.any_kind = true;
        config
    }

    /// Checks every field; links do this when they are made.
    ///
    /// # Errors
    /// The first field that makes no sense, with the rule it breaks.
    pub const fn check(&self) -> Result<(), ConfigError> {
        match (self.kind, self.transmit.tx_dl) {
            (_, 8) | (FrameKind::Fd { .. }, 12 | 16 | 20 | 24 | 32 | 48 | 64) => {}
            (kind, tx_dl) => {
                return Err(ConfigError::TxDl {
                    tx_dl,
                    fd: kind.is_fd(),
                });
            }
        }
        if self.transmit.in_flight == 0 {
            return Err(ConfigError::InFlight);
        }
        self.timing.check()
    }

    /// Whether a received frame of `kind` matches this link (`ADR-07`).
    pub(crate) const fn accepts(&self, kind: FrameKind) -> bool {
        self.receive.any_kind || self.kind.is_fd() == kind.is_fd()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// How frames are built, and how the sender takes flow control.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct TransmitConfig {
    /// TX_DL, the longest frame that is sent: 8, and for FD 12, 16, 20, 24, 32, 48 or 64 (`TXF-01`).
    pub tx_dl: u8,
    /// Frames of 8 bytes or less are padded to 8 (`TXF-05`).
    pub pad_to_8: bool,
    /// What unused bytes hold (`TXF-07`); FD frames above 8 bytes need it even without `pad_to_8`.
    pub pad_byte: u8,
    /// Which flow controls set block size and STmin (`FC-04`).
    pub flow_control: FlowControlUse,
    /// The most FC.WAIT in a row that a transfer survives; `None`: any number (`FC-10`).
    pub max_wait: Option<u8>,
    /// Consecutive frames that may be committed and not yet confirmed, where STmin is 0: 1 to 255.
    /// 1 is how the standard reads; more hides the round trip to a slow controller.
    pub in_flight: u8,
}

impl TransmitConfig {
    const fn new() -> Self {
        Self {
            tx_dl: 8,
            pad_to_8: false,
            pad_byte: 0xCC,
            flow_control: FlowControlUse::Every,
            max_wait: None,
            in_flight: 1,
        }
    }
}

impl Default for TransmitConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// How frames are read, and what the flow control offers to the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct ReceiveConfig {
    /// BS: consecutive frames between two flow controls; 0: one flow control for the whole message.
    pub block_size: u8,
    /// STmin: the separation that the peer shall keep between consecutive frames.
    pub st_min: StMin,
    /// N_WFTmax: FC.WAITs sent in a row while the buffer is not ready; 0: none is ever sent (`FC-06`).
    pub max_wait: u8,
    /// Which CAN_DL a single frame or a last consecutive frame may have (`PCI-08`).
    pub padding: RxPadding,
    /// Accept an FD single frame in a longer frame than it needs (`D-01`); strict: ignore it (`PCI-07`).
    pub lenient_length: bool,
    /// Accept CC frames on an FD link and the reverse (`D-11`); strict: ignore them (`ADR-07`).
    pub any_kind: bool,
    /// Listen only: no flow control is sent, any block structure is taken (`FC-11`). Such a link
    /// refuses to send.
    pub listen_only: bool,
}

impl ReceiveConfig {
    const fn new() -> Self {
        Self {
            block_size: 0,
            st_min: StMin::ZERO,
            max_wait: 0,
            padding: RxPadding::Any,
            lenient_length: false,
            any_kind: false,
            listen_only: false,
        }
    }
}

impl Default for ReceiveConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The six timers (`TIM-01`), each above zero and at most an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Timing {
    /// Sender: a data frame is ready, until it is confirmed.
    pub n_as: Duration,
    /// Receiver: a flow control is ready, until it is confirmed.
    pub n_ar: Duration,
    /// Sender: waiting for flow control.
    pub n_bs: Duration,
    /// Receiver: between two looks at a buffer that is not ready, so the pace of FC.WAIT (`TIM-08`).
    /// Keep N_Br + N_Ar below 0.9 N_Bs of the peer.
    pub n_br: Duration,
    /// Sender: waiting for bytes that the payload does not have yet (`TIM-08`).
    pub n_cs: Duration,
    /// Receiver: waiting for a consecutive frame.
    pub n_cr: Duration,
}

impl Timing {
    const fn new() -> Self {
        let second = Duration::from_secs(1);
        Self {
            n_as: second,
            n_ar: second,
            n_bs: second,
            n_br: Duration::from_millis(100),
            n_cs: second,
            n_cr: second,
        }
    }
}

impl Timing {
    const fn check(&self) -> Result<(), ConfigError> {
        let mut rest: &[Timer] = &[
            Timer::NAs,
            Timer::NAr,
            Timer::NBs,
            Timer::NBr,
            Timer::NCs,
            Timer::NCr,
        ];
        while let [timer, tail @ ..] = rest {
            let (value, field) = self.of(*timer);
            if value.is_zero() || value.as_secs() > MAX_TIMER_SECS {
                let value = *value;
                return Err(ConfigError::Timer { field, value });
            }
            rest = tail;
        }
        Ok(())
    }

    /// How long a timer runs, in microseconds. At most an hour (see `check`), so 32 bits hold it.
    pub(crate) const fn micros(&self, timer: Timer) -> u32 {
        let (duration, _) = self.of(timer);
        (duration.as_secs() as u32)
            .wrapping_mul(1_000_000)
            .wrapping_add(duration.subsec_nanos().div_ceil(1000))
    }

    /// STmin is not among them: the peer sets it.
    const fn of(&self, timer: Timer) -> (&Duration, &'static str) {
        match timer {
            Timer::NAs | Timer::StMin => (&self.n_as, "n_as"),
            Timer::NAr => (&self.n_ar, "n_ar"),
            Timer::NBs => (&self.n_bs, "n_bs"),
            Timer::NBr => (&self.n_br, "n_br"),
            Timer::NCs => (&self.n_cs, "n_cs"),
            Timer::NCr => (&self.n_cr, "n_cr"),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether both directions may carry a segmented message at once (`UNX-04`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Duplex {
    /// They may.
    #[default]
    Full,
    /// While one direction is busy, the other is refused (sending) or ignored (receiving).
    Half,
}

/// When a committed frame counts as on the bus (`TIM-03`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Confirmation {
    /// At commit: for hardware that does not tell.
    #[default]
    OnCommit,
    /// When `handle_transmitted` brings its token.
    Reported,
}

/// Which flow controls set the sender's block size and STmin (`FC-04`, `D-17`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FlowControlUse {
    /// Each as it arrives ("dynamic").
    #[default]
    Every,
    /// The first of a message ("static").
    FirstOnly,
}

/// Which CAN_DL a received single frame or last consecutive frame of up to 8 bytes may have (`PCI-08`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum RxPadding {
    /// Any that holds the content; the surplus is padding.
    #[default]
    Any,
    /// Exactly 8.
    Padded,
    /// Exactly what the content needs.
    Exact,
}

const MAX_TIMER_SECS: u64 = 3599;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tx_dl_must_be_a_length_of_its_frame_kind() {
        for dl in 0..=255u8 {
            let fd_ok = [8, 12, 16, 20, 24, 32, 48, 64].contains(&dl);
            assert_eq!(Config::fd(dl, false).check().is_ok(), fd_ok, "FD {dl}");
            let mut cc = Config::new();
            cc.transmit.tx_dl = dl;
            assert_eq!(cc.check().is_ok(), dl == 8, "CC {dl}");
        }
    }

    #[test]
    fn a_timer_of_zero_or_above_an_hour_is_refused_by_name() {
        let mut config = Config::new();
        config.timing.n_br = Duration::ZERO;
        assert!(matches!(
            config.check(),
            Err(ConfigError::Timer { field: "n_br", .. })
        ));
        config = Config::new();
        config.timing.n_cr = Duration::new(3599, 999_999_999);
        assert_eq!(config.check(), Ok(()));
        config.timing.n_cr = Duration::from_secs(3600);
        assert!(matches!(
            config.check(),
            Err(ConfigError::Timer { field: "n_cr", .. })
        ));
    }

    #[test]
    fn presets_are_valid() {
        for config in [
            Config::new(),
            Config::uds(),
            Config::obd(),
            Config::linux_kernel(),
            Config::listening(),
        ] {
            assert_eq!(config.check(), Ok(()));
        }
    }
}
