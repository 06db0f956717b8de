//! Seeded worlds: pairs of links on one bus, alone or in routers, with any configurations, faults, bit timing,
//! stalls and clocks that jump.

use isotp_sim::Rng;

use isotp_testkit::Choose as _;

use crate::pair::{Figures, Hosts, Lengths, Outcome, run};
use crate::setup::setup;
use crate::source::Source;

/// Plays the world of this seed, and checks P6 and P8 for each transfer in it; where nothing goes wrong,
/// everything arrives.
///
/// # Errors
/// What does not hold, and the trace: frames as candump writes them, the events of each end as comments.
pub fn world(seed: u64) -> Result<Figures, String> {
    play(seed).map(|(figures, _)| figures)
}

fn play(seed: u64) -> Result<(Figures, Outcome), String> {
    let mut random = Rng::new(seed);
    let crowded = random.below(256) == 0;
    let choices = if crowded { 16 * CHOICES } else { CHOICES };
    let choices: Vec<u8> = (0..choices / 8)
        .flat_map(|_| random.next_u64().to_le_bytes())
        .collect();
    let mut source = Source::new(&choices);
    let pairs = if crowded {
        source.pick(&[50, 100, 200])
    } else {
        source.pick(&[1, 1, 2, 3, 5, 8])
    };
    let hosts = if crowded {
        source.pick(&[Hosts::Router, Hosts::Routers])
    } else {
        source.pick(&[Hosts::Links, Hosts::Links, Hosts::Router, Hosts::Routers])
    };
    let setups = (0..pairs)
        .map(|pair| {
            let mut setup = setup(&mut source);
            setup.pair = pair;
            setup
        })
        .collect();
    let run = run(&mut source, setups, hosts, Lengths::Short);
    let outcome = run.play()?;
    Ok((outcome.judge(&run)?, outcome))
}

/// Bytes of choices, more than a world makes.
const CHOICES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_worlds_hold() {
        let mut transfers = 0;
        for seed in 0..100 {
            match world(seed) {
                Ok(figures) => transfers += figures.transfers,
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
        assert!(transfers > 1000, "{transfers} transfers");
    }

    /// Frame by frame and event by event.
    #[test]
    fn a_seed_always_makes_the_same_world() {
        for seed in 1000..1020 {
            let [(figures, first), (again, second)] = [(); 2].map(|()| play(seed).unwrap());
            assert_eq!(figures, again);
            assert!(figures.transfers > 0);
            assert!(first.trace() == second.trace(), "seed {seed}");
        }
    }
}
