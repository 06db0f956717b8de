//! Every option of the kernel's ISO-TP sockets.

use core::time::Duration;

use isotp_driver::{FrameKind, Id, StMin};

/// How a kernel ISO-TP socket shall be: collected and checked first, set when it is
/// [opened](Self::open).
///
/// ```
/// use isotp_socketcan::{Id, Kernel, KernelOptions, StMin};
/// use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let options = KernelOptions::new(Id::standard(0x7E0)?, Id::standard(0x7E8)?)
///     .pad_sent(0xCC)
///     .flow_control(8, StMin::at_least(Duration::from_micros(300))?)
///     .frame_time(Duration::ZERO);
/// assert!(options.check(Kernel::version(6, 1)).is_ok());
///
/// let newer = options.every_flow_control();
/// let refused = newer.check(Kernel::version(6, 1)).unwrap_err();
/// assert!(refused.to_string().contains("6.9"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct KernelOptions {
    pub(super) tx_id: Id,
    pub(super) rx_id: Id,
    pub(super) addresses: Option<[u8; 2]>,
    pub(super) padding: Padding,
    pub(super) times: Times,
    pub(super) flow_control: FlowControl,
    pub(super) kind: FrameKind,
    pub(super) tx_dl: u8,
    pub(super) error_state: bool,
    /// The flags that stand for nothing but themselves.
    pub(super) flags: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Padding {
    pub(super) sent: Option<u8>,
    pub(super) expected: Option<u8>,
    pub(super) check_length: bool,
    pub(super) check_content: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) frame: Option<Duration>,
    pub(super) tx_st_min: Option<Duration>,
    pub(super) rx_st_min: Option<Duration>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FlowControl {
    pub(super) block_size: u8,
    pub(super) st_min: StMin,
    pub(super) max_wait: u8,
}

impl KernelOptions {
    /// The kernel's defaults, on this pair of ids.
    pub const fn new(tx_id: Id, rx_id: Id) -> Self {
        Self {
            tx_id,
            rx_id,
            addresses: None,
            padding: Padding {
                sent: None,
                expected: None,
                check_length: false,
                check_content: false,
            },
            times: Times {
                frame: None,
                tx_st_min: None,
                rx_st_min: None,
            },
            flow_control: FlowControl {
                block_size: 0,
                st_min: StMin::ZERO,
                max_wait: 0,
            },
            kind: FrameKind::Classic,
            tx_dl: 8,
            error_state: false,
            flags: 0,
        }
    }

    /// Extended or mixed addressing: the first data byte of sent and of received frames
    /// (`EXTEND_ADDR`, `RX_EXT_ADDR`).
    pub const fn address_bytes(mut self, sent: u8, received: u8) -> Self {
        self.addresses = Some([sent, received]);
        self
    }

    /// Pads sent frames with this byte (`TX_PADDING`).
    pub const fn pad_sent(mut self, byte: u8) -> Self {
        self.padding.sent = Some(byte);
        self
    }

    /// Received frames are padded with this byte (`RX_PADDING`). It matters to the two checks.
    pub const fn expect_padding(mut self, byte: u8) -> Self {
        self.padding.expected = Some(byte);
        self
    }

    /// Checks the length of received frames, flow control included (`CHK_PAD_LEN`): padded where
    /// padding is [expected](Self::expect_padding), else no longer than they must be. A wrong one fails
    /// the transfer.
    pub const fn check_padding_length(mut self) -> Self {
        self.padding.check_length = true;
        self
    }

    /// Checks the bytes of the [expected](Self::expect_padding) padding (`CHK_PAD_DATA`).
    pub const fn check_padding_content(mut self) -> Self {
        self.padding.check_content = true;
        self
    }

    /// The time that a frame takes on the bus, by which the kernel lengthens STmin
    /// (`frame_txtime`). The kernel's default is 50 us since version 5.18, and none before.
    pub const fn frame_time(mut self, time: Duration) -> Self {
        self.times.frame = Some(time);
        self
    }

    /// Keeps this separation of sent frames, whatever the peer asks for (`FORCE_TXSTMIN`).
    pub const fn force_tx_st_min(mut self, separation: Duration) -> Self {
        self.times.tx_st_min = Some(separation);
        self
    }

