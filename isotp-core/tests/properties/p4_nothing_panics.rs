//! P4: no bytes, token, clock or call order panics; memory never exceeds what the caller gave. The
//! receive buffers of these tests panic if a byte too many, or out of place, is written.

use core::time::Duration;

use isotp_core::{Config, Frame, GrowingBuffer, Instant, Link, Machine as _, RxPadding};
use isotp_testkit::{Caller, Fleet, Format, LIMIT, Op, Step, ensure};
use proptest::prelude::*;

use crate::harness::check;
use crate::setup::{op, setup};

/// The random calls, and jumps to the end of all time.
fn wild_ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![60 => op(), 1 => Just(Op::Clock(Step::EndOfTime))];
    proptest::collection::vec(op, 1..200)
}

#[test]
fn p4_nothing_panics_in_a_link() {
    check("P4 link", 4000, &(setup(), wild_ops()), |(setup, ops)| {
        let mut link = setup.link(0);
        let mut caller = Caller::new(&mut link, 1);
        for op in &ops {
            caller.call(op);
            let len = caller.subject.buffer().as_ref().len();
            ensure!(len <= LIMIT as usize, "{len} bytes in a buffer of {LIMIT}");
        }
        Ok(())
    });
}

#[test]
fn p4_nothing_panics_in_a_router() {
    check("P4 router", 1500, &(setup(), wild_ops()), |(setup, ops)| {
        let mut fleet = Fleet::of_side(&setup, 1, 6);
        let mut caller = Caller::new(&mut fleet, 6);
        ops.iter().for_each(|op| caller.call(op));
        Ok(())
    });
}

/// Lenient readings, listening and half duplex are other ways through the same code.
#[test]
fn p4_nothing_panics_with_any_reading() {
    let flags = proptest::array::uniform4(any::<bool>());
    let cases = (setup(), wild_ops(), flags, 0..3usize);
    check(
        "P4 readings",
        2000,
        &cases,
        |(setup, ops, flags, padding)| {
            let mut config = setup.config(0);
            config.receive.lenient_length = flags[0];
            config.receive.any_kind = flags[1];
            config.receive.listen_only = flags[2];
            config.receive.padding = [RxPadding::Any, RxPadding::Padded, RxPadding::Exact][padding];
            if flags[3] {
                config.duplex = isotp_core::Duplex::Half;
            }
            let buffer = isotp_testkit::Buffer::new(LIMIT, setup.sides[0].moods);
            let config = std::sync::Arc::new(config);
            let mut link =
                Link::with_spare(setup.address(0), config, buffer, [[0; 62]; 2]).unwrap();
            let mut caller = Caller::new(&mut link, 1);
            ops.iter().for_each(|op| caller.call(op));
            Ok(())
        },
    );
}

/// A first frame may claim 4 GiB; memory follows the bytes that came.
#[test]
fn p4_a_first_frame_of_four_gigabytes_costs_no_memory() {
    static CONFIG: Config = Config::new();
    let address = Format::Normal11.address(0);
    let buffer = GrowingBuffer::new(u32::MAX);
    let mut link = Link::<_, Vec<u8>>::new(address, &CONFIG, buffer).unwrap();
    let mut frame = Frame::new();
    let first = [0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2];
    frame.copy_from(isotp_core::FrameView {
        id: address.rx().id(),
        kind: isotp_core::FrameKind::Classic,
        data: &first,
    });
    for round in 0..1000 {
        let now = Instant::ZERO + Duration::from_millis(round);
        link.handle_frame(now, frame.view());
        while link.poll_event().is_some() {}
        assert!(link.is_receiving());
    }
    let held = core::mem::take(link.buffer_mut()).take().capacity();
    assert!(held <= 8192, "{held} bytes for two that came");
}
