use super::*;
use crate::frame::{FD_LENGTHS, Id};

fn strict(frame: &[u8], x: usize) -> Result<Pdu<'_>, Ignored> {
    Pdu::decode(frame, x, Reading::default())
}

fn halves() -> [Half; 2] {
    let id = Id::standard(0x7E0).unwrap();
    [Half::normal(id), Half::extended(id, 0x55)]
}

/// `PCI-07`: the table of requirements 1.1, both prefix lengths.
#[test]
fn escape_single_frames_need_their_length() {
    let table = [
        (12, 8, 10),
        (16, 11, 14),
        (20, 15, 18),
        (24, 19, 22),
        (32, 23, 30),
        (48, 31, 46),
        (64, 47, 62),
    ];
    for (can_dl, low, high) in table {
        for x in 0..=1usize {
            for len in 0..=255usize {
                let mut frame = [0u8; 64];
                frame[x + 1] = len as u8;
                let frame = &frame[..can_dl];
                let expected = (low - x..=high - x).contains(&len);
                assert_eq!(
                    strict(frame, x).is_ok(),
                    expected,
                    "CAN_DL {can_dl} x {x} len {len}"
                );
                let lenient = Reading {
                    lenient_length: true,
                    ..Reading::default()
                };
                let expected = (1..=high - x).contains(&len);
                assert_eq!(
                    Pdu::decode(frame, x, lenient).is_ok(),
                    expected,
                    "lenient {len}"
                );
            }
        }
    }
}

/// `PCI-03`, `PCI-05`, `PCI-06`, `PCI-08` for every length, low nibble and policy.
#[test]
fn short_single_frames() {
    for x in 0..=1usize {
        for can_dl in x + 1..=8 {
            for low in 0..16usize {
                let mut frame = [0xEE; 8];
                frame[x] = low as u8;
                let frame = &frame[..can_dl];
                let fits = (1..=can_dl - 1 - x).contains(&low);
                for (padding, expected) in [
                    (RxPadding::Any, fits),
                    (RxPadding::Padded, fits && can_dl == 8),
                    (RxPadding::Exact, fits && can_dl == 1 + x + low),
                ] {
                    let got = Pdu::decode(
                        frame,
                        x,
                        Reading {
                            padding,
                            lenient_length: false,
                        },
                    );
                    assert_eq!(
                        got.is_ok(),
                        expected,
                        "x {x} CAN_DL {can_dl} low {low} {padding:?}"
                    );
                }
            }
        }
    }
}

/// `PCI-01`, `PCI-02`, `PCI-20`.
#[test]
fn what_is_no_n_pdu() {
    assert_eq!(strict(&[], 0), Err(Ignored::Length));
    assert_eq!(strict(&[0x55], 1), Err(Ignored::Length));
    for kind in 4..16u8 {
        assert_eq!(strict(&[kind << 4; 8], 0), Err(Ignored::ReservedPci));
    }
    assert_eq!(strict(&[0x30, 0], 0), Err(Ignored::FlowControl));
    assert_eq!(strict(&[0x55, 0x30, 0], 1), Err(Ignored::FlowControl));
    assert!(strict(&[0x55, 0x30, 0, 0], 1).is_ok());
}

/// `PCI-09` to `PCI-14`.
#[test]
fn first_frame_lengths() {
    for can_dl in 0..=64usize {
        for x in 0..=1usize {
            let full = FD_LENGTHS.contains(&(can_dl as u8));
            let min = if can_dl == 8 {
                8 - x
            } else {
                can_dl.saturating_sub(1 + x)
            };
            for size in 1..=4095usize {
                let mut frame = [0u8; 64];
                frame[x] = 0x10 | (size >> 8) as u8;
                frame[x + 1] = size as u8;
                let got = strict(&frame[..can_dl], x);
                assert_eq!(
                    got.is_ok(),
                    full && size >= min,
                    "CAN_DL {can_dl} x {x} size {size}"
                );
            }
        }
    }
    let escape = |size: u32, x: usize| {
        let mut frame = [0u8; 8];
        frame[x] = 0x10;
        frame[x + 2..x + 6].copy_from_slice(&size.to_be_bytes());
        strict(&frame, x).map(|pdu| matches!(pdu, Pdu::FirstFrame { size: s, data } if s == size && data.len() == 2 - x))
    };
    for x in 0..=1 {
        assert_eq!(escape(0, x), Err(Ignored::FirstFrame));
        assert_eq!(escape(4095, x), Err(Ignored::FirstFrame));
        assert_eq!(escape(4096, x), Ok(true));
        assert_eq!(escape(u32::MAX, x), Ok(true));
    }
}

