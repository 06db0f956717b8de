//! Runs a property over random cases with a fixed seed, and shrinks what fails.

use core::fmt::Debug;

use isotp_testkit::Verdict;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Checks `property` on `cases` random values.
pub(crate) fn check<S: Strategy>(
    name: &str,
    cases: u32,
    strategy: &S,
    property: impl Fn(S::Value) -> Verdict,
) where
    S::Value: Debug,
{
    let factor = number("ISOTP_PROPERTY_CASES").unwrap_or(1);
    let cases = u32::try_from(u64::from(cases).saturating_mul(factor)).unwrap_or(u32::MAX);
    let seed = number("ISOTP_PROPERTY_SEED").unwrap_or(0x1507_A5ED);
    println!("{name}: {cases} cases, ISOTP_PROPERTY_SEED={seed}");
    let mut bytes = [0; 32];
    for (byte, value) in bytes
        .iter_mut()
        .zip(seed.to_le_bytes().iter().chain(name.as_bytes()))
    {
        *byte = *value;
    }
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 5000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(strategy, |value| {
        property(value).map_err(TestCaseError::fail)
    });
    if let Err(failure) = outcome {
        panic!("{name} fails with ISOTP_PROPERTY_SEED={seed}: {failure}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={value}, expected a whole number")),
    )
}
