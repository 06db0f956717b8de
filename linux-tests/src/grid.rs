//! The grid: every kind of link, carried between two implementations, and each frame compared with
//! what two sockets of the kernel exchange.

use isotp_core::StMin;

use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::endpoint::{Party, transfer};
use crate::listeners;
use crate::monitor::Monitor;
use crate::pairwise;
use crate::parameters::{Addressing, Parameters, payload};
use crate::raw::Received;

/// One row of the grid.
#[derive(Clone, Copy, Debug)]
struct Row {
    parties: (Party, Party),
    addressing: Addressing,
    fd: Option<u8>,
    pad: bool,
    size: usize,
    block_size: u8,
    /// In microseconds.
    st_min: u16,
}

impl Row {
    /// From one index for each axis.
    fn new(indices: &[usize]) -> Option<Self> {
        let &[parties, addressing, fd, pad, size, block_size, st_min] = indices else {
            return None;
        };
        Some(Self {
            parties: *PARTIES.get(parties)?,
            addressing: *Addressing::ALL.get(addressing)?,
            fd: *FD.get(fd)?,
            pad: *[false, true].get(pad)?,
            size: *SIZES.get(size)?,
            block_size: *BLOCK_SIZES.get(block_size)?,
            st_min: *ST_MINS.get(st_min)?,
        })
    }

    /// What is wanted: the largest messages only at STmin 0, and none that can-utils cannot hold.
    fn is_wanted(&self) -> bool {
        let tools = self.parties.0 == Party::Tools || self.parties.1 == Party::Tools;
        let most = match (tools, self.st_min) {
            (true, _) => 4999,
            (false, 0) => usize::MAX,
            (false, _) => 4096,
        };
        self.size <= most
    }

    fn name(&self) -> String {
        let (from, to) = (self.parties.0.name(), self.parties.1.name());
        let frames = self
            .fd
            .map_or_else(|| "cc".to_owned(), |tx_dl| format!("fd-{tx_dl}"));
        let pad = if self.pad { "padded" } else { "plain" };
        format!(
            "grid/{from}-{to}/{}/{frames}/{pad}/{}-bytes/bs-{}/stmin-{}us",
            self.addressing.name(),
            self.size,
            self.block_size,
            self.st_min
        )
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

    fn run(&self, interface: &str) -> Result<String, String> {
        let ours = self.traced(interface, self.parties)?;
        let reference = self.traced(interface, (Party::Kernel, Party::Kernel));
        let reference = reference.map_err(|error| format!("the reference: {error}"))?;
        compare(&ours, &reference)?;
        Ok(format!("{} frames", ours.len()))
    }

    fn traced(&self, interface: &str, parties: (Party, Party)) -> Result<Vec<Received>, String> {
        let (parameters, payload) = (self.parameters(), payload(self.size));
        let monitor = Monitor::start(interface, &parameters)?;
        let result = transfer(
            interface,
            &parameters,
            parties,
            &payload,
            Deadline::seconds(10),
        );
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

    fn case(self) -> Case {
        Case {
            name: self.name(),
            needs: &[Need::Isotp, Need::CanUtils],
            seconds: 40,
            run: Box::new(move |interface| self.run(interface)),
        }
    }
}

/// The sample, or the whole grid.
pub(crate) fn cases(all: bool) -> Vec<Case> {
    let allowed = |indices: &[usize]| Row::new(indices).is_some_and(|row| row.is_wanted());
    let rows = if all {
        pairwise::whole(&AXES, allowed)
    } else {
        pairwise::cover(&AXES, allowed, SEED)
    };
    rows.iter()
        .filter_map(|row| Row::new(row))
        .map(Row::case)
        .collect()
}

/// The case of this name; the row is found axis by axis, since the grid is long.
pub(crate) fn case(name: &str) -> Option<Case> {
    let mut indices = vec![0; AXES.len()];
    let parts = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    let wanted = parts(name);
    for (axis, size) in AXES.iter().enumerate() {
        indices[axis] = (0..*size).find(|value| {
            let mut indices = vec![0; AXES.len()];
            indices[axis] = *value;
            let row = Row::new(&indices).map(|row| parts(&row.name()));
            row.is_some_and(|row| row.get(axis + 1) == wanted.get(axis + 1))
        })?;
    }
    let row = Row::new(&indices)?;
    (row.name() == name).then(|| row.case())
}

/// The frames are the same, one by one.
fn compare(ours: &[Received], reference: &[Received]) -> Result<(), String> {
    let view = |frame: &Received| (frame.id, frame.kind, frame.data.clone());
    let differs = |at: &usize| ours.get(*at).map(view) != reference.get(*at).map(view);
    match (0..ours.len().max(reference.len())).find(differs) {
        None => Ok(()),
        Some(at) => Err(format!(
            "{} frames, of the kernel alone {}; frame {at} differs: {:?}, of the kernel {:?}",
            ours.len(),
            reference.len(),
            ours.get(at),
            reference.get(at)
        )),
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

const PARTIES: [(Party, Party); 12] = [
    (Party::Core, Party::Kernel),
    (Party::Kernel, Party::Core),
    (Party::Core, Party::Tools),
    (Party::Tools, Party::Core),
    (Party::Raw, Party::Kernel),
    (Party::Kernel, Party::Raw),
    (Party::Raw, Party::Tools),
    (Party::Tools, Party::Raw),
    (Party::KernelLink, Party::Kernel),
    (Party::Kernel, Party::KernelLink),
    (Party::KernelLink, Party::Tools),
    (Party::Tools, Party::KernelLink),
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
const AXES: [usize; 7] = [
    PARTIES.len(),
    Addressing::ALL.len(),
    FD.len(),
    2,
    SIZES.len(),
    BLOCK_SIZES.len(),
    ST_MINS.len(),
];
const SEED: u64 = 0x1507_2024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_of_the_sample_is_found_by_its_name() {
        let sample = cases(false);
        assert!(sample.len() >= 81 && sample.len() < 200, "{}", sample.len());
        for wanted in &sample {
            let found = case(&wanted.name).expect("the name of a case");
            assert_eq!(found.name, wanted.name);
        }
        assert!(case("grid/core-kernel/normal-11/fd-9").is_none());
        assert!(case("other").is_none());
    }
}
