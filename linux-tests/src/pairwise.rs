//! A sample of a grid in which every pair of values of every two axes occurs.

use std::collections::BTreeSet;

/// Two values: axis and index of each, the lower axis first.
type Pair = ((usize, usize), (usize, usize));

/// Rows of indices, one an axis, that hold every pair which some row allowed by `allowed` holds. The
/// same seed gives the same rows.
pub(crate) fn cover(
    axes: &[usize],
    allowed: impl Fn(&[usize]) -> bool,
    seed: u64,
) -> Vec<Vec<usize>> {
    let mut random = Random(seed);
    let mut missing = possible(axes, &allowed);
    let mut rows = Vec::new();
    while let Some(&first) = missing.iter().next() {
        let best = (0..TRIES)
            .filter_map(|_| candidate(axes, first, &allowed, &mut random))
            .max_by_key(|row| pairs(row).filter(|pair| missing.contains(pair)).count());
        let row =
            best.expect("a pair that is possible has a row, and it is looked for often enough");
        for pair in pairs(&row) {
            missing.remove(&pair);
        }
        rows.push(row);
    }
    rows
}

/// Every row of the grid that is allowed.
pub(crate) fn whole(axes: &[usize], allowed: impl Fn(&[usize]) -> bool) -> Vec<Vec<usize>> {
    rows(axes).filter(|row| allowed(row)).collect()
}

fn rows(axes: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    (0..axes.iter().product()).map(|number: usize| {
        let mut rest = number;
        let digit = |size: &usize| {
            let value = rest % size;
            rest /= size;
            value
        };
        axes.iter().map(digit).collect()
    })
}

/// The pairs for which there is an allowed row; mostly the first row that is tried.
fn possible(axes: &[usize], allowed: &impl Fn(&[usize]) -> bool) -> BTreeSet<Pair> {
    let mut found = BTreeSet::new();
    for (a, b) in pairs(axes).map(|((a, _), (b, _))| (a, b)) {
        let mut others = axes.to_vec();
        (others[a], others[b]) = (1, 1);
        for (first, second) in rows(&[axes[a], axes[b]]).map(|pair| (pair[0], pair[1])) {
            let holds = rows(&others).any(|mut row| {
                (row[a], row[b]) = (first, second);
                allowed(&row)
            });
            if holds {
                found.insert(((a, first), (b, second)));
            }
        }
    }
    found
}

/// A random allowed row with this pair in it.
fn candidate(
    axes: &[usize],
    pair: Pair,
    allowed: &impl Fn(&[usize]) -> bool,
    random: &mut Random,
) -> Option<Vec<usize>> {
    (0..TRIES).find_map(|_| {
        let mut row: Vec<usize> = axes.iter().map(|size| random.below(*size)).collect();
        for (axis, value) in [pair.0, pair.1] {
            row[axis] = value;
        }
        allowed(&row).then_some(row)
    })
}

fn pairs(row: &[usize]) -> impl Iterator<Item = Pair> {
    (0..row.len()).flat_map(move |a| (a + 1..row.len()).map(move |b| ((a, row[a]), (b, row[b]))))
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

const TRIES: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(axes: &[usize], rows: &[Vec<usize>], allowed: impl Fn(&[usize]) -> bool) -> usize {
        let have: BTreeSet<Pair> = rows.iter().flat_map(|row| pairs(row)).collect();
        possible(axes, &allowed).difference(&have).count()
    }

    #[test]
    fn every_pair_occurs() {
        let axes = [4, 3, 9, 2, 7];
        for seed in 1..20 {
            let rows = cover(&axes, |_| true, seed);
            assert_eq!(missing(&axes, &rows, |_| true), 0, "seed {seed}");
            assert!(rows.len() >= 63 && rows.len() < 100, "{} rows", rows.len());
        }
    }

    #[test]
    fn every_pair_that_is_allowed_occurs_and_no_other() {
        let axes = [4, 3, 9, 2, 7];
        let allowed = |row: &[usize]| row[0] != 3 || (row[2] < 4 && row[4] == 0);
        let rows = cover(&axes, allowed, 7);
        assert!(rows.iter().all(|row| allowed(row)));
        assert_eq!(missing(&axes, &rows, allowed), 0);
        let without_first = &rows[1..];
        assert_ne!(
            missing(&axes, without_first, allowed),
            0,
            "the test can fail"
        );
    }

    #[test]
    fn a_seed_gives_the_same_rows_again() {
        assert_eq!(
            cover(&[3, 3, 3], |_| true, 5),
            cover(&[3, 3, 3], |_| true, 5)
        );
    }

    #[test]
    fn the_whole_grid_has_every_row_once() {
        let rows: BTreeSet<_> = whole(&[2, 3, 5], |_| true).into_iter().collect();
        assert_eq!(rows.len(), 30);
    }
}
