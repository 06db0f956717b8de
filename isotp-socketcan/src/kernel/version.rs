//! What the running kernel can do.

use core::fmt;

/// The kernel's ISO-TP, as far as its version and its module tell.
///
/// An option that a kernel does not know it takes without a word, so the version is all there is to go
/// by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    major: u16,
    minor: u16,
    max_message: u32,
}

impl Kernel {
    /// The kernel that runs. The longest message is read from its module, so ask after a socket was
    /// opened, which loads the module.
    #[must_use]
    pub fn running() -> Self {
        let release = std::fs::read_to_string(RELEASE).unwrap_or_default();
        let (major, minor) = parse(&release).unwrap_or(OLDEST);
        let kernel = Self::version(major, minor);
        let told = std::fs::read_to_string(MAX_PDU_SIZE).ok();
        match told.and_then(|text| text.trim().parse().ok()) {
            Some(max_message) => Self {
                max_message,
                ..kernel
            },
            None => kernel,
        }
    }

    /// A kernel of this version, with its default for the longest message.
    #[must_use]
    pub const fn version(major: u16, minor: u16) -> Self {
        let mut kernel = Self {
            major,
            minor,
            max_message: 8200,
        };
        if kernel.is_at_least(6, 4) {
            kernel.max_message = 8300;
        } else if kernel.is_at_least(5, 18) {
            kernel.max_message = 66_000;
        }
        kernel
    }

    /// The longest message that it sends or receives: 8200 bytes before version 5.18, then 66 000, and
    /// since 6.4 what the parameter `max_pdu_size` of the module `can-isotp` says (8300 by default).
    #[must_use]
    pub const fn max_message(self) -> u32 {
        self.max_message
    }

    /// Whether it is this version or a later one.
    #[must_use]
    pub const fn is_at_least(self, major: u16, minor: u16) -> bool {
        self.major > major || self.major == major && self.minor >= minor
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Linux {}.{}", self.major, self.minor)
    }
}

/// `6.1.0-49-amd64` and the like.
fn parse(release: &str) -> Option<(u16, u16)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next()?.parse().ok()?))
}

/// The first one with ISO-TP.
const OLDEST: (u16, u16) = (5, 10);
const RELEASE: &str = "/proc/sys/kernel/osrelease";
const MAX_PDU_SIZE: &str = "/sys/module/can_isotp/parameters/max_pdu_size";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_distributions_are_understood() {
        for (release, version) in [
            ("6.1.0-49-amd64", Some((6, 1))),
            ("5.10.13", Some((5, 10))),
            ("6.12-rc3", Some((6, 12))),
            ("7.0.0+", Some((7, 0))),
            ("6", None),
            ("linux", None),
        ] {
            assert_eq!(parse(release), version, "{release}");
        }
    }

    #[test]
    fn the_longest_message_depends_on_the_version() {
        for (major, minor, max) in [
            (5, 10, 8200),
            (5, 17, 8200),
            (5, 18, 66_000),
            (6, 3, 66_000),
            (6, 4, 8300),
            (7, 0, 8300),
        ] {
            let kernel = Kernel::version(major, minor);
            assert_eq!(kernel.max_message(), max, "{kernel}");
        }
    }
}
