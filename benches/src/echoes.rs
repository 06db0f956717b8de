//! Round trips in rounds: every adapter has its turn in each, and so has aioisotp. What else the machine does
//! strikes all of them, so what they took can be compared.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;

use crate::Result;
use crate::adapters::{self, Adapter, BATCHES};
use crate::timing::Effort;

/// What was timed with messages of one size.
#[derive(Debug)]
pub(crate) struct Echoes {
    pub(crate) size: usize,
    pub(crate) ours: Vec<(Adapter, Micros)>,
    /// Where there is a Python that has it.
    pub(crate) aioisotp: Option<Micros>,
    /// One thread wakes another and sleeps.
    pub(crate) hand_over: Micros,
}

/// Microseconds in the batches of all rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Micros {
    pub(crate) min: f64,
    pub(crate) median: f64,
}

/// A message of a few frames, and one of many. `python` has aioisotp.
pub(crate) fn measure(effort: Effort, python: Option<&str>) -> Result<Vec<Echoes>> {
    let sizes = [12, 4095];
    sizes
        .map(|size| one(size, effort, python))
        .into_iter()
        .collect()
}

fn one(size: usize, effort: Effort, python: Option<&str>) -> Result<Echoes> {
    let rounds = match effort {
        Effort::Quick => 4,
        Effort::Full => 10,
    };
    let mut ours = Adapter::ALL.map(|adapter| (adapter, Vec::new()));
    let (mut aioisotp, mut hand_overs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (adapter, micros) in &mut ours {
            micros.extend(adapter.echo(size)?);
        }
        if let Some(python) = python {
            aioisotp.extend(adapters::aioisotp(python, size)?);
        }
        hand_overs.extend(hand_over());
    }
    let ours = ours.map(|(adapter, micros)| (adapter, Micros::of(micros)));
    Ok(Echoes {
        size,
        ours: ours.into(),
        aioisotp: python.map(|_| Micros::of(aioisotp)),
        hand_over: Micros::of(hand_overs),
    })
}

/// Microseconds that one thread needs to wake another and to sleep, in each batch.
fn hand_over() -> Vec<f64> {
    let second_has_it = Arc::new(AtomicBool::new(false));
    let turn = second_has_it.clone();
    let (first, turns) = (thread::current(), adapters::batch(12));
    let second = thread::spawn(move || {
        for _ in 0..turns * (1 + BATCHES) {
            while !turn.load(Ordering::Acquire) {
                thread::park();
            }
            turn.store(false, Ordering::Release);
            first.unpark();
        }
    });
    let there_and_back = adapters::batches(turns, || {
        second_has_it.store(true, Ordering::Release);
        second.thread().unpark();
        while second_has_it.load(Ordering::Acquire) {
            thread::park();
        }
    });
    there_and_back.iter().map(|micros| micros / 2.0).collect()
}

impl Micros {
    fn of(mut batches: Vec<f64>) -> Self {
        batches.sort_by(f64::total_cmp);
        let at = |index: usize| batches.get(index).copied().unwrap_or_default();
        Self {
            min: at(0),
            median: at(batches.len() / 2),
        }
    }
}