/// `PCI-19`, `PCI-22`: every status and every STmin code.
#[test]
fn flow_controls() {
    for low in 0..16u8 {
        let Ok(Pdu::FlowControl(flow)) = strict(&[0x30 | low, 7, 0x80], 0) else {
            panic!()
        };
        let status = match low {
            0 => FlowStatus::ContinueToSend,
            1 => FlowStatus::Wait,
            2 => FlowStatus::Overflow,
            _ => FlowStatus::Reserved(low),
        };
        assert_eq!(
            flow,
            FlowControl {
                status,
                block_size: 7,
                st_min: StMin::MAX
            }
        );
    }
}

/// `TXF-02` to `TXF-06`: what is encoded is decoded, strictly, for every length and TX_DL.
#[test]
fn encoding_round_trips() {
    let bytes: [u8; 64] = core::array::from_fn(|i| i as u8);
    for half in halves() {
        let x = half.prefix_len();
        for tx_dl in FD_LENGTHS {
            for pad_to_8 in [false, true] {
                let mut config = if tx_dl == 8 {
                    Config::new()
                } else {
                    Config::fd(tx_dl, true)
                };
                config.transmit.pad_to_8 = pad_to_8;
                let dl = usize::from(tx_dl);
                let mut frame = Frame::new();
                for len in 1..=single_capacity(dl, x) {
                    let pdu = Pdu::SingleFrame {
                        data: &bytes[..len],
                    };
                    pdu.encode(half, &config, &mut frame);
                    assert_eq!(strict(frame.data(), x), Ok(pdu), "{frame}");
                    let short = len <= 7 - x;
                    assert_eq!(frame.data().len() <= 8, short);
                    if short && !pad_to_8 {
                        assert_eq!(frame.data().len(), 1 + x + len);
                    }
                }
                for size in [4095u32, 4096, u32::MAX] {
                    let data = &bytes[..first_capacity(dl, x, size)];
                    let pdu = Pdu::FirstFrame { size, data };
                    pdu.encode(half, &config, &mut frame);
                    assert_eq!(strict(frame.data(), x), Ok(pdu));
                    assert_eq!(frame.data().len(), dl);
                }
                let data = &bytes[..consecutive_capacity(dl, x)];
                let pdu = Pdu::ConsecutiveFrame {
                    sequence_number: 15,
                    data,
                };
                pdu.encode(half, &config, &mut frame);
                assert_eq!(strict(frame.data(), x), Ok(pdu));
                assert_eq!(frame.data().len(), dl);
            }
        }
    }
}

#[test]
fn padding_is_the_configured_byte() {
    let mut config = Config::uds();
    config.transmit.pad_byte = 0x5A;
    let mut frame = Frame::new();
    Pdu::SingleFrame { data: &[1] }.encode(halves()[0], &config, &mut frame);
    assert_eq!(frame.data(), [1, 1, 0x5A, 0x5A, 0x5A, 0x5A, 0x5A, 0x5A]);
}

/// `FC-02`: what cannot be sent by name is still one nibble.
#[test]
fn a_flow_status_is_four_bits() {
    let mut frame = Frame::new();
    for (status, byte) in [(3, 0x33), (0xF, 0x3F), (0x17, 0x37)] {
        let flow = FlowControl {
            status: FlowStatus::Reserved(status),
            block_size: 0,
            st_min: StMin::ZERO,
        };
        flow_control(&mut frame, halves()[0], &Config::new(), flow);
        assert_eq!(frame.data()[0], byte);
    }
}
