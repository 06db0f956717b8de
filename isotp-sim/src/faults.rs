//! What goes wrong on the bus: by chance from a seed, or scripted by frame number.

use core::time::Duration;
use std::collections::BTreeMap;

/// One thing that goes wrong with one frame.
///
/// `Refuse` and `Full` happen when a frame is submitted, the others when it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// No other port receives it; its sender sees a confirmation all the same.
    Lose,
    /// The others receive it twice, as CAN does when an error hits the last bit of a frame.
    Duplicate,
    /// The others receive it so much later; frames behind it may overtake it.
    Delay(Duration),
    /// The others receive it after the frame that follows it, or after 10 ms if none does.
    Reorder,
    /// One bit of the data arrives inverted, counted from the first, modulo the length.
    Corrupt {
        /// Which bit.
        bit: u16,
    },
    /// It never gets onto the bus: the sender is told that it failed.
    Fail,
    /// It never gets onto the bus, and its sender is off the bus for this long: what waits in its
    /// queue fails, and it neither sends nor receives until then.
    BusOff(Duration),
    /// The confirmation comes so much later.
    ConfirmLate(Duration),
    /// The confirmation comes twice.
    ConfirmTwice,
    /// The confirmation never comes.
    ConfirmNever,
    /// The controller says that it will never take this frame.
    Refuse,
    /// The controller takes no frame for this long.
    Full(Duration),
}

impl Fault {
    const fn is_at_submission(self) -> bool {
        matches!(self, Self::Refuse | Self::Full(_))
    }

    /// Draws what a random fault leaves open: times up to the one given, and which bit.
    fn drawn(self, rng: &mut Rng) -> Self {
        let mut up_to = |longest: Duration| {
            let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(1 + rng.below(micros.max(1)))
        };
        match self {
            Self::Delay(longest) => Self::Delay(up_to(longest)),
            Self::BusOff(longest) => Self::BusOff(up_to(longest)),
            Self::ConfirmLate(longest) => Self::ConfirmLate(up_to(longest)),
            Self::Full(longest) => Self::Full(up_to(longest)),
            Self::Corrupt { .. } => Self::Corrupt {
                bit: rng.below(512) as u16,
            },
            other => other,
        }
    }
}

/// How often something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chance(u32);

impl Chance {
    /// In one case of `cases` on average; never for 0.
    #[must_use]
    pub const fn one_in(cases: u32) -> Self {
        match u32::MAX.checked_div(cases) {
            Some(chance) => Self(chance),
            None => Self(0),
        }
    }

    /// In so many cases of a hundred; 100 and more: always.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        if percent >= 100 {
            Self(u32::MAX)
        } else {
            Self(u32::MAX / 100 * percent)
        }
    }

    fn comes_true(self, rng: &mut Rng) -> bool {
        let drawn = rng.next_u64() as u32;
        drawn < self.0 || self.0 == u32::MAX
    }
}

/// The faults of a bus. The same faults give the same run.
///
/// ```
/// use core::time::Duration;
/// use isotp_sim::{Chance, Fault, Faults};
/// let faults = Faults::random(7)
///     .with(Chance::percent(2), Fault::Lose)
///     .with(Chance::one_in(500), Fault::Delay(Duration::from_millis(3)))
///     .at(0, Fault::Duplicate);
/// assert_ne!(faults, Faults::none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    rng: Rng,
    random: Vec<(Chance, Fault)>,
    script: BTreeMap<u64, Fault>,
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self::random(0)
    }

    /// Nothing goes wrong yet; what [`with`](Self::with) adds is drawn from this seed.
    #[must_use]
    pub const fn random(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            random: Vec::new(),
            script: BTreeMap::new(),
        }
    }

    /// Adds a fault that hits each frame with this chance. Its times are drawn up to the one given,
    /// and so is the bit that is inverted. At most one fault hits a frame on the wire: the first added
    /// of those that come true.
    #[must_use]
    pub fn with(mut self, chance: Chance, fault: Fault) -> Self {
        self.random.push((chance, fault));
        self
    }

    /// Adds a fault that hits exactly one frame, as given: the one with this number on the wire, or for
    /// `Refuse` and `Full` the submission with this number. Both count from 0, for all ports together.
    #[must_use]
    pub fn at(mut self, number: u64, fault: Fault) -> Self {
        self.script
            .insert(script_key(number, fault.is_at_submission()), fault);
        self
    }

    pub(crate) fn is_none(&self) -> bool {
        self.random.is_empty() && self.script.is_empty()
    }

    /// What happens to frame `number` on the wire.
    pub(crate) fn on_wire(&mut self, number: u64) -> Option<Fault> {
        self.draw(number, false)
    }

    /// What happens to submission `number`.
    pub(crate) fn on_submission(&mut self, number: u64) -> Option<Fault> {
        self.draw(number, true)
    }

    #[inline]
    fn draw(&mut self, number: u64, at_submission: bool) -> Option<Fault> {
        if self.is_none() {
            return None;
        }
        let scripted = self.script.get(&script_key(number, at_submission));
        if let Some(fault) = scripted {
            return Some(*fault);
        }
        let rng = &mut self.rng;
        let mut hits = self
            .random
            .iter()
            .filter(|(_, fault)| fault.is_at_submission() == at_submission);
        let (_, fault) = hits.find(|(chance, _)| chance.comes_true(rng))?;
        Some(fault.drawn(rng))
    }
}

/// Frames on the wire and submissions are numbered apart.
const fn script_key(number: u64, at_submission: bool) -> u64 {
    number << 1 | at_submission as u64
}

/// A small random number generator (SplitMix64), so that a seed means the same run everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rng(u64);

impl Rng {
    /// Any seed will do.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number, brought below `bound`; 0 if that is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the reference implementation for seed 1234567.
    #[test]
    fn the_generator_is_splitmix64() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn chances_come_true_as_often_as_they_say() {
        let mut rng = Rng::new(1);
        let mut count =
            |chance: Chance| (0..10_000).filter(|_| chance.comes_true(&mut rng)).count();
        assert_eq!(count(Chance::one_in(0)), 0);
        assert_eq!(count(Chance::percent(0)), 0);
        assert_eq!(count(Chance::percent(100)), 10_000);
        assert!((900..1100).contains(&count(Chance::one_in(10))));
        assert!((2300..2700).contains(&count(Chance::percent(25))));
    }

    #[test]
    fn a_scripted_fault_hits_its_frame_only() {
        let mut faults = Faults::none().at(3, Fault::Lose).at(3, Fault::Refuse);
        let on_wire: Vec<_> = (0..6).map(|number| faults.on_wire(number)).collect();
        assert_eq!(on_wire, [None, None, None, Some(Fault::Lose), None, None]);
        assert_eq!(faults.on_submission(3), Some(Fault::Refuse));
        assert_eq!(faults.on_submission(2), None);
    }
}
