//! The codec reads what the model reads, and reads again what it wrote.

use isotp_core::pdu::{Pdu, Reading};
use isotp_core::{Config, Frame, FrameKind, Half, Id, RxPadding};
use isotp_testkit::Choose as _;

use crate::source::Source;
use crate::{Verdict, ensure, model};

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let half = half(&mut source);
    let x = half.prefix_len();
    let reading = Reading {
        padding: source.pick(&[RxPadding::Any, RxPadding::Padded, RxPadding::Exact]),
        lenient_length: source.flag(),
    };
    let pads = source.flag();
    let bytes = source.bytes(65);
    let read = Pdu::decode(&bytes, x, reading);
    let expected = model::decode(&bytes, x, reading);
    ensure!(
        read.ok() == expected,
        "{bytes:02X?}: {read:?}, expected {expected:?}"
    );
    let Ok(pdu) = read else { return Ok(()) };

    let mut config = Config::new();
    config.transmit.pad_to_8 = pads;
    if bytes.len() > 8 {
        config.kind = FrameKind::Fd { brs: false };
    }
    let mut frame = Frame::new();
    pdu.encode(half, &config, &mut frame);
    ensure!(
        frame.data().len() <= config.kind.max_len(),
        "{frame} is too long for its kind"
    );
    let again = Pdu::decode(frame.data(), x, Reading::default());
    let same = match (pdu, again) {
        // padding is data to the codec
        (
            Pdu::ConsecutiveFrame {
                sequence_number,
                data,
            },
            Ok(Pdu::ConsecutiveFrame {
                sequence_number: number,
                data: more,
            }),
        ) => sequence_number == number && more.starts_with(data),
        (pdu, again) => Ok(pdu) == again,
    };
    ensure!(same, "{pdu:?} was written as {frame} and read as {again:?}");
    Ok(())
}

/// With or without an address byte.
pub(crate) fn half(source: &mut Source<'_>) -> Half {
    let id = Id::standard(0x7E8).expect("it has 11 bits");
    if source.flag() {
        Half::extended(id, 0xF1)
    } else {
        Half::normal(id)
    }
}
