//! Whether the controller takes part in the traffic.

use core::time::Duration;

use isotp_driver::{BusError, Instant};

use crate::raw::trouble::ErrorFrame;

/// What the controller told about itself.
///
/// While it is off the bus nothing is sent. If it was set up with `restart-ms`, the driver brings it
/// back; if nobody does within [`PATIENCE`], the bus has failed.
#[derive(Debug)]
pub(super) struct Health {
    off: Option<Instant>,
    logged: Option<(ErrorFrame, Instant)>,
}

impl Health {
    pub(super) const fn new() -> Self {
        Self {
            off: None,
            logged: None,
        }
    }

    /// The controller told something. Whether it has just left the bus.
    pub(super) fn note(&mut self, now: Instant, interface: &str, error: ErrorFrame) -> bool {
        let known = self
            .logged
            .is_some_and(|(logged, at)| logged == error && now - at < LOG_PACE);
        if !known {
            self.logged = Some((error, now));
            log::warn!("{interface}: {error}");
        }
        if error.is_restart() {
            self.off = None;
        } else if error.is_bus_off() && self.off.is_none() {
            self.off = Some(now);
            return true;
        }
        false
    }

    /// A frame was on the bus.
    pub(super) const fn alive(&mut self) {
        self.off = None;
    }

    pub(super) const fn is_off(&self) -> bool {
        self.off.is_some()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.off.map(|since| since + PATIENCE)
    }

    /// Fails when the controller has been off for too long.
    pub(super) fn check(&self, now: Instant, interface: &str) -> Result<(), BusError> {
        if self.poll_timeout().is_some_and(|until| now >= until) {
            return Err(BusError::new(format!(
                "the controller of {interface} is bus-off, after too many errors, and was not \
                 restarted; check wiring, termination and bitrate, then `ip link set {interface} down` \
                 and `ip link set {interface} up type can restart-ms 100`, which restarts it by itself \
                 next time"
            )));
        }
        Ok(())
    }
}

/// How long a restart may take. Every connection is to know within a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// The same trouble is logged once in this time.
const LOG_PACE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn told(classes: u32) -> ErrorFrame {
        ErrorFrame::new(libc::CAN_ERR_FLAG | classes, &[0; 8])
    }

    #[test]
    fn bus_off_is_fatal_unless_somebody_restarts_the_controller() {
        let ms = Instant::from_millis;
        let mut health = Health::new();
        assert!(!health.note(ms(0), "can0", told(libc::CAN_ERR_TX_TIMEOUT)));
        assert!(!health.is_off() && health.poll_timeout().is_none());
        assert!(health.note(ms(10), "can0", told(libc::CAN_ERR_BUSOFF)));
        // said twice, it still counts from the first
        assert!(!health.note(ms(500), "can0", told(libc::CAN_ERR_BUSOFF)));
        assert_eq!(health.poll_timeout(), Some(ms(910)));
        assert!(health.check(ms(909), "can0").is_ok());
        let error = health.check(ms(910), "can0").unwrap_err().to_string();
        assert!(error.contains("can0 is bus-off") && error.contains("restart-ms 100"));
        crate::page::assert_quotes("when the controller is", [error]);

        assert!(!health.note(ms(905), "can0", told(libc::CAN_ERR_RESTARTED)));
        assert!(!health.is_off() && health.check(ms(2000), "can0").is_ok());
        assert!(health.note(ms(3000), "can0", told(libc::CAN_ERR_BUSOFF)));
        health.alive();
        assert!(health.check(ms(9000), "can0").is_ok());
    }
}
