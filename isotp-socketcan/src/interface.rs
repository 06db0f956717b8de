//! Network interfaces: their index and frame size, and what to do where something is missing.

use core::fmt;
use std::io;

use isotp_driver::{BusError, OpenError};

use crate::sys::{self, Attribute};

/// A CAN interface, as it was when it was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interface {
    name: String,
    index: u32,
    mtu: u32,
    up: bool,
}

impl Interface {
    /// Looks up the interface of this name.
    ///
    /// # Errors
    /// [`Refusal`] if there is none, which lists those that there are, or if it is not a CAN interface.
    pub fn find(name: &str) -> Result<Self, Refusal> {
        let ask = |attribute| {
            sys::device_attribute(name, attribute)
                .map_err(|error| Refusal::new(Step::Find(name), error))
        };
        let kind = ask(Attribute::Kind)?;
        if kind != i32::from(libc::ARPHRD_CAN) {
            let text = format!("{name} is not a CAN interface; {}", known());
            return Err(Refusal::with_text(text, io::ErrorKind::InvalidInput.into()));
        }
        Ok(Self {
            name: name.to_owned(),
            index: ask(Attribute::Index)?.unsigned_abs(),
            mtu: ask(Attribute::Mtu)?.unsigned_abs(),
            up: ask(Attribute::Flags)? & libc::IFF_UP != 0,
        })
    }

    /// One that need not exist.
    #[cfg(test)]
    pub(crate) fn invented(name: &str, mtu: u32) -> Self {
        Self {
            name: name.to_owned(),
            index: u32::MAX,
            mtu,
            up: true,
        }
    }

    /// The names of the CAN interfaces that there are.
    #[must_use]
    pub fn names() -> Vec<String> {
        let is_can = |name: &String| {
            let kind = sys::device_attribute(name, Attribute::Kind);
            kind.is_ok_and(|kind| kind == i32::from(libc::ARPHRD_CAN))
        };
        let names = sys::device_names().unwrap_or_default();
        names.into_iter().filter(is_can).collect()
    }

    /// Refuses an interface that is down.
    ///
    /// # Errors
    /// [`Refusal`] with the command that brings it up.
    pub fn expect_up(&self) -> Result<(), Refusal> {
        if self.up {
            return Ok(());
        }
        let error = io::Error::from_raw_os_error(libc::ENETDOWN);
        Err(Refusal::new(Step::Use(&self.name), error))
    }

    /// What an error of a socket on this interface is about. The kernel says of an interface that is
    /// removed first that it is down.
    pub(crate) fn gone(&self, error: &io::Error) -> Step<'_> {
        let down = error.raw_os_error() == Some(libc::ENETDOWN);
        let index = sys::device_attribute(&self.name, Attribute::Index);
        match index {
            Ok(index) if index.unsigned_abs() == self.index => Step::Use(&self.name),
            _ if down => Step::Removed(&self.name),
            _ => Step::Use(&self.name),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// The size of its longest frame as the kernel counts it: 16 for CAN CC, 72 for CAN FD, more for
    /// CAN XL.
    #[must_use]
    pub const fn mtu(&self) -> u32 {
        self.mtu
    }

    /// Whether it carries FD frames.
    #[must_use]
    pub const fn supports_fd(&self) -> bool {
        self.mtu >= libc::CANFD_MTU as u32
    }

    /// Whether it was up.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.up
    }
}

