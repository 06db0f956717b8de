//! The properties P1 to P8 over random scripts and random faults, in virtual time.
//!
//! | | property |
//! |---|---|
//! | P1 | after `handle_timeout(t)`, `poll_timeout()` is `None` or later than `t` |
//! | P2 | with no new input, polling ends; a machine left alone comes to rest |
//! | P3 | dropping every `Transmit` changes nothing but time |
//! | P4 | nothing panics, and memory never exceeds what was given |
//! | P5 | what is sent is what is received, whatever the configuration |
//! | P6 | two consecutive frames are never closer than STmin; stale tokens confirm nothing |
//! | P7 | a router behaves as that many links |
//! | P8 | every transfer has one outcome, within a bound, and the right content |
//!
//! `ISOTP_PROPERTY_CASES=N` multiplies the number of cases by N; `ISOTP_PROPERTY_SEED=S` replaces the
//! fixed seeds. A failure is shrunk and printed with its seed.
#![allow(
    clippy::indexing_slicing,
    reason = "tests check by panicking, and slice at will"
)]

mod harness;
mod p1_deadlines_move_on;
mod p2_polling_ends;
mod p3_refusal_is_harmless;
mod p4_nothing_panics;
mod p5_round_trip;
mod p6_pacing;
mod p7_router_is_links;
mod p8_mix_ups;
mod p8_one_outcome;
mod setup;
