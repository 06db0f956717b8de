//! Random configurations, lengths and calls.

use core::time::Duration;

use isotp_core::{FrameKind, Timing};
use isotp_sim::Rng;
use isotp_testkit::{FORMATS, Op, Setup, Side};
use proptest::prelude::*;

/// Any setup that is valid.
pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let kind = prop_oneof![
        3 => Just(FrameKind::Classic),
        2 => any::<bool>().prop_map(|brs| FrameKind::Fd { brs }),
    ];
    let format = proptest::sample::select(&FORMATS[..]);
    (format, kind, timing(), side(), side()).prop_map(|(format, kind, timing, a, b)| Setup {
        pair: 0,
        format,
        kind,
        timing,
        sides: [a, b],
    })
}

fn timing() -> impl Strategy<Value = Timing> {
    let ms = |range: core::ops::Range<u64>| range.prop_map(Duration::from_millis);
    let (action, wait) = (20..1000, 100..1000);
    (
        ms(action.clone()),
        ms(action),
        ms(wait.clone()),
        ms(5..80),
        ms(wait.clone()),
        ms(wait),
    )
        .prop_map(|(n_as, n_ar, n_bs, n_br, n_cs, n_cr)| Timing {
            n_as,
            n_ar,
            n_bs,
            n_br,
            n_cs,
            n_cr,
        })
}

fn side() -> impl Strategy<Value = Side> {
    let tx_dl = proptest::sample::select(&[8u8, 12, 16, 20, 24, 32, 48, 64][..]);
    let block_size = prop_oneof![3 => Just(0), 3 => 1..6u8, 1 => any::<u8>()];
    let st_min = prop_oneof![4 => Just(0), 2 => 0xF1..=0xF9u8, 2 => 1..5u8, 1 => any::<u8>()];
    let moods = prop_oneof![5 => Just(0), 1 => any::<u32>()];
    let in_flight = prop_oneof![3 => Just(1), 1 => 2..9u8];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (tx_dl, block_size, st_min, 0..10u8, in_flight, moods, flags).prop_map(
        |(tx_dl, block_size, st_min, max_wait, in_flight, moods, flags)| Side {
            tx_dl,
            pad_to_8: flags.0,
            block_size,
            st_min,
            max_wait,
            in_flight,
            first_only: flags.1,
            reported: flags.2,
            moods,
        },
    )
}

/// Lengths around every border: single frames, blocks, the long first frame.
pub(crate) fn length() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..20usize, 4 => 1..300usize, 1 => 4085..4105usize, 1 => 1..10_000usize]
}

/// One call, decoded from one number: a strategy for each field costs a hundred times more.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    any::<u64>().prop_map(|seed| isotp_testkit::op(&mut Rng::new(seed)))
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(op(), 1..120)
}
