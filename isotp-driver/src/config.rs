//! The configuration of a connection: that of the protocol, and that of its queues.

use isotp_core::Confirmation;

use crate::error::ConnectError;

/// Everything about a connection that is not its address.
///
/// The default differs from that of the core, which is the conformance profile: a full queue is
/// answered with up to 16 FC.WAIT in a row, and a peer may send 32 of them before its transfer is given
/// up.
///
/// ```
/// use isotp_driver::{Config, StMin};
/// let mut config = Config::uds();
/// config.protocol.receive.st_min = StMin::at_least(core::time::Duration::from_micros(300))?;
/// config.queue = 4;
/// # Ok::<(), isotp_driver::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How messages become frames. Its `confirmation` is set by the network, which knows its bus, and so
    /// is `transmit.in_flight` if it is 1: a bus may propose more. `diagnostics` is always on, for the
    /// [`Statistics`](crate::Statistics).
    pub protocol: isotp_core::Config,
    /// How many received messages wait for [`recv`](crate::Connection::recv) at most: 1 or more. While
    /// they do, a peer that begins another segmented message is told to wait. As many other events, but
    /// at least 8, wait for [`next_event`](crate::Connection::next_event).
    pub queue: usize,
    /// How many messages [`try_send`](crate::Connection::try_send) lets wait at most: 1 or more.
    pub send_queue: usize,
    /// The longest message that is received, in bytes. A longer one is refused with FC.OVFLW: its sender
    /// gets [`NResult::BufferOverflow`](crate::NResult), nothing is received, and
    /// [`Statistics`](crate::Statistics) counts an ignored frame.
    pub max_message: u32,
}

impl Config {
    /// The defaults: CAN CC, no padding, BS 0, STmin 0, messages of up to 16 MiB, 16 of them in the
    /// queue.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(isotp_core::Config::new())
    }

    /// What a diagnostic tester usually wants: CAN CC, frames padded to 8 with 0xCC.
    #[must_use]
    pub const fn uds() -> Self {
        Self::of(isotp_core::Config::uds())
    }

    /// OBD after ISO 15765-4. No WAIT is sent: where the queue is full, the peer's message fails.
    #[must_use]
    pub const fn obd() -> Self {
        let mut config = Self::of(isotp_core::Config::obd());
        config.protocol.receive.max_wait = 0;
        config
    }

    /// What a Linux `CAN_ISOTP` socket of any version does: no WAIT is sent, any number of them is taken,
    /// and messages have up to 8200 bytes. Many kernels take more; set
    /// [`max_message`](Self::max_message) for that.
    #[must_use]
    pub const fn linux_kernel() -> Self {
        let mut config = Self::of(isotp_core::Config::linux_kernel());
        config.protocol.receive.max_wait = 0;
        config.protocol.transmit.max_wait = None;
        config.max_message = 8200;
        config
    }

    /// The defaults on CAN FD with frames of up to `tx_dl` bytes.
    #[must_use]
    pub const fn fd(tx_dl: u8, brs: bool) -> Self {
        Self::of(isotp_core::Config::fd(tx_dl, brs))
    }

    const fn of(mut protocol: isotp_core::Config) -> Self {
        protocol.receive.max_wait = 16;
        protocol.transmit.max_wait = Some(32);
        Self {
            protocol,
            queue: 16,
            send_queue: 16,
            max_message: 16 << 20,
        }
    }

    /// Checks every field; [`connect`](crate::Network::connect) does this.
    ///
    /// # Errors
    /// [`ConnectError::Config`] or [`ConnectError::Queue`], for the first field that makes no sense.
    pub fn check(&self) -> Result<(), ConnectError> {
        self.protocol.check()?;
        let sizes = [
            ("queue", self.queue),
            ("send_queue", self.send_queue),
            ("max_message", self.max_message as usize),
        ];
        match sizes.into_iter().find(|(_, value)| *value == 0) {
            Some((field, _)) => Err(ConnectError::Queue { field }),
            None => Ok(()),
        }
    }

    /// The protocol part for a bus that confirms frames, or does not, and proposes how many are in
    /// flight.
    pub(crate) fn protocol_for(&self, confirms: bool, in_flight: u8) -> isotp_core::Config {
        let mut protocol = self.protocol.clone();
        if protocol.transmit.in_flight == 1 {
            protocol.transmit.in_flight = in_flight.max(1);
        }
        // for the statistics; it makes no difference to the messages
        protocol.diagnostics = true;
        protocol.confirmation = if confirms {
            Confirmation::Reported
        } else {
            Confirmation::OnCommit
        };
        protocol
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl From<isotp_core::Config> for Config {
    /// This very protocol configuration, without the WAIT limits of the driver's defaults.
    fn from(protocol: isotp_core::Config) -> Self {
        Self {
            protocol,
            ..Self::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_proposes_frames_in_flight_and_the_configuration_decides() {
        let mut config = Config::new();
        let in_flight = |config: &Config, bus| config.protocol_for(true, bus).transmit.in_flight;
        assert_eq!(in_flight(&config, 1), 1);
        assert_eq!(in_flight(&config, 32), 32);
        // a bus that makes no sense changes nothing
        assert_eq!(in_flight(&config, 0), 1);
        config.protocol.transmit.in_flight = 4;
        assert_eq!(in_flight(&config, 32), 4);
    }
}
