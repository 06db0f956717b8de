//! Error frames: what the controller tells about itself and the bus.

use core::fmt;

/// An error frame of the controller.
///
/// Bus-off is fatal unless the controller is restarted within a second. Everything else is only told.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorFrame {
    /// The `CAN_ERR_` classes of the id.
    classes: u32,
    /// `CAN_ERR_CRTL_` of data byte 1.
    controller: u8,
}

impl ErrorFrame {
    pub(super) fn new(can_id: u32, data: &[u8]) -> Self {
        Self {
            classes: can_id & libc::CAN_ERR_MASK,
            controller: data.get(1).copied().unwrap_or(0),
        }
    }

    /// The `CAN_ERR_` bits of the kernel's `linux/can/error.h`.
    #[must_use]
    pub const fn classes(self) -> u32 {
        self.classes
    }

    /// The controller has left the bus.
    #[must_use]
    pub const fn is_bus_off(self) -> bool {
        self.classes & libc::CAN_ERR_BUSOFF != 0
    }

    /// The controller is on the bus again.
    #[must_use]
    pub const fn is_restart(self) -> bool {
        let active = libc::CAN_ERR_CRTL_ACTIVE as u8;
        self.classes & libc::CAN_ERR_RESTARTED != 0
            || (self.classes & libc::CAN_ERR_CRTL != 0 && self.controller & active != 0)
    }

    /// What the controller told, in words.
    fn words(self) -> impl Iterator<Item = &'static str> {
        let class = |bit: u32, text| (self.classes & bit != 0).then_some(text);
        let state = |bits: i32, text| {
            let told = self.classes & libc::CAN_ERR_CRTL != 0;
            (told && i32::from(self.controller) & bits != 0).then_some(text)
        };
        [
            class(libc::CAN_ERR_BUSOFF, "bus-off"),
            class(libc::CAN_ERR_RESTARTED, "restarted after bus-off"),
            class(libc::CAN_ERR_TX_TIMEOUT, "the driver gave up a frame"),
            class(libc::CAN_ERR_ACK, "no node acknowledged a frame"),
            class(libc::CAN_ERR_TRX, "trouble in the transceiver, look at the wiring"),
            class(libc::CAN_ERR_PROT, "protocol violation on the bus"),
            class(libc::CAN_ERR_BUSERROR, "bus error"),
            state(OVERFLOW, "the controller lost frames, the computer is too slow"),
            state(WARNING, "many errors, warning level"),
            state(
                PASSIVE,
                "error-passive: is another node there, with the same bitrate, and the bus terminated?",
            ),
            state(libc::CAN_ERR_CRTL_ACTIVE, "error-active again"),
        ]
        .into_iter()
        .flatten()
    }
}

impl fmt::Display for ErrorFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, words) in self.words().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{words}")?;
        }
        if self.words().next().is_none() {
            write!(f, "error classes {:#X}", self.classes)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorFrame({self})")
    }
}

/// What is subscribed to: what changes rarely, and means something to a user. Single bus errors, lost
/// arbitrations and missing acknowledgements may come by the thousand.
pub(super) const SUBSCRIBED: u32 = libc::CAN_ERR_BUSOFF
    | libc::CAN_ERR_RESTARTED
    | libc::CAN_ERR_TX_TIMEOUT
    | libc::CAN_ERR_TRX
    | libc::CAN_ERR_CRTL;

const OVERFLOW: i32 = libc::CAN_ERR_CRTL_RX_OVERFLOW | libc::CAN_ERR_CRTL_TX_OVERFLOW;
const WARNING: i32 = libc::CAN_ERR_CRTL_RX_WARNING | libc::CAN_ERR_CRTL_TX_WARNING;
const PASSIVE: i32 = libc::CAN_ERR_CRTL_RX_PASSIVE | libc::CAN_ERR_CRTL_TX_PASSIVE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_what_the_bits_mean() {
        let frame = |classes: u32, controller: i32| {
            ErrorFrame::new(
                libc::CAN_ERR_FLAG | classes,
                &[0, controller as u8, 0, 0, 0, 0, 0, 0],
            )
        };
        let off = frame(libc::CAN_ERR_BUSOFF, 0);
        assert!(off.is_bus_off() && !off.is_restart());
        assert_eq!(off.to_string(), "bus-off");
        let passive = frame(libc::CAN_ERR_CRTL, libc::CAN_ERR_CRTL_TX_PASSIVE);
        assert!(passive.to_string().contains("same bitrate") && !passive.is_restart());
        let active = frame(libc::CAN_ERR_CRTL, libc::CAN_ERR_CRTL_ACTIVE);
        assert!(active.is_restart());
        // the second byte counts only with its class
        let other = frame(libc::CAN_ERR_TX_TIMEOUT, libc::CAN_ERR_CRTL_ACTIVE);
        assert!(!other.is_restart() && other.to_string() == "the driver gave up a frame");
        assert_eq!(frame(0x400, 0).to_string(), "error classes 0x400");
        assert_eq!(
            ErrorFrame::new(libc::CAN_ERR_CRTL, &[]).to_string(),
            "error classes 0x4"
        );
    }

    #[test]
    fn the_page_for_the_bench_has_all_that_is_subscribed_to() {
        let controller = WARNING | PASSIVE | libc::CAN_ERR_CRTL_ACTIVE | OVERFLOW;
        let frame = ErrorFrame::new(SUBSCRIBED, &[0, controller as u8]);
        crate::page::assert_quotes("in the log", frame.words());
    }
}
