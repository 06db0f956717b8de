//! A bus on which things go wrong.

use core::time::Duration;

use isotp_sim::{BitTiming, Bus, BusConfig, Chance, Clock, Fault, Faults};

/// What goes wrong on a bus, and whether its frames take time.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Of all that is left to chance.
    pub seed: u64,
    /// In how many frames of a hundred what happens.
    pub faults: Vec<(u32, Fault)>,
    /// So many frames in a row, from this one on, are lost or, if so, late.
    pub burst: (u64, u64, bool),
    /// Frames take as long as at 500 kbit/s and 2 Mbit/s, or no time.
    pub timed: bool,
}

impl Trouble {
    /// The bus.
    ///
    /// # Panics
    /// If there is no such bit timing.
    #[must_use]
    pub fn bus(&self) -> Bus {
        let chances = self.faults.iter();
        let faults = chances.fold(Faults::random(self.seed), |faults, (percent, fault)| {
            faults.with(Chance::percent(*percent), *fault)
        });
        let (from, count, late) = self.burst;
        let burst = if late {
            Fault::Delay(Duration::from_millis(3))
        } else {
            Fault::Lose
        };
        let faults = (from..from + count).fold(faults, |faults, number| faults.at(number, burst));
        let clock = if self.timed {
            Clock::Timed(BitTiming::new(500_000, 2_000_000).expect("a common timing"))
        } else {
            Clock::Free
        };
        Bus::new(BusConfig { clock, faults })
    }

    /// Whether one of the faults is such, or frames are late in a burst.
    #[must_use]
    pub fn has(&self, is: impl Fn(&Fault) -> bool) -> bool {
        (self.burst.1 > 0 && self.burst.2) || self.faults.iter().any(|(_, fault)| is(fault))
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.faults.is_empty() && self.burst.1 == 0
    }
}
