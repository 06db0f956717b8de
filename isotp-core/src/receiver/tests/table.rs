//! The rows of the state table.

use super::{CF1, CF2, FF, Rig};

const FF16: &str = "rx 10 10 00 01 02 03 04 05";
const LONG_SINGLE: &str = "ignored 00 09 00 01 02 03 04 05 06 07 08 CC";

/// Each row: options, scripts to the phase (its events are drained), the input, and what is seen then.
const TABLE: &[(&str, &[&str], &str, &str)] = &[
    // any | valid SF | Single
    ("", &[], "", "idle"),
    ("", &[], "rx 01 AA", "single 1, idle"),
    ("", &[FF], "rx 01 AA", "N_UNEXP_PDU, single 1, idle"),
    (
        "",
        &[FF, "commit"],
        "rx 01 AA",
        "N_UNEXP_PDU, single 1, idle",
    ),
    (
        "",
        &[FF, "commit; con 0"],
        "rx 01 AA",
        "N_UNEXP_PDU, single 1, idle",
    ),
    ("", &["busy", FF], "rx 01 AA", "N_UNEXP_PDU, single 1, idle"),
    (
        "",
        &["ignored 10 29 00 01 02 03 04 05"],
        "rx 01 AA",
        "single 1, idle",
    ),
    // any | valid FF, buffer ready | Offer CTS (listening: Receiving)
    ("", &[], FF, "ff 20, CTS, NAr 1000"),
    ("listen", &[], FF, "ff 20, NCr 500"),
    ("", &[FF], FF, "N_UNEXP_PDU, ff 20, CTS, NAr 1000"),
    (
        "",
        &[FF, "commit; con 0; at 100"],
        FF,
        "N_UNEXP_PDU, ff 20, CTS, NAr 1100",
    ),
    // any | valid FF, buffer not ready | NotReady
    ("", &["busy"], FF, "ff 20, NBr 100"),
    (
        "listen",
        &["busy"],
        "ignored 10 14 00 01 02 03 04 05",
        "idle",
    ),
    // any | valid FF, too long | Refusing (listening: Idle)
    (
        "",
        &[],
        "ignored 10 29 00 01 02 03 04 05",
        "OVFLW, NAr 1000",
    ),
    ("listen", &[], "ignored 10 29 00 01 02 03 04 05", "idle"),
    (
        "",
        &[FF],
        "ignored 10 29 00 01 02 03 04 05",
        "N_UNEXP_PDU, OVFLW, NAr 1000",
    ),
    (
        "",
        &[FF],
        "ignored 10 00 FF FF FF FF 04 05",
        "N_UNEXP_PDU, OVFLW, NAr 1000",
    ),
    // NotReady | buffer ready | Offer CTS
    ("", &["busy", FF, "at 50"], "ready", "CTS, NAr 1050"),
    ("", &["busy", FF], "ready; at 100", "CTS, NAr 1100"),
    // NotReady | N_Br | Offer WAIT; Failed when N_WFTmax are out
    ("wft=1", &["busy", FF], "at 99", "NBr 100"),
    ("wft=1", &["busy", FF], "at 100", "WAIT, NAr 1100"),
    ("", &["busy", FF], "at 100", "N_WFT_OVRN, idle"),
    (
        "wft=1",
        &["busy", FF, "at 100; commit; con 0"],
        "at 200",
        "N_WFT_OVRN, idle",
    ),
    // Offer WAIT | buffer ready | Offer CTS
    (
        "wft=1",
        &["busy", FF, "at 100; full"],
        "ready",
        "CTS, NAr 1100",
    ),
    // Offer | commit | Sent, deadline kept
    ("", &[FF], "at 300; commit", "NAr 1000"),
    (
        "wft=1",
        &["busy", FF, "at 100"],
        "at 300; commit",
        "NAr 1100",
    ),
    // Sent CTS | CF | taken, but acts at the confirmation
    ("", &[FF, "commit"], CF1, "NAr 1000"),
    ("", &[FF, "commit", CF1], CF2, "NAr 1000"),
    // Sent CTS | confirmed | as after the CFs that are here
    ("", &[FF, "commit"], "at 300; con 0", "NCr 800"),
    ("", &[FF, "commit", CF1], "at 300; con 0", "NCr 800"),
    ("", &[FF, "commit", CF1, CF2], "con 0", "message 20, idle"),
    (
        "bs=1",
        &[FF, "commit", CF1],
        "at 300; con 0",
        "CTS, NAr 1300",
    ),
    (
        "bs=1",
        &[FF, "commit", CF1, "busy"],
        "at 300; con 0",
        "NBr 400",
    ),
    (
        "",
        &[FF, "commit", "rx 23 06 07 08 09 0A 0B 0C"],
        "con 0",
        "N_WRONG_SN, idle",
    ),
    // Sent CTS | valid SF or FF | what is complete is delivered first, else it ends
    (
        "",
        &[FF, "commit", CF1, CF2],
        "rx 01 AA",
        "message 20, single 1, idle",
    ),
    (
        "",
        &[FF, "commit", CF1],
        "rx 01 AA",
        "N_UNEXP_PDU, single 1, idle",
    ),
    // Sent WAIT | confirmed | NotReady
    (
        "wft=2",
        &["busy", FF, "at 100; commit"],
        "at 150; con 0",
        "NBr 250",
    ),
    (
        "wft=2",
        &["busy", FF, "at 100; commit; ready"],
        "at 150; con 0",
        "CTS, NAr 1150",
    ),
    // Sent | frame lost | Offer, deadline kept
    ("", &[FF, "commit"], "at 300; lost 0", "CTS, NAr 1000"),
    (
        "wft=2",
        &["busy", FF, "at 100; commit"],
        "at 300; lost 0",
        "WAIT, NAr 1100",
    ),
    ("", &[FF, "commit", CF1], "at 300; lost 0", "NCr 800"),
    // Offer, Sent | N_Ar | Failed N_TIMEOUT_A
    ("", &[FF], "at 999", "CTS, NAr 1000"),
    ("", &[FF], "at 1000", "N_TIMEOUT_A, idle"),
    ("", &[FF, "commit"], "at 1000", "N_TIMEOUT_A, idle"),
    (
        "",
        &[FF, "commit", CF1, CF2],
        "at 1000",
        "N_TIMEOUT_A, idle",
    ),
    (
        "wft=1",
        &["busy", FF, "at 100"],
        "at 1100",
        "N_TIMEOUT_A, idle",
    ),
    (
        "wft=1",
        &["busy", FF, "at 100; commit"],
        "at 1100",
        "N_TIMEOUT_A, idle",
    ),
    // Receiving | CF
    ("", &[FF, "commit; con 0; at 300"], CF1, "NCr 800"),
    ("", &[FF, "commit; con 0", CF1], CF2, "message 20, idle"),
    ("bs=1", &[FF, "commit; con 0; at 300"], CF1, "CTS, NAr 1300"),
    ("bs=1", &[FF, "commit; con 0; at 300; busy"], CF1, "NBr 400"),
    ("bs=2", &[FF, "commit; con 0", CF1], CF2, "message 20, idle"),
    ("listen bs=1", &[FF, "at 300"], CF1, "NCr 800"),
    (
        "",
        &[FF, "commit; con 0"],
        "rx 22 06 07 08 09 0A 0B 0C",
        "N_WRONG_SN, idle",
    ),
    ("", &[FF, "commit; con 0", CF1], CF1, "N_WRONG_SN, idle"),
    // Receiving | N_Cr | Failed N_TIMEOUT_Cr
    ("", &[FF, "commit; con 0"], "at 499", "NCr 500"),
    ("", &[FF, "commit; con 0"], "at 500", "N_TIMEOUT_Cr, idle"),
    // Refusing | commit, N_Ar | Idle (FC-08)
    ("", &["ignored 10 29 00 01 02 03 04 05"], "commit", "idle"),
    (
        "",
        &["ignored 10 29 00 01 02 03 04 05"],
        "commit; lost 0",
        "idle",
    ),
    ("", &["ignored 10 29 00 01 02 03 04 05"], "at 1000", "idle"),
    ("", &["ignored 10 29 00 01 02 03 04 05"], "reject", "idle"),
    // NotReady, Offer, Sent, Receiving | abort, rejected | Failed N_ERROR
    ("", &["busy", FF], "abort", "N_ERROR, idle"),
    ("", &[FF], "abort", "N_ERROR, idle"),
    ("", &[FF], "reject", "N_ERROR, idle"),
    ("", &[FF, "commit"], "abort", "N_ERROR, idle"),
    ("", &[FF, "commit; con 0"], "abort", "N_ERROR, idle"),
    ("", &[], "abort", "idle"),
    // any other | CF | ignored, deadline kept
    ("", &[], "ignored 21 06 07 08 09 0A 0B 0C", "idle"),
    (
        "",
        &[FF],
        "ignored 21 06 07 08 09 0A 0B 0C",
        "CTS, NAr 1000",
    ),
    (
        "",
        &["busy", FF],
        "ignored 21 06 07 08 09 0A 0B 0C",
        "NBr 100",
    ),
    (
        "wft=1",
        &["busy", FF, "at 100; commit"],
        "ignored 21 06 07 08 09 0A 0B 0C",
        "NAr 1100",
    ),
    (
        "bs=1",
        &[FF, "commit", CF1],
        "ignored 22 0D 0E 0F 10 11 12 13",
        "NAr 1000",
    ),
    (
        "",
        &[FF, "commit", CF1, CF2],
        "ignored 23 0D 0E 0F 10 11 12 13",
        "NAr 1000",
    ),
    // Receiving | CF of a wrong length | ignored, N_Cr runs on (PCI-16, PCI-17, D-05)
    (
        "",
        &[FF, "commit; con 0; at 300"],
        "ignored 21 06 07 08 09 0A 0B",
        "NCr 500",
    ),
    (
        "",
        &[FF, "commit; con 0", CF1],
        "ignored 22 0D 0E 0F 10 11 12",
        "NCr 500",
    ),
    ("", &[FF, "commit; con 0", CF1], "ignored 2F 0D", "NCr 500"),
    (
        "",
        &[FF, "commit; con 0", CF1],
        "ignored 22 0D 0E 0F 10 11 12 13 CC CC CC CC",
        "NCr 500",
    ),
    // Receiving | last CF | the padding policy (PCI-08)
    (
        "",
        &[FF16, "commit; con 0", CF1],
        "rx 22 0D 0E 0F CC",
        "message 16, idle",
    ),
    (
        "padded",
        &[FF16, "commit; con 0", CF1],
        "ignored 22 0D 0E 0F CC",
        "NCr 500",
    ),
    (
        "padded",
        &[FF16, "commit; con 0", CF1],
        "rx 22 0D 0E 0F CC CC CC CC",
        "message 16, idle",
    ),
    (
        "exact",
        &[FF16, "commit; con 0", CF1],
        "ignored 22 0D 0E 0F CC",
        "NCr 500",
    ),
    (
        "exact",
        &[FF16, "commit; con 0", CF1],
        "rx 22 0D 0E 0F",
        "message 16, idle",
    ),
    // Offer | commit, confirmed | the next block begins
    (
        "bs=1",
        &[FF, "commit; con 0", CF1],
        "commit; con 1",
        "NCr 500",
    ),
    // Sent CTS | CF after a wrong one | no longer awaited
    (
        "",
        &[FF, "commit", "rx 23 06 07 08 09 0A 0B 0C"],
        "ignored 21 06 07 08 09 0A 0B 0C",
        "NAr 1000",
    ),
    // listening: a block's end is no reason to ask the buffer
    ("listen bs=1", &[FF, "busy; at 300"], CF1, "NCr 800"),
    // any | SF longer than the buffer | dropped, and what was before ends (RXE-06)
    ("limit=3", &[], "rx 03 AA BB CC", "single 3, idle"),
    ("limit=3", &[], "ignored 04 AA BB CC DD", "idle"),
    (
        "limit=8",
        &["rx 10 08 00 01 02 03 04 05"],
        LONG_SINGLE,
        "N_UNEXP_PDU, idle",
    ),
];

