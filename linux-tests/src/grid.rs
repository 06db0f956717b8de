//! The grid: every kind of link, carried between two implementations, and each frame compared with
//! what two sockets of the kernel exchange.

mod link;

use crate::case::{Case, Need};
use crate::endpoint::Party;
use crate::pairwise;
use crate::raw::Received;
use link::Link;

/// One row of the grid.
#[derive(Clone, Copy, Debug)]
struct Row {
    parties: (Party, Party),
    link: Link,
}

impl Row {
    /// From one index for each axis: the parties, then those of the link.
    fn new(indices: &[usize]) -> Option<Self> {
        let (parties, link) = indices.split_first()?;
        Some(Self {
            parties: *PARTIES.get(*parties)?,
            link: Link::new(link)?,
        })
    }

    fn is_wanted(&self) -> bool {
        self.link.is_wanted() && self.link.suits(self.parties)
    }

    fn name(&self) -> String {
        format!("grid/{}/{}", pair(self.parties), self.link.name())
    }

    fn run(&self, interface: &str) -> Result<String, String> {
        let ours = self.link.traced(interface, self.parties)?;
        compare(&ours, &reference(self.link, interface)?)?;
        Ok(format!("{} frames", ours.len()))
    }

    fn case(self) -> Case {
        Case {
            name: self.name(),
            needs: &[Need::Isotp, Need::CanUtils],
            seconds: 80,
            run: Box::new(move |interface| self.run(interface)),
        }
    }
}

/// A link between all parties, one pair after another.
#[derive(Clone, Copy, Debug)]
struct Whole(Link);

impl Whole {
    fn name(self) -> String {
        format!("{WHOLE}{}", self.0.name())
    }

    /// Each pair that fails is tried once again, and told in any case.
    fn run(self, interface: &str) -> Result<String, String> {
        let reference = reference(self.0, interface)?;
        let mut remark = String::new();
        let (mut rows, mut failed) = (0, false);
        let pairs = PARTIES.into_iter().filter(|pair| in_whole(*pair));
        for parties in pairs.filter(|pair| self.0.suits(*pair)) {
            let run = || {
                let ours = self.0.traced(interface, parties)?;
                compare(&ours, &reference)
            };
            rows += 1;
            if let Err(first) = run() {
                let second = run();
                failed |= second.is_err();
                let ended = second.err().unwrap_or_else(|| "ok".to_owned());
                let pair = pair(parties);
                remark.push_str(&format!("; {pair}: {first}; second try: {ended}"));
            }
        }
        let remark = format!("{rows} rows of {} frames{remark}", reference.len());
        if failed { Err(remark) } else { Ok(remark) }
    }

    fn case(self) -> Case {
        Case {
            name: self.name(),
            needs: &[Need::Isotp, Need::CanUtils],
            seconds: 600,
            run: Box::new(move |interface| self.run(interface)),
        }
    }
}

/// The core by itself is in the sample alone: `raw:` is the same core, with all that is around it.
fn in_whole((from, to): (Party, Party)) -> bool {
    from != Party::Core && to != Party::Core
}

/// What two sockets of the kernel exchange.
fn reference(link: Link, interface: &str) -> Result<Vec<Received>, String> {
    let frames = link.traced(interface, (Party::Kernel, Party::Kernel));
    frames.map_err(|error| format!("the reference: {error}"))
}

fn pair((from, to): (Party, Party)) -> String {
    format!("{}-{}", from.name(), to.name())
}

/// The sample, or the whole grid.
pub(crate) fn cases(all: bool) -> Vec<Case> {
    if all {
        let links = pairwise::whole(&link::AXES, |indices| {
            Link::new(indices).is_some_and(|link| link.is_wanted() && link.is_distinct())
        });
        let links = links.iter().filter_map(|indices| Link::new(indices));
        return links.map(|link| Whole(link).case()).collect();
    }
    let mut axes = vec![PARTIES.len()];
    axes.extend(link::AXES);
    let allowed = |indices: &[usize]| Row::new(indices).is_some_and(|row| row.is_wanted());
    let rows = pairwise::cover(&axes, allowed, SEED);
    rows.iter()
        .filter_map(|row| Row::new(row))
        .map(Row::case)
        .collect()
}

/// The case of this name.
pub(crate) fn case(name: &str) -> Option<Case> {
    if let Some(link) = name.strip_prefix(WHOLE) {
        return Link::named(link).map(|link| Whole(link).case());
    }
    let (parties, link) = name.strip_prefix("grid/")?.split_once('/')?;
    let parties = PARTIES
        .into_iter()
        .find(|wanted| pair(*wanted) == parties)?;
    let link = Link::named(link)?;
    Some(Row { parties, link }.case())
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
const WHOLE: &str = "grid-whole/";
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
        let whole = cases(true);
        assert!(whole.len() > 3000 && whole.len() < 6000, "{}", whole.len());
        for wanted in whole.iter().step_by(97) {
            let found = case(&wanted.name).expect("the name of a case");
            assert_eq!(found.name, wanted.name);
        }
        assert!(case("other").is_none());
    }
}
