//! How long frames are on the wire, stuff bits included.

use core::fmt;
use core::time::Duration;

use isotp_core::{FrameKind, FrameView};

/// The bitrates of a bus, in bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitTiming {
    nominal: u32,
    data: u32,
}

impl BitTiming {
    /// `nominal` for arbitration, `data` for the data phase of FD frames with bitrate switch.
    ///
    /// # Errors
    /// [`TimingError`] for a bitrate of zero, or above 1 Gbit/s.
    pub const fn new(nominal: u32, data: u32) -> Result<Self, TimingError> {
        let longest = if nominal > data { nominal } else { data };
        if nominal == 0 || data == 0 || longest as u64 > NANOS {
            return Err(TimingError { nominal, data });
        }
        Ok(Self { nominal, data })
    }

    /// For arbitration.
    #[must_use]
    pub const fn nominal(self) -> u32 {
        self.nominal
    }

    /// For the data phase.
    #[must_use]
    pub const fn data(self) -> u32 {
        self.data
    }

    /// How long a frame takes, in nanoseconds, without intermission.
    pub(crate) const fn frame_nanos(self, bits: FrameBits) -> u64 {
        let nominal = (bits.nominal as u64 - INTERMISSION as u64) * NANOS;
        let data = bits.data as u64 * NANOS;
        nominal.div_ceil(self.nominal as u64) + data.div_ceil(self.data as u64)
    }

    /// How long the bus is idle between two frames, in nanoseconds.
    pub(crate) const fn intermission_nanos(self) -> u64 {
        (INTERMISSION as u64 * NANOS).div_ceil(self.nominal as u64)
    }

    /// How long a frame and the intermission after it take.
    #[must_use]
    pub const fn duration(self, bits: FrameBits) -> Duration {
        Duration::from_nanos(self.frame_nanos(bits) + self.intermission_nanos())
    }
}

/// A bitrate that no bus has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimingError {
    /// The nominal bitrate that came.
    pub nominal: u32,
    /// The data bitrate that came.
    pub data: u32,
}

impl fmt::Display for TimingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bitrates {} and {} bit/s, expected 1 to {NANOS} for both",
            self.nominal, self.data
        )
    }
}

impl core::error::Error for TimingError {}

/// The bits of one frame on the wire, with stuff bits and three bits of intermission.
///
/// The bitrate switches inside the BRS bit and back inside the CRC delimiter, at the sample point;
/// counting the first as nominal and the second as data gives the same sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FrameBits {
    /// Bits at the nominal bitrate: all, unless the frame switches its bitrate.
    pub nominal: u32,
    /// Bits at the data bitrate.
    pub data: u32,
    /// How many of both are stuff bits.
    pub stuff: u32,
}

impl FrameBits {
    /// Counts the bits of `frame`: O(data length), no allocation.
    ///
    /// ```
    /// use isotp_sim::core::{FrameKind, FrameView, Id};
    /// let id = Id::standard(0x7E0).unwrap();
    /// let frame = FrameView { id, kind: FrameKind::Classic, data: &[0x55; 8] };
    /// let bits = isotp_sim::FrameBits::of(frame);
    /// assert_eq!(bits.total() - bits.stuff, 111);
    /// ```
    #[must_use]
    pub fn of(frame: FrameView<'_>) -> Self {
        match frame.kind {
            FrameKind::Classic => Self::classic(frame),
            FrameKind::Fd { brs } => Self::fd(frame, brs),
        }
    }

    /// All of them.
    #[must_use]
    pub const fn total(self) -> u32 {
        self.nominal + self.data
    }

    fn classic(frame: FrameView<'_>) -> Self {
        let mut stream = Stream::new();
        arbitration(&mut stream, frame);
        // RTR, then IDE and r0 or r1 and r0
        stream.push(0, 3);
        stream.push(dlc(frame.data.len()), 4);
        for &byte in frame.data {
            stream.push_byte(byte);
        }
        stream.push(u32::from(stream.crc), 15);
        stream.end_stuffed();
        Self {
            nominal: stream.bits + stream.stuff + TRAILER + INTERMISSION,
            data: 0,
            stuff: stream.stuff,
        }
    }

    /// The CRC field has stuff bits at fixed places, so its length does not depend on its value.
    fn fd(frame: FrameView<'_>, brs: bool) -> Self {
        let mut stream = Stream::new();
        arbitration(&mut stream, frame);
        if frame.id.is_extended() {
            // RRS, FDF, res
            stream.push(0b010, 3);
        } else {
            // RRS, IDE, FDF, res
            stream.push(0b0010, 4);
        }
        stream.push(u32::from(brs), 1);
        let head = stream.bits + stream.stuff;
        // ESI
        stream.push(0, 1);
        stream.push(dlc(frame.data.len()), 4);
        for &byte in frame.data {
            stream.push_byte(byte);
        }
        let (crc, fixed) = if frame.data.len() <= 16 {
            (17, 6)
        } else {
            (21, 7)
        };
        // stuff count, CRC and its fixed stuff bits, CRC delimiter
        let tail = stream.bits + stream.stuff - head + 4 + crc + fixed + 1;
        let slow = TRAILER - 1 + INTERMISSION;
        let (nominal, data) = if brs {
            (head + slow, tail)
        } else {
            (head + tail + slow, 0)
        };
        Self {
            nominal,
            data,
            stuff: stream.stuff + fixed,
        }
    }
}

