//! What people read: what was expected, what came, and what to do. The texts are part of the interface,
//! since they are looked for in logs.

extern crate std;

use core::fmt::Display;
use std::string::{String, ToString};

use super::*;

fn same(texts: &[(&dyn Display, &str)]) {
    for (error, text) in texts {
        assert_eq!(error.to_string(), *text);
    }
}

#[test]
fn a_result_has_its_name_in_the_standard_and_what_came() {
    let (expected, received) = (3, 5);
    same(&[
        (&NResult::Ok, "N_OK"),
        (
            &NResult::TimeoutA,
            "N_TIMEOUT_A: the bus did not confirm a frame in time",
        ),
        (
            &NResult::TimeoutBs,
            "N_TIMEOUT_Bs: the peer sent no flow control in time",
        ),
        (
            &NResult::TimeoutCr,
            "N_TIMEOUT_Cr: the peer sent no consecutive frame in time",
        ),
        (
            &NResult::WrongSn { expected, received },
            "N_WRONG_SN: expected sequence number 3, received 5",
        ),
        (
            &NResult::InvalidFs { status: 7 },
            "N_INVALID_FS: expected flow status 0, 1 or 2, received 7",
        ),
        (
            &NResult::UnexpectedPdu,
            "N_UNEXP_PDU: the peer began another message",
        ),
        (
            &NResult::WaitOverrun { limit: 10 },
            "N_WFT_OVRN: more than 10 waits in a row",
        ),
        (
            &NResult::BufferOverflow,
            "N_BUFFER_OVFLW: the message is longer than the peer takes",
        ),
        (
            &NResult::Error(Cause::Aborted),
            "N_ERROR: aborted by the user",
        ),
        (
            &NResult::Error(Cause::Refused),
            "N_ERROR: the bus driver refused or lost a frame",
        ),
        (
            &NResult::Error(Cause::NoData),
            "N_ERROR: the payload gave no bytes within N_Cs",
        ),
        (
            &NResult::Error(Cause::Buffer),
            "N_ERROR: the receive buffer failed to take bytes",
        ),
    ]);
}

#[test]
fn what_a_backend_does_not_tell_is_not_made_up() {
    let untold = NResult::UNTOLD;
    let wrong_sn = NResult::WrongSn {
        expected: untold,
        received: untold,
    };
    same(&[
        (&wrong_sn, "N_WRONG_SN"),
        (&NResult::InvalidFs { status: untold }, "N_INVALID_FS"),
    ]);
}

#[test]
fn only_n_ok_is_a_success() {
    assert!(NResult::Ok.is_ok());
    assert!(!NResult::TimeoutA.is_ok());
    assert!(!NResult::Error(Cause::Aborted).is_ok());
}

#[test]
fn an_id_that_does_not_fit_says_how_much_does() {
    let (standard, extended) = (Id::standard(0x800), Id::extended(0x2000_0000));
    same(&[
        (
            &standard.unwrap_err(),
            "id 0x800 does not fit 11 bits, expected at most 0x7FF; use Id::extended for 29-bit ids",
        ),
        (
            &extended.unwrap_err(),
            "id 0x20000000 does not fit 29 bits, expected at most 0x1FFFFFFF",
        ),
    ]);
}

#[test]
fn an_address_that_makes_no_sense_says_why() {
    let id = Id::standard(0x7E0).unwrap();
    same(&[
        (
            &AddressError::SameIds { id },
            "tx_id and rx_id are both 7E0, expected two different addresses",
        ),
        (
            &AddressError::SameNodes { id },
            "id 7E0 names the same node as target and as source, expected two different nodes",
        ),
        (
            &AddressError::SameFunctionalId { id },
            "the functional and the physical id are both 7E0, expected two different addresses",
        ),
        (
            &AddressError::Priority { priority: 8 },
            "priority 8, expected 0 to 7",
        ),
        (
            &AddressError::NotFixed,
            "expected a normal fixed or mixed 29-bit address for this operation",
        ),
    ]);
    let unfit = AddressError::FixedId { id }.to_string();
    assert!(
        unfit.starts_with("id 7E0 does not fit the address format, expected 29 bits with 0xDA")
    );
    let functional = AddressError::FunctionalFormat.to_string();
    assert!(functional.contains("expected an id alone with normal and mixed 11 addresses"));
}

