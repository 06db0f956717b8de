//! Runs vectors and says what failed, where and how.

use core::fmt;
use std::path::Path;

use super::profile::Profile;
use super::script::{Item, Script, Step};
use super::vector::Vector;
use super::world::{Drive, Expected, Output, World};

/// What became of all vectors.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: Vec<(String, u32)>,
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn run_file(&mut self, path: &Path) {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => self.run_text(&name, &text),
            Err(error) => self.failures.push(format!("{name}: {error}")),
        }
    }

    pub(crate) fn run_text(&mut self, name: &str, text: &str) {
        let mut count = 0;
        for (index, line) in text.lines().enumerate() {
            let vector = match Vector::parse(line) {
                Ok(None) => continue,
                Ok(Some(vector)) => vector,
                Err(error) => {
                    let line = index + 1;
                    self.failures.push(format!("{name}:{line}: {error}"));
                    continue;
                }
            };
            // a panic is the failure of one vector, not the end of all
            let outcome = std::panic::catch_unwind(|| run(&vector));
            match outcome.unwrap_or_else(|_| Err("the link panicked".to_owned())) {
                Ok(()) => count += 1,
                Err(error) => {
                    let number = vector.number;
                    self.failures.push(format!("{name}: {number}: {error}"));
                }
            }
        }
        self.files.push((name.to_owned(), count));
    }

    pub(crate) fn passed(&self) -> u32 {
        self.files.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn all_passed(&self) -> bool {
        self.failures.is_empty()
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(crate) fn summary(&self) -> String {
        format!("{} passed, {} failed", self.passed(), self.failures.len())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.files {
            let name = Path::new(name).file_name().unwrap_or_default().display();
            writeln!(f, "{name}: {count} vectors passed")?;
        }
        for failure in &self.failures {
            writeln!(f, "FAILED {failure}")?;
        }
        write!(f, "conformance: {}", self.summary())
    }
}

/// Runs one vector in every way of driving a link.
fn run(vector: &Vector<'_>) -> Result<(), String> {
    let profile = Profile::parse(vector.profile)?;
    let script = Script::parse(vector.script, &profile)?;
    for drive in [Drive::Plain, Drive::Hesitant] {
        run_script(&profile, &script, drive).map_err(|error| format!("{error} ({drive:?})"))?;
    }
    Ok(())
}

fn run_script(profile: &Profile, script: &Script, drive: Drive) -> Result<(), String> {
    let world = profile
        .address()?
        .and_then(|address| World::new(profile, address, drive).map_err(|e| e.to_string()));
    match (script, world) {
        (Script::ConfigRefused, Err(_)) => Ok(()),
        (Script::ConfigRefused, Ok(_)) => {
            Err("expected `cfgerr`, came: the configuration was accepted".to_owned())
        }
        (Script::Steps(_), Err(error)) => Err(format!("the configuration was refused: {error}")),
        (Script::Steps(steps), Ok(world)) => run_steps(world, steps),
    }
}

fn run_steps(mut world: World, steps: &[Step]) -> Result<(), String> {
    for (index, step) in steps.iter().enumerate() {
        run_step(&mut world, step)
            .map_err(|error| format!("step {} `{}`: {error}", index + 1, step.text))?;
    }
    nothing_pending(&world).map_err(|error| format!("after the last step: {error}"))
}

fn run_step(world: &mut World, step: &Step) -> Result<(), String> {
    world.advance(step.at)?;
    match &step.item {
        Item::Stimulus(stimulus) => {
            nothing_pending(world)?;
            world.apply(stimulus)
        }
        Item::Expect(expected) => expected
            .iter()
            .try_for_each(|expected| expect(world, step.at, expected)),
    }
}

fn expect(world: &mut World, at: u64, expected: &Expected) -> Result<(), String> {
    match world.take_output() {
        Some((when, output)) if when == at && expected.matches(&output) => Ok(()),
        came => Err(format!(
            "expected `{expected}` at {}, came {}",
            Millis(at),
            Came(came.as_ref())
        )),
    }
}

fn nothing_pending(world: &World) -> Result<(), String> {
    match world.next_output() {
        None => Ok(()),
        came => Err(format!(
            "expected nothing more before it, came {}",
            Came(came)
        )),
    }
}

struct Came<'a>(Option<&'a (u64, Output)>);

impl fmt::Display for Came<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("nothing"),
            Some((when, output)) => write!(f, "`{output}` at {}", Millis(*when)),
        }
    }
}

struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1000, self.0 % 1000)
    }
}