/// What was asked of the kernel when it said no.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// A socket of a protocol, which is in a module of this name: `can-raw`, `can-isotp`.
    Socket { module: &'static str },
    /// A look at an interface.
    Find(&'a str),
    /// Tying a socket to an interface.
    Bind(&'a str),
    /// Setting an option of a socket on an interface.
    Configure(&'a str),
    /// Sending or receiving on an interface.
    Use(&'a str),
    /// The same on one that is known to be no longer there.
    Removed(&'a str),
}

/// The kernel said no: what it was, and what helps.
#[derive(Debug)]
pub struct Refusal {
    text: String,
    error: io::Error,
}

impl Refusal {
    /// Reads what the kernel answered in one step.
    pub(crate) fn new(step: Step<'_>, error: io::Error) -> Self {
        let errno = error.raw_os_error().unwrap_or(0);
        let text = match (step, errno) {
            (_, libc::EPERM | libc::EACCES) => denied(step),
            (Step::Socket { .. }, libc::EAFNOSUPPORT) => no_family(),
            (Step::Socket { module }, libc::EPROTONOSUPPORT) => no_protocol(module),
            (Step::Socket { module }, _) => format!("opening a socket of {module}"),
            (Step::Find(name) | Step::Bind(name), libc::ENODEV | libc::ENXIO) => {
                format!("there is no interface {name:?}; {}", known())
            }
            (Step::Removed(name), _)
            | (Step::Use(name) | Step::Configure(name), libc::ENODEV | libc::ENXIO) => format!(
                "the interface {name} was removed; plug the adapter in or create it again, and open \
                 the network anew"
            ),
            (_, libc::ENETDOWN) => match step.interface() {
                Some(name) => format!("the interface {name} is down; {}", bring_up(name)),
                None => "the network is down".to_owned(),
            },
            (Step::Bind(name), libc::EINVAL) => format!(
                "{name} does not take the frames or ids that were asked for; for CAN FD it needs MTU \
                 72: `ip link set {name} mtu 72` while it is down"
            ),
            (Step::Find(name), _) => format!("looking for the interface {name}"),
            (Step::Bind(name), _) => format!("binding a socket to {name}"),
            (Step::Configure(name), _) => format!("configuring a socket on {name}"),
            (Step::Use(name), _) => format!("using the interface {name}"),
        };
        Self { text, error }
    }

    /// A refusal of our own.
    pub(crate) const fn with_text(text: String, error: io::Error) -> Self {
        Self { text, error }
    }

    /// What the kernel answered.
    #[must_use]
    pub const fn io_error(&self) -> &io::Error {
        &self.error
    }
}

impl Step<'_> {
    const fn interface(&self) -> Option<&str> {
        match self {
            Self::Socket { .. } => None,
            Self::Find(name)
            | Self::Bind(name)
            | Self::Configure(name)
            | Self::Use(name)
            | Self::Removed(name) => Some(name),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.error)
    }
}

impl core::error::Error for Refusal {}

impl From<Refusal> for OpenError {
    fn from(refusal: Refusal) -> Self {
        Self::Io {
            doing: refusal.text,
            error: refusal.error,
        }
    }
}

impl From<Refusal> for BusError {
    fn from(refusal: Refusal) -> Self {
        io::Error::from(refusal).into()
    }
}

impl From<Refusal> for io::Error {
    /// Of the same kind, with the whole text.
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.error.kind(), refusal)
    }
}

fn no_family() -> String {
    "this kernel has no CAN: `modprobe can` loads the address family AF_CAN; where there is no such \
     module, the kernel's package of extra modules has it (Debian and Ubuntu: linux-modules-extra), and \
     a container needs it in its host"
        .to_owned()
}

fn no_protocol(module: &str) -> String {
    format!(
        "this kernel has CAN, but not the protocol {module}: `modprobe {module}` loads it; where there \
         is no such module, the kernel was built without it"
    )
}

fn denied(step: Step<'_>) -> String {
    let what = match step {
        Step::Socket { .. } => "a CAN socket".to_owned(),
        _ => format!("the interface {}", step.interface().unwrap_or_default()),
    };
    format!(
        "{what} was denied; CAN sockets need no privileges by themselves, so look at the sandbox: \
         seccomp or AppArmor of the container, RestrictAddressFamilies= of the service (AF_CAN)"
    )
}

/// The interfaces that there are.
fn known() -> String {
    let names = Interface::names();
    if names.is_empty() {
        // the family is loaded when it is asked for
        let family = sys::can_socket(libc::SOCK_RAW, libc::CAN_RAW);
        if family.is_err_and(|error| error.raw_os_error() == Some(libc::EAFNOSUPPORT)) {
            return format!("there are no CAN interfaces, and {}", no_family());
        }
        return NO_INTERFACES.to_owned();
    }
    format!("CAN interfaces: {}", names.join(", "))
}

const NO_INTERFACES: &str = "there are no CAN interfaces; `modprobe vcan`, `ip link add vcan0 type \
    vcan` and `ip link set vcan0 up` make a virtual one";

fn bring_up(name: &str) -> String {
    if name.starts_with("vcan") || name.starts_with("vxcan") {
        return format!("`ip link set {name} up`");
    }
    format!("`ip link set {name} up type can bitrate 500000`, with the bitrate of your bus")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(step: Step<'_>, errno: i32) -> String {
        Refusal::new(step, io::Error::from_raw_os_error(errno)).to_string()
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_helps() {
        let raw = Step::Socket { module: "can-raw" };
        let isotp = Step::Socket {
            module: "can-isotp",
        };
        for (step, errno, expected) in [
            (raw, libc::EAFNOSUPPORT, "`modprobe can`"),
            (raw, libc::EPROTONOSUPPORT, "`modprobe can-raw`"),
            (isotp, libc::EPROTONOSUPPORT, "`modprobe can-isotp`"),
            (isotp, libc::EPERM, "a CAN socket was denied"),
            (
                Step::Bind("can7"),
                libc::EACCES,
                "the interface can7 was denied",
            ),
            (Step::Bind("can7"), libc::ENODEV, "no interface \"can7\""),
            (Step::Bind("can7"), libc::EINVAL, "mtu 72"),
            (
                Step::Use("can7"),
                libc::ENETDOWN,
                "`ip link set can7 up type can bitrate 500000`",
            ),
            (Step::Use("vcan0"), libc::ENETDOWN, "`ip link set vcan0 up`"),
            (Step::Use("can7"), libc::ENODEV, "can7 was removed"),
            (Step::Configure("can7"), libc::ENXIO, "can7 was removed"),
        ] {
            let text = text(step, errno);
            assert!(text.contains(expected), "{step:?} {errno}: {text}");
            // what the kernel itself said is in it too
            assert!(text.contains("os error"), "{text}");
        }
    }

    #[test]
    fn the_page_for_the_bench_quotes_the_texts() {
        let known = known();
        let with = |text: String, names: &str| text.replace(&known, names);
        let missing = text(Step::Find("can7"), libc::ENODEV);
        let raw = Step::Socket { module: "can-raw" };
        let isotp = Step::Socket {
            module: "can-isotp",
        };
        let texts = [
            text(raw, libc::EAFNOSUPPORT),
            text(isotp, libc::EPROTONOSUPPORT),
            text(isotp, libc::EPERM),
            with(missing, "CAN interfaces: can0, vcan0"),
            with(text(Step::Find("can0"), libc::ENODEV), NO_INTERFACES),
            text(Step::Use("can0"), libc::ENETDOWN),
            text(Step::Use("vcan0"), libc::ENETDOWN),
            text(Step::Removed("can0"), libc::ENODEV),
            text(Step::Bind("can0"), libc::EINVAL),
        ];
        crate::page::assert_quotes("when", texts);
    }

    #[test]
    fn an_unknown_interface_and_one_that_is_not_can_are_told_apart() {
        let unknown = Interface::find("no-such-can0").unwrap_err().to_string();
        assert!(
            unknown.contains("no interface \"no-such-can0\""),
            "{unknown}"
        );
        assert!(unknown.contains("CAN interfaces"), "{unknown}");
        let loopback = Interface::find("lo").unwrap_err().to_string();
        assert!(loopback.contains("lo is not a CAN interface"), "{loopback}");
    }

    #[test]
    fn errors_of_the_driver_keep_text_and_kind() {
        let refusal = || {
            let error = io::Error::from_raw_os_error(libc::ENETDOWN);
            Refusal::new(Step::Use("can0"), error)
        };
        let text = refusal().to_string();
        assert_eq!(OpenError::from(refusal()).to_string(), text);
        let bus = BusError::from(refusal());
        assert_eq!(bus.to_string(), text);
        assert_eq!(bus.kind(), io::ErrorKind::NetworkDown);
    }
}
