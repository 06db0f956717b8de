//! The options as the kernel reads them, and which of them it can honour.

use core::fmt;
use core::time::Duration;

use super::options::*;
use super::version::Kernel;

/// An option that the running kernel, or this combination, cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Which method of [`KernelOptions`].
    pub option: &'static str,
    /// Why, and what would do.
    pub reason: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option, self.reason)
    }
}

impl core::error::Error for Unsupported {}

impl KernelOptions {
    /// Checks every option, and all together, for this kernel.
    ///
    /// # Errors
    /// The first one that cannot be had.
    pub fn check(&self, kernel: Kernel) -> Result<(), Unsupported> {
        self.check_versions(kernel)?;
        self.check_combinations()?;
        for (option, time) in [
            ("frame_time", self.times.frame),
            ("force_tx_st_min", self.times.tx_st_min),
            ("force_rx_st_min", self.times.rx_st_min),
        ] {
            if time.is_some_and(|time| time > LONGEST) {
                return Err(refuse(option, "expected at most 4.2 s"));
            }
        }
        Ok(())
    }

    fn check_versions(&self, kernel: Kernel) -> Result<(), Unsupported> {
        for (flag, option, major, minor) in [
            (SF_BROADCAST, "broadcast_single_frames", 5, 11),
            (CF_BROADCAST, "broadcast_consecutive_frames", 5, 19),
            (DYN_FC_PARMS, "every_flow_control", 6, 9),
        ] {
            if self.has(flag) && !kernel.is_at_least(major, minor) {
                let reason = format!("expected Linux {major}.{minor} or later, this is {kernel}");
                return Err(Unsupported { option, reason });
            }
        }
        Ok(())
    }

    fn check_combinations(&self) -> Result<(), Unsupported> {
        let fd = self.kind.is_fd();
        let both = SF_BROADCAST | CF_BROADCAST;
        let lengths: &[u8] = if fd {
            &[8, 12, 16, 20, 24, 32, 48, 64]
        } else {
            &[8]
        };
        if !lengths.contains(&self.tx_dl) {
            let reason = format!("TX_DL is {}, expected one of {lengths:?}", self.tx_dl);
            return Err(Unsupported {
                option: "link_layer",
                reason,
            });
        }
        if self.error_state && !fd {
            return Err(refuse("error_state_indicator", "expected CAN FD frames"));
        }
        if self.flags & both == both {
            let reason = "expected without broadcast_consecutive_frames";
            return Err(refuse("broadcast_single_frames", reason));
        }
        if !self.is_broadcast() && self.tx_id == self.rx_id {
            return Err(refuse("new", "tx_id and rx_id are the same, expected two"));
        }
        if self.padding.check_content && self.padding.expected.is_none() {
            return Err(refuse("check_padding_content", "expected expect_padding"));
        }
        Ok(())
    }

    pub(super) fn encode_flags(&self) -> u32 {
        let [sent, received] = self.addresses.unwrap_or_default();
        [
            (self.addresses.is_some(), EXTEND_ADDR),
            (sent != received, RX_EXT_ADDR),
            (self.padding.sent.is_some(), TX_PADDING),
            (self.padding.expected.is_some(), RX_PADDING),
            (self.padding.check_length, CHK_PAD_LEN),
            (self.padding.check_content, CHK_PAD_DATA),
            (self.times.tx_st_min.is_some(), FORCE_TXSTMIN),
            (self.times.rx_st_min.is_some(), FORCE_RXSTMIN),
        ]
        .into_iter()
        .filter(|(set, _)| *set)
        .fold(self.flags, |flags, (_, flag)| flags | flag)
    }

    /// What `setsockopt` takes, by option number.
    pub(super) fn encode(&self, kernel: Kernel) -> Vec<(i32, Vec<u8>)> {
        let [sent, received] = self.addresses.unwrap_or_default();
        let mut options = self.encode_flags().to_ne_bytes().to_vec();
        options.extend(self.encode_frame_time(kernel).to_ne_bytes());
        options.extend([
            sent,
            self.padding.sent.unwrap_or(DEFAULT_PAD),
            self.padding.expected.unwrap_or(DEFAULT_PAD),
            received,
        ]);
        let flow = &self.flow_control;
        let (mtu, flags) = match self.kind {
            isotp_driver::FrameKind::Classic => (CAN_MTU, 0),
            isotp_driver::FrameKind::Fd { brs } => {
                (CANFD_MTU, u8::from(brs) | u8::from(self.error_state) << 1)
            }
        };
        let mut all = vec![
            (CAN_ISOTP_OPTS, options),
            (
                CAN_ISOTP_RECV_FC,
                vec![flow.block_size, flow.st_min.code(), flow.max_wait],
            ),
            (CAN_ISOTP_LL_OPTS, vec![mtu, self.tx_dl, flags]),
        ];
        for (option, time) in [
            (CAN_ISOTP_TX_STMIN, self.times.tx_st_min),
            (CAN_ISOTP_RX_STMIN, self.times.rx_st_min),
        ] {
            let nanos = time.map(|time| nanos(time).to_ne_bytes().to_vec());
            all.extend(nanos.map(|nanos| (option, nanos)));
        }
        all
    }

    /// 0 keeps the default, so that really none has a code of its own, where the default is not none.
    fn encode_frame_time(&self, kernel: Kernel) -> u32 {
        match self.times.frame {
            None => 0,
            Some(Duration::ZERO) if kernel.is_at_least(5, 18) => REALLY_ZERO,
            Some(time) => nanos(time),
        }
    }
}

fn nanos(time: Duration) -> u32 {
    u32::try_from(time.as_nanos()).unwrap_or(u32::MAX - 1)
}

fn refuse(option: &'static str, reason: &str) -> Unsupported {
    Unsupported {
        option,
        reason: reason.to_owned(),
    }
}

/// `SOL_CAN_ISOTP`.
pub(super) const LEVEL: i32 = 106;
const CAN_ISOTP_OPTS: i32 = 1;
const CAN_ISOTP_RECV_FC: i32 = 2;
const CAN_ISOTP_TX_STMIN: i32 = 3;
const CAN_ISOTP_RX_STMIN: i32 = 4;
const CAN_ISOTP_LL_OPTS: i32 = 5;
/// `CAN_ISOTP_FRAME_TXTIME_ZERO`.
const REALLY_ZERO: u32 = u32::MAX;
const LONGEST: Duration = Duration::from_millis(4200);
const DEFAULT_PAD: u8 = 0xCC;
pub(super) const CAN_MTU: u8 = 16;
pub(super) const CANFD_MTU: u8 = 72;

#[cfg(test)]
mod tests;
