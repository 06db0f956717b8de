use super::*;
use crate::faults::Rng;
use isotp_core::Id;

fn classic(id: Id, data: &[u8]) -> FrameBits {
    let kind = FrameKind::Classic;
    FrameBits::of(FrameView { id, kind, data })
}

/// The plain way: a list of bits, stuffed one by one.
fn stuffed_slowly(bits: &[u8], at_end: bool) -> u32 {
    let (mut count, mut run, mut last) = (0, 0, 2);
    for (position, &bit) in bits.iter().enumerate() {
        run = if bit == last { run + 1 } else { 1 };
        last = bit;
        if run == 5 && (position + 1 < bits.len() || at_end) {
            count += 1;
            (last, run) = (1 - bit, 1);
        }
    }
    count
}

fn push_slowly(bits: &mut Vec<u8>, value: u32, count: u32) {
    bits.extend(
        (0..count)
            .rev()
            .map(|position| (value >> position) as u8 & 1),
    );
}

/// CRC-15 by polynomial division, with no table.
fn crc_slowly(bits: &[u8]) -> u32 {
    bits.iter().fold(0u32, |crc, &bit| {
        let divide = (crc >> 14 & 1) as u8 != bit;
        (crc << 1 ^ if divide { 0x4599 } else { 0 }) & 0x7FFF
    })
}

fn classic_slowly(id: Id, data: &[u8]) -> u32 {
    let mut bits = Vec::new();
    push_slowly(&mut bits, 0, 1);
    if id.is_extended() {
        push_slowly(&mut bits, id.value() >> 18, 11);
        push_slowly(&mut bits, 3, 2);
        push_slowly(&mut bits, id.value() & 0x3_FFFF, 18);
    } else {
        push_slowly(&mut bits, id.value(), 11);
    }
    push_slowly(&mut bits, 0, 3);
    push_slowly(&mut bits, data.len() as u32, 4);
    data.iter()
        .for_each(|&byte| push_slowly(&mut bits, byte.into(), 8));
    let crc = crc_slowly(&bits);
    push_slowly(&mut bits, crc, 15);
    stuffed_slowly(&bits, true)
}

/// The catalogue's check value of CRC-15/CAN.
#[test]
fn crc_15_has_its_check_value() {
    let mut stream = Stream::new();
    b"123456789".iter().for_each(|&byte| stream.push_byte(byte));
    assert_eq!(stream.crc, 0x059E);
}

/// 47 + 8 n bits with 11-bit ids, 67 + 8 n with 29, intermission included.
#[test]
fn classic_frames_have_the_lengths_of_the_standard_without_stuff_bits() {
    for len in 0..=8 {
        let data = [0x55; 8];
        let short = classic(Id::standard(0x2AA).unwrap(), &data[..len]);
        assert_eq!(short.total() - short.stuff, 47 + 8 * len as u32);
        let long = classic(Id::extended(0x0AAA_AAAA).unwrap(), &data[..len]);
        assert_eq!(long.total() - long.stuff, 67 + 8 * len as u32);
        assert_eq!(long.data, 0);
    }
}

/// 135 and 160 bits: 98 and 118 bits are stuffed, the first after 5 and then each 4.
#[test]
fn the_worst_pattern_has_a_stuff_bit_every_four_bits() {
    for (stuffed, unstuffed, longest) in [(98, 111, 135), (118, 131, 160)] {
        let mut stream = Stream::new();
        stream.push(0, 1);
        for position in 0..stuffed - 1 {
            stream.push(u32::from(position % 8 >= 4), 1);
        }
        stream.end_stuffed();
        assert_eq!(stream.bits, stuffed);
        assert_eq!(unstuffed + stream.stuff, longest);
    }
}

