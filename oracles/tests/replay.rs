//! Replays the seeds and every input that ever failed, with the oracles of the fuzz targets.
//!
//! `ISOTP_WRITE_SEEDS=1` writes the seeds anew.

use std::path::{Path, PathBuf};

use isotp_oracles::{TARGETS, hold, seeds};

#[test]
fn what_failed_once_holds_now_and_so_does_the_corpus() {
    let mut replayed = 0;
    for target in TARGETS {
        for folder in ["corpus", "regressions"] {
            for (path, input) in inputs(&root().join("fuzz").join(folder).join(target.name)) {
                println!("{}", path.display());
                hold(target.name, &input);
                replayed += 1;
            }
        }
    }
    assert!(replayed > 100, "only {replayed} inputs are there");
}

#[test]
fn the_seeds_are_those_of_the_conformance_vectors() {
    let vectors = root().join("isotp-core/tests/conformance/vectors.txt");
    let vectors = std::fs::read_to_string(vectors).unwrap();
    for target in TARGETS {
        let folder = root().join("fuzz/corpus").join(target.name);
        for (name, seed) in seeds(target.name, &vectors) {
            let path = folder.join(name);
            if std::env::var_os("ISOTP_WRITE_SEEDS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &seed).unwrap();
            }
            let found = std::fs::read(&path).unwrap_or_default();
            assert!(
                found == seed,
                "{path:?} is not the seed; ISOTP_WRITE_SEEDS=1 writes it"
            );
        }
    }
}

/// Random bytes reach what a fuzzer would reach first.
#[test]
fn each_oracle_holds_for_random_bytes() {
    let mut random = isotp_sim::Rng::new(0x1507);
    for target in TARGETS {
        for _ in 0..300 {
            let len = random.below(600);
            let input: Vec<u8> = (0..len).map(|_| random.next_u64() as u8).collect();
            hold(target.name, &input);
        }
    }
}

#[test]
fn each_target_has_its_program() {
    for target in TARGETS {
        let path = root()
            .join("fuzz/fuzz_targets")
            .join(target.name)
            .with_extension("rs");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let call = format!("hold(\"{}\", input)", target.name);
        assert!(text.contains(&call), "{path:?} does not call {call}");
    }
}

fn inputs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| std::fs::read(&path).map(|bytes| (path, bytes)).unwrap();
    paths.into_iter().map(read).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