#[test]
fn a_configuration_that_makes_no_sense_names_its_field() {
    let value = Duration::from_millis(128);
    same(&[
        (
            &ConfigError::TxDl { tx_dl: 9, fd: true },
            "transmit.tx_dl is 9, expected 8, 12, 16, 20, 24, 32, 48 or 64 on CAN FD",
        ),
        (
            &ConfigError::TxDl {
                tx_dl: 12,
                fd: false,
            },
            "transmit.tx_dl is 12, expected 8 on CAN CC; use FrameKind::Fd for more",
        ),
        (
            &ConfigError::InFlight,
            "transmit.in_flight is 0, expected 1 to 255",
        ),
        (
            &ConfigError::ReservedStMin { code: 0x80 },
            "st_min 0x80 is reserved, expected 0x00 to 0x7F (ms) or 0xF1 to 0xF9 (100 us)",
        ),
        (
            &ConfigError::StMinTooLong { value },
            "st_min of 128ms, expected at most 127 ms",
        ),
        (
            &ConfigError::Timer {
                field: "n_bs",
                value: Duration::ZERO,
            },
            "timing.n_bs is 0ns, expected more than zero and less than an hour",
        ),
        (
            &ConfigError::NotListening,
            "receive.listen_only is unset, expected it set: an observer only listens; \
             Config::listening() does that",
        ),
        (
            &ConfigError::Spare {
                needed: 62,
                given: 7,
            },
            "the spare memory has 7 bytes, expected at least 62 for this frame kind",
        ),
    ]);
}

#[test]
fn a_refused_message_says_what_to_do() {
    let too_long = SendError::TooLong { size: 8, max: 7 };
    same(&[
        (
            &SendError::Empty,
            "the payload is empty, expected at least one byte",
        ),
        (
            &too_long,
            "the payload has 8 bytes, expected at most 7 here",
        ),
        (
            &SendError::Busy,
            "a message is being sent; wait for its confirmation",
        ),
        (
            &SendError::Receiving,
            "half duplex: a message is being received; wait for its end",
        ),
        (
            &SendError::NoFunctionalId,
            "the address has no functional tx id; add one to the address",
        ),
        (
            &SendError::ListenOnly,
            "the link only listens; unset receive.listen_only",
        ),
        (&SendError::NoLink, "the link was removed from its router"),
    ]);
}

#[test]
fn a_refused_payload_says_why_and_does_not_show_itself() {
    let refused = Refused {
        error: SendError::Empty,
        payload: "secret",
    };
    assert_eq!(refused.to_string(), SendError::Empty.to_string());
    assert_eq!(std::format!("{refused:?}"), "Refused { error: Empty, .. }");
}

#[test]
fn a_parameter_that_was_not_changed_has_its_name_in_the_standard() {
    same(&[
        (
            &ChangeError::Receiving,
            "N_RX_ON: a message is being received; try again after it",
        ),
        (
            &ChangeError::WrongParameter,
            "N_WRONG_PARAMETER: expected BS or STMIN",
        ),
        (
            &ChangeError::WrongValue { value: 0x100 },
            "N_WRONG_VALUE: 0x100, expected at most 0xFF and no reserved STmin code",
        ),
    ]);
}

#[test]
fn each_reason_for_ignoring_a_frame_has_words_of_its_own() {
    let reasons = [
        Ignored::FrameKind,
        Ignored::Length,
        Ignored::ReservedPci,
        Ignored::SingleFrame,
        Ignored::FirstFrame,
        Ignored::ConsecutiveFrame,
        Ignored::FlowControl,
        Ignored::UnexpectedConsecutiveFrame,
        Ignored::UnexpectedFlowControl,
        Ignored::HalfDuplex,
        Ignored::Functional,
        Ignored::TooLong,
        Ignored::Overflow,
        Ignored::NoRoom,
        Ignored::OtherSource,
    ];
    let mut texts: std::vec::Vec<String> = reasons.iter().map(ToString::to_string).collect();
    assert!(texts.iter().all(|text| text.len() > 15), "{texts:?}");
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), reasons.len());
}
