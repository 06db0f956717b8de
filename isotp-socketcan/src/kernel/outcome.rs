//! What the kernel's error numbers mean.

use isotp_driver::{Cause, NResult};

/// What an error number says, and about which direction.
///
/// | errno | meaning |
/// |---|---|
/// | `ECOMM` | sending: no flow control within 1 s, or a frame was not sent within 2 s |
/// | `EMSGSIZE` | sending: the peer has no room (FC.OVFLW) |
/// | `ETIMEDOUT` | receiving: no consecutive frame within 1 s |
/// | `EILSEQ` | receiving: a wrong sequence number |
/// | `EBADMSG` | sending: a malformed flow control; either: padding that is checked |
/// | `ENETDOWN`, `ENODEV`, `ENXIO`, `EADDRNOTAVAIL` | the interface is down, or gone |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The message that is being sent failed. A single frame has no flow control to wait for.
    Sending(Failure),
    /// A message that was being received failed.
    Receiving(NResult),
    /// One of the two.
    Malformed,
    /// The interface.
    Gone,
    /// Anything else.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Unanswered,
    Overflow,
}

impl Failure {
    /// The result, for a message that is a single frame or not.
    pub(super) const fn result(self, single: bool) -> NResult {
        match self {
            Self::Unanswered if single => NResult::TimeoutA,
            Self::Unanswered => NResult::TimeoutBs,
            Self::Overflow => NResult::BufferOverflow,
        }
    }
}

pub(super) const fn meaning(errno: i32) -> Meaning {
    match errno {
        libc::ECOMM => Meaning::Sending(Failure::Unanswered),
        libc::EMSGSIZE => Meaning::Sending(Failure::Overflow),
        libc::ETIMEDOUT => Meaning::Receiving(NResult::TimeoutCr),
        libc::EILSEQ => Meaning::Receiving(WRONG_SN),
        libc::EBADMSG => Meaning::Malformed,
        libc::ENETDOWN | libc::ENODEV | libc::ENXIO | libc::EADDRNOTAVAIL => Meaning::Gone,
        _ => Meaning::Unknown,
    }
}

/// The kernel tells no numbers.
pub(super) const WRONG_SN: NResult = NResult::WrongSn {
    expected: NResult::UNTOLD,
    received: NResult::UNTOLD,
};
/// A flow control of a reserved status, or a malformed one: the kernel tells no more.
pub(super) const INVALID_FS: NResult = NResult::InvalidFs {
    status: NResult::UNTOLD,
};
/// An error of the other direction came between, and took the place of this one's.
pub(super) const UNKNOWN: NResult = NResult::Error(Cause::Refused);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_number_has_the_result_that_our_own_stack_would_give() {
        for (errno, single, name) in [
            (libc::ECOMM, false, "N_TIMEOUT_Bs"),
            (libc::ECOMM, true, "N_TIMEOUT_A"),
            (libc::EMSGSIZE, false, "N_BUFFER_OVFLW"),
            (libc::ETIMEDOUT, false, "N_TIMEOUT_Cr"),
            (libc::EILSEQ, false, "N_WRONG_SN"),
        ] {
            let result = match meaning(errno) {
                Meaning::Sending(failure) => failure.result(single),
                Meaning::Receiving(result) => result,
                other => panic!("{errno}: {other:?}"),
            };
            assert_eq!(result.name(), name, "{errno}");
        }
        for errno in [libc::ENETDOWN, libc::ENODEV, libc::ENXIO] {
            assert_eq!(meaning(errno), Meaning::Gone);
        }
        assert_eq!(meaning(libc::EBADMSG), Meaning::Malformed);
        assert_eq!(meaning(libc::EPERM), Meaning::Unknown);
    }
}