    /// Drops consecutive frames that come closer than this (`FORCE_RXSTMIN`).
    pub const fn force_rx_st_min(mut self, separation: Duration) -> Self {
        self.times.rx_st_min = Some(separation);
        self
    }

    /// What the flow control offers to the peer (`RECV_FC`).
    pub const fn flow_control(mut self, block_size: u8, st_min: StMin) -> Self {
        self.flow_control.block_size = block_size;
        self.flow_control.st_min = st_min;
        self
    }

    /// The `wftmax` of `RECV_FC`. No kernel uses it: none sends FC.WAIT.
    pub const fn max_wait(mut self, max_wait: u8) -> Self {
        self.flow_control.max_wait = max_wait;
        self
    }

    /// CC or FD, and TX_DL, the longest frame that is sent (`LL_OPTS`).
    pub const fn link_layer(mut self, kind: FrameKind, tx_dl: u8) -> Self {
        self.kind = kind;
        self.tx_dl = tx_dl;
        self
    }

    /// Sent FD frames carry the error state indicator (`CANFD_ESI`).
    pub const fn error_state_indicator(mut self) -> Self {
        self.error_state = true;
        self
    }

    /// Sends no flow control (`LISTEN_MODE`). The kernel then has no N_Cr before the first consecutive
    /// frame.
    pub const fn listen_only(self) -> Self {
        self.raw_flags(LISTEN_MODE)
    }

    /// Ignores frames of one direction while the other is busy (`HALF_DUPLEX`).
    pub const fn half_duplex(self) -> Self {
        self.raw_flags(HALF_DUPLEX)
    }

    /// A write blocks until the message is sent, even without `O_NONBLOCK` being unset
    /// (`WAIT_TX_DONE`). [`KernelSocket::send`](super::KernelSocket::send) does not need it, and a
    /// channel refuses it.
    pub const fn wait_until_sent(self) -> Self {
        self.raw_flags(WAIT_TX_DONE)
    }

    /// Sends single frames only, and receives nothing: functional addressing (`SF_BROADCAST`).
    pub const fn broadcast_single_frames(self) -> Self {
        self.raw_flags(SF_BROADCAST)
    }

    /// Sends segmented messages without waiting for flow control, and receives nothing
    /// (`CF_BROADCAST`); no part of ISO 15765-2.
    pub const fn broadcast_consecutive_frames(self) -> Self {
        self.raw_flags(CF_BROADCAST)
    }

    /// Takes block size and STmin from every flow control, not only from the first of a message
    /// (`DYN_FC_PARMS`).
    pub const fn every_flow_control(self) -> Self {
        self.raw_flags(DYN_FC_PARMS)
    }

    /// Adds flags of `CAN_ISOTP_OPTS` as they are, for kernels newer than this crate. The kernel takes
    /// those that it does not know without a word.
    pub const fn raw_flags(mut self, flags: u32) -> Self {
        self.flags |= flags;
        self
    }

    pub(super) const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Whether nothing is received.
    pub(super) const fn is_broadcast(&self) -> bool {
        self.has(SF_BROADCAST | CF_BROADCAST)
    }
}

pub(super) const LISTEN_MODE: u32 = 0x1;
pub(super) const EXTEND_ADDR: u32 = 0x2;
pub(super) const TX_PADDING: u32 = 0x4;
pub(super) const RX_PADDING: u32 = 0x8;
pub(super) const CHK_PAD_LEN: u32 = 0x10;
pub(super) const CHK_PAD_DATA: u32 = 0x20;
pub(super) const HALF_DUPLEX: u32 = 0x40;
pub(super) const FORCE_TXSTMIN: u32 = 0x80;
pub(super) const FORCE_RXSTMIN: u32 = 0x100;
pub(super) const RX_EXT_ADDR: u32 = 0x200;
pub(super) const WAIT_TX_DONE: u32 = 0x400;
pub(super) const SF_BROADCAST: u32 = 0x800;
pub(super) const CF_BROADCAST: u32 = 0x1000;
pub(super) const DYN_FC_PARMS: u32 = 0x2000;