#[test]
fn each_row_of_the_state_table() {
    for (options, before, input, expected) in TABLE {
        let mut rig = Rig::new(options);
        for script in *before {
            rig.run(script);
            rig.drain();
        }
        rig.events.clear();
        rig.run(input);
        assert_eq!(
            rig.look(),
            *expected,
            "[{options}] {before:?} then [{input}]"
        );
    }
}

/// `P1`, `P3`, `P8`: whatever the state, time alone ends it, and each announced message has one outcome.
#[test]
fn every_state_ends_without_a_controller() {
    for (options, before, input, _) in TABLE {
        let mut rig = Rig::new(options);
        for script in before.iter().chain([input]) {
            rig.run(script);
            rig.drain();
        }
        let mut timeouts = 0;
        while let Some(timeout) = rig.receiver.poll_timeout(&rig.config) {
            rig.now = timeout.at;
            rig.receiver.handle_timeout(timeout.at, &rig.config);
            let next = rig.receiver.poll_timeout(&rig.config);
            assert!(
                next.is_none_or(|next| next.at > timeout.at),
                "{before:?} [{input}]"
            );
            let _ = rig.poll();
            timeouts += 1;
            assert!(timeouts < 4, "{before:?} [{input}]");
        }
        rig.drain();
        let count = |what: fn(&str) -> bool| rig.events.iter().filter(|event| what(event)).count();
        let announced = count(|event| event.starts_with("ff"));
        let ended = count(|event| event.starts_with("N_") || event.starts_with("message"));
        assert_eq!(announced, ended, "{before:?} [{input}] {:?}", rig.events);
    }
}
