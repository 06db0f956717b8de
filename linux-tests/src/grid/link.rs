//! One link of the grid.

use isotp_core::{AddressFormat, StMin};

use crate::deadline::Deadline;
use crate::endpoint::{Party, transfer};
use crate::listeners;
use crate::monitor::Monitor;
use crate::parameters::{Addressing, Parameters, payload};
use crate::raw::Received;

/// What a link is like, and how long its message is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    addressing: Addressing,
    fd: Option<u8>,
    pad: bool,
    size: usize,
    block_size: u8,
    /// In microseconds.
    st_min: u16,
}

impl Link {
    /// From one index for each axis.
    pub(super) fn new(indices: &[usize]) -> Option<Self> {
        let &[addressing, fd, pad, size, block_size, st_min] = indices else {
            return None;
        };
        Some(Self {
            addressing: *Addressing::ALL.get(addressing)?,
            fd: *FD.get(fd)?,
            pad: *[false, true].get(pad)?,
            size: *SIZES.get(size)?,
            block_size: *BLOCK_SIZES.get(block_size)?,
            st_min: *ST_MINS.get(st_min)?,
        })
    }

    /// The link of this name; it is found axis by axis.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut indices = vec![0; AXES.len()];
        let parts = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
        let wanted = parts(name);
        for (axis, size) in AXES.iter().enumerate() {
            indices[axis] = (0..*size).find(|value| {
                let mut indices = vec![0; AXES.len()];
                indices[axis] = *value;
                let link = Self::new(&indices).map(|link| parts(&link.name()));
                link.is_some_and(|link| link.get(axis) == wanted.get(axis))
            })?;
        }
        Self::new(&indices).filter(|link| link.name() == name)
    }

    pub(super) fn name(&self) -> String {
        let frames = self
            .fd
            .map_or_else(|| "cc".to_owned(), |tx_dl| format!("fd-{tx_dl}"));
        let pad = if self.pad { "padded" } else { "plain" };
        format!(
            "{}/{frames}/{pad}/{}-bytes/bs-{}/stmin-{}us",
            self.addressing.name(),
            self.size,
            self.block_size,
            self.st_min
        )
    }

    /// The largest messages only at STmin 0.
    pub(super) fn is_wanted(&self) -> bool {
        self.st_min == 0 || self.size <= 4096
    }

    /// Whether both hold its message: can-utils of Debian 12 take 4999 bytes.
    pub(super) fn suits(&self, (from, to): (Party, Party)) -> bool {
        let tools = from == Party::Tools || to == Party::Tools;
        !tools || self.size <= 4999
    }

    /// Whether BS and STmin change more than their byte in the flow control. They do not for a single
    /// frame; STmin does not where a block has one consecutive frame; BS does not where the first block
    /// holds the whole message, and 0 stands for all of those.
    pub(super) fn is_distinct(&self) -> bool {
        let frames = self.consecutive_frames();
        let block = usize::from(self.block_size);
        let st_min_shows = frames > 1 && block != 1;
        (self.block_size == 0 || frames > block) && (self.st_min == 0 || st_min_shows)
    }

    /// How many consecutive frames the message takes; 0 for one in a single frame (TXF-02 to TXF-04).
    fn consecutive_frames(&self) -> usize {
        let address = match self.addressing.address().tx().format() {
            AddressFormat::Normal | AddressFormat::NormalFixed => 0,
            _ => 1,
        };
        let tx_dl = usize::from(self.fd.unwrap_or(8));
        let single = tx_dl - address - if tx_dl > 8 { 2 } else { 1 };
        if self.size <= single {
            return 0;
        }
        let first = tx_dl - address - if self.size > 4095 { 6 } else { 2 };
        (self.size - first).div_ceil(tx_dl - address - 1)
    }

    fn parameters(&self) -> Parameters {
        let st_min = StMin::at_least(core::time::Duration::from_micros(self.st_min.into()));
        Parameters {
            address: self.addressing.address(),
            fd: self.fd,
            pad: self.pad.then_some(0x55),
            block_size: self.block_size,
            st_min: st_min.expect("up to 1 ms"),
        }
    }

    /// Carries the message between two parties; every frame that was on the bus.
    pub(super) fn traced(
        &self,
        interface: &str,
        parties: (Party, Party),
    ) -> Result<Vec<Received>, String> {
        let (parameters, payload) = (self.parameters(), payload(self.size));
        let monitor = Monitor::start(interface, &parameters)?;
        let deadline = Deadline::seconds(30);
        let result = transfer(interface, &parameters, parties, &payload, deadline);
        let frames = monitor.frames()?;
        for half in [parameters.address.tx(), parameters.address.rx()] {
            // a second socket on the link would send flow control too
            listeners::go(half.id(), Deadline::seconds(5))?;
        }
        match result {
            Ok(()) => Ok(frames),
            Err(error) => Err(format!(
                "{error}; {} frames: {}",
                frames.len(),
                head(&frames)
            )),
        }
    }
}

fn head(frames: &[Received]) -> String {
    let shown: Vec<String> = frames
        .iter()
        .take(8)
        .map(|frame| format!("{frame:?}"))
        .collect();
    shown.join(" ")
}

pub(super) const AXES: [usize; 6] = [
    Addressing::ALL.len(),
    FD.len(),
    2,
    SIZES.len(),
    BLOCK_SIZES.len(),
    ST_MINS.len(),
];

const FD: [Option<u8>; 9] = [
    None,
    Some(8),
    Some(12),
    Some(16),
    Some(20),
    Some(24),
    Some(32),
    Some(48),
    Some(64),
];
const SIZES: [usize; 9] = [1, 6, 7, 8, 62, 63, 4095, 4096, 60_000];
const BLOCK_SIZES: [u8; 4] = [0, 1, 8, 255];
const ST_MINS: [u16; 3] = [0, 100, 1000];

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(addressing: Addressing, fd: Option<u8>, size: usize) -> usize {
        let link = Link {
            addressing,
            fd,
            pad: false,
            size,
            block_size: 0,
            st_min: 0,
        };
        link.consecutive_frames()
    }

    #[test]
    fn consecutive_frames_are_counted_as_the_standard_cuts_messages() {
        use Addressing::{Extended11, Normal11};
        assert_eq!([6, 7].map(|size| frames(Extended11, None, size)), [0, 1]);
        assert_eq!(
            [7, 8, 62, 63].map(|size| frames(Normal11, None, size)),
            [0, 1, 8, 9]
        );
        assert_eq!(
            [62, 63].map(|size| frames(Normal11, Some(64), size)),
            [0, 1]
        );
        assert_eq!(
            [4095, 4096].map(|size| frames(Normal11, None, size)),
            [585, 585]
        );
    }

    #[test]
    fn what_changes_a_byte_of_the_flow_control_alone_is_one_row() {
        let distinct = |size, block_size, st_min| {
            let (addressing, fd, pad) = (Addressing::Normal11, None, false);
            Link {
                addressing,
                fd,
                pad,
                size,
                block_size,
                st_min,
            }
            .is_distinct()
        };
        assert!(distinct(7, 0, 0) && !distinct(7, 1, 0) && !distinct(7, 0, 100));
        assert!(distinct(63, 1, 0) && !distinct(63, 1, 100) && distinct(63, 8, 100));
        assert!(!distinct(62, 8, 0) && !distinct(63, 255, 0) && distinct(4095, 255, 1000));
    }
}
