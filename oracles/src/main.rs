//! `cargo xtask sim`: plays seeded worlds on all processors, and says which fails.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use isotp_oracles::{Figures, world};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["--seed", seed] => number(seed).and_then(|seed| play(seed, 1)),
        [worlds] => number(worlds).and_then(|worlds| play(0, worlds)),
        _ => Err("expected a number of worlds, or --seed SEED".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(word: &str) -> Result<u64, String> {
    word.parse()
        .map_err(|_| format!("expected a number, got '{word}'"))
}

/// Plays `worlds` seeds from `first` on.
fn play(first: u64, worlds: u64) -> Result<(), String> {
    let begin = Instant::now();
    let next = AtomicU64::new(first);
    let end = first.saturating_add(worlds);
    let total = Mutex::new((Figures::default(), None));
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = std::panic::catch_unwind(|| world(seed));
                    let outcome = outcome.unwrap_or_else(|_| Err("it panicked, see above".into()));
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok(figures) => total.0.add(&figures),
                        Err(error) => {
                            total.1.get_or_insert((seed, error));
                            next.store(end, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (figures, failure) = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((seed, error)) = failure {
        return Err(format!(
            "{error}\nseed {seed} fails; cargo xtask sim --seed {seed} plays it again"
        ));
    }
    println!(
        "{worlds} worlds: {figures}; {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}