/// SOF to the end of the identifier, with the SRR and IDE that lie between its halves.
fn arbitration(stream: &mut Stream, frame: FrameView<'_>) {
    let id = frame.id.value();
    stream.push(0, 1);
    if frame.id.is_extended() {
        stream.push(id >> 18, 11);
        stream.push(0b11, 2);
        stream.push(id & 0x3_FFFF, 18);
    } else {
        stream.push(id, 11);
    }
}

/// The DLC that names `len`, or the next longer one.
const fn dlc(len: usize) -> u32 {
    match len {
        0..=8 => len as u32,
        9..=12 => 9,
        13..=16 => 10,
        17..=20 => 11,
        21..=24 => 12,
        25..=32 => 13,
        33..=48 => 14,
        _ => 15,
    }
}

/// Counts stuff bits and computes CRC-15 while bits pass. A stuff bit is counted with the bit that
/// follows it.
struct Stream {
    bits: u32,
    stuff: u32,
    /// The bit on the wire before, and how many like it, stuff bits included.
    last: u8,
    run: u8,
    crc: u16,
}

impl Stream {
    const fn new() -> Self {
        Self {
            bits: 0,
            stuff: 0,
            last: 1,
            run: 0,
            crc: 0,
        }
    }

    /// The lowest `count` bits of `value`, the highest first.
    fn push(&mut self, value: u32, count: u32) {
        for position in (0..count).rev() {
            let bit = (value >> position) as u8 & 1;
            self.crc = crc_bit(self.crc, bit);
            let (last, run, stuffed) = stuff_bit(self.last, self.run, bit);
            (self.last, self.run) = (last, run);
            self.stuff += stuffed as u32;
        }
        self.bits += count;
    }

    /// Eight bits by table, as `push` would.
    fn push_byte(&mut self, byte: u8) {
        self.crc = (self.crc << 8 ^ CRC_TABLE[usize::from((self.crc >> 7) as u8 ^ byte)]) & 0x7FFF;
        let step = STUFF_TABLE[state(self.last, self.run)][usize::from(byte)];
        self.last = step >> 3 & 1;
        self.run = step & 7;
        self.stuff += u32::from(step >> 4);
        self.bits += 8;
    }

    /// Stuffing ends here: after five equal bits one more comes.
    const fn end_stuffed(&mut self) {
        if self.run == 5 {
            self.stuff += 1;
        }
    }
}

/// What a bit does after `run` bits equal to `last`: the new run, and whether a stuff bit came first.
const fn stuff_bit(last: u8, run: u8, bit: u8) -> (u8, u8, bool) {
    let stuffed = run == 5;
    let (last, run) = if stuffed { (1 - last, 1) } else { (last, run) };
    let run = if bit == last { run + 1 } else { 1 };
    (bit, run, stuffed)
}

const fn crc_bit(crc: u16, bit: u8) -> u16 {
    let next = (crc >> 14) as u8 & 1 ^ bit;
    (crc << 1 & 0x7FFF) ^ if next == 1 { CRC_POLYNOMIAL } else { 0 }
}

const fn state(last: u8, run: u8) -> usize {
    (last as usize) << 3 | run as usize
}

/// By state and byte: stuff bits << 4, last bit << 3, run.
const STUFF_TABLE: [[u8; 256]; 16] = {
    let mut table = [[0; 256]; 16];
    let mut from = 0;
    while from < 16 {
        let mut byte = 0;
        while byte < 256 {
            let (mut last, mut run, mut stuff) = ((from >> 3) as u8, (from & 7) as u8, 0);
            if run <= 5 {
                let mut position = 8;
                while position > 0 {
                    position -= 1;
                    let step = stuff_bit(last, run, (byte >> position) as u8 & 1);
                    last = step.0;
                    run = step.1;
                    stuff += step.2 as u8;
                }
                table[from][byte] = stuff << 4 | last << 3 | run;
            }
            byte += 1;
        }
        from += 1;
    }
    table
};

const CRC_TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut position) = (0, 8);
        while position > 0 {
            position -= 1;
            crc = crc_bit(crc, (byte >> position) as u8 & 1);
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// CRC delimiter, ACK, ACK delimiter, EOF.
const TRAILER: u32 = 1 + 1 + 1 + 7;
const INTERMISSION: u32 = 3;
const CRC_POLYNOMIAL: u16 = 0x4599;
const NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