#[test]
fn no_classic_frame_is_longer_than_the_worst_case_and_zeros_come_close() {
    let mut rng = Rng::new(3);
    let mut longest = (0, 0);
    for _ in 0..20_000 {
        let data = (rng.next_u64() & rng.next_u64() & rng.next_u64()).to_be_bytes();
        let id = (rng.next_u64() & rng.next_u64()) as u32;
        let short = classic(Id::standard((id & 0x7FF) as u16).unwrap(), &data);
        let long = classic(Id::extended(id & 0x1FFF_FFFF).unwrap(), &data);
        longest = (longest.0.max(short.total()), longest.1.max(long.total()));
    }
    assert!(longest.0 <= 135 && longest.1 <= 160, "{longest:?}");
    assert!(longest.0 >= 122 && longest.1 >= 142, "{longest:?}");
}

#[test]
fn tables_count_the_same_stuff_bits_as_the_plain_way() {
    let mut rng = Rng::new(2);
    for round in 0..5000 {
        let random = rng.next_u64();
        let sparse = random & rng.next_u64() & rng.next_u64();
        let bytes = match round % 3 {
            0 => random,
            1 => sparse,
            _ => !sparse,
        };
        let data = &bytes.to_be_bytes()[..rng.below(9) as usize];
        let value = (sparse >> 7) as u32;
        let short = Id::standard((value & 0x7FF) as u16).unwrap();
        let long = Id::extended(value & 0x1FFF_FFFF).unwrap();
        for id in [short, long] {
            assert_eq!(
                classic(id, data).stuff,
                classic_slowly(id, data),
                "{id} {data:?}"
            );
        }
    }
}

/// Dynamic stuff bits end with the data field, where a fixed stuff bit comes in any case.
#[test]
fn fd_frames_have_fixed_stuff_bits_in_the_crc_field() {
    let id = Id::standard(0x2AA).unwrap();
    for (len, crc_field) in [(0, 27), (8, 27), (16, 27), (20, 32), (64, 32)] {
        let data = vec![0x55; len];
        let kind = FrameKind::Fd { brs: true };
        let bits = FrameBits::of(FrameView {
            id,
            kind,
            data: &data,
        });
        // SOF, id, RRS, IDE, FDF, res, BRS; ACK, ACK delimiter, EOF, intermission
        assert_eq!(bits.nominal, 17 + 1 + 1 + 7 + 3, "{len}");
        // ESI, DLC, data, stuff count with CRC and fixed stuff bits, CRC delimiter
        let dynamic = bits.stuff - if len <= 16 { 6 } else { 7 };
        assert_eq!(
            bits.data,
            1 + 4 + 8 * len as u32 + crc_field + 1 + dynamic,
            "{len}"
        );
        let slow = FrameBits::of(FrameView {
            id,
            kind: FrameKind::Fd { brs: false },
            data: &data,
        });
        assert_eq!(
            (slow.data, slow.nominal - slow.stuff),
            (0, bits.total() - bits.stuff)
        );
    }
}

#[test]
fn five_equal_bits_at_the_end_of_fd_data_get_no_dynamic_stuff_bit() {
    let id = Id::standard(0x2AA).unwrap();
    let kind = FrameKind::Fd { brs: false };
    let of = |data: &[u8]| FrameBits::of(FrameView { id, kind, data }).stuff;
    assert_eq!(of(&[0x55, 0xE0]), of(&[0x55, 0x55]));
    assert_eq!(of(&[0x55, 0xC0]), of(&[0x55, 0x55]) + 1);
}

#[test]
fn time_follows_both_bitrates() {
    let timing = BitTiming::new(500_000, 2_000_000).unwrap();
    let bits = FrameBits {
        nominal: 29,
        data: 565,
        stuff: 0,
    };
    assert_eq!(
        timing.duration(bits),
        Duration::from_nanos(58_000 + 282_500)
    );
    assert!(BitTiming::new(0, 1).is_err() && BitTiming::new(1, 0).is_err());
    assert!(BitTiming::new(2_000_000_000, 1).is_err());
}
