//! Draws a configuration.

use core::time::Duration;

use isotp_core::{FrameKind, Timing};
use isotp_testkit::{Choose, FORMATS, Setup, Side};

/// Any setup that is valid.
pub(crate) fn setup(choices: &mut impl Choose) -> Setup {
    let kind = choices.pick(&[
        FrameKind::Classic,
        FrameKind::Fd { brs: false },
        FrameKind::Fd { brs: true },
    ]);
    Setup {
        pair: 0,
        format: choices.pick(&FORMATS),
        kind,
        timing: timing(choices),
        sides: [side(choices), side(choices)],
    }
}

fn timing(choices: &mut impl Choose) -> Timing {
    let mut ms = |from: u64, to: u64| Duration::from_millis(from + choices.below(to - from));
    Timing {
        n_as: ms(20, 1000),
        n_ar: ms(20, 1000),
        n_bs: ms(100, 1000),
        n_br: ms(5, 80),
        n_cs: ms(100, 1000),
        n_cr: ms(100, 1000),
    }
}

fn side(choices: &mut impl Choose) -> Side {
    Side {
        tx_dl: choices.pick(&[8, 12, 16, 20, 24, 32, 48, 64]),
        pad_to_8: choices.flag(),
        block_size: match choices.below(4) {
            0 | 1 => 0,
            2 => choices.below(6) as u8,
            _ => choices.byte(),
        },
        st_min: match choices.below(4) {
            0 | 1 => 0,
            2 => choices.below(5) as u8,
            _ => choices.byte(),
        },
        max_wait: choices.below(10) as u8,
        in_flight: choices.pick(&[1, 1, 1, 2, 8]),
        first_only: choices.flag(),
        reported: choices.flag(),
        moods: if choices.below(4) == 3 {
            choices.word()
        } else {
            0
        },
    }
}
