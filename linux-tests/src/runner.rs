//! Runs the cases, and counts.

use std::collections::VecDeque;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::case::{Case, Company, Need, cases};
use crate::options::Options;
use crate::worker::{self, Worker};
use crate::{place, sys};

/// Does what the command line says.
pub(crate) fn run(options: &Options) -> ExitCode {
    if options.worker {
        return worker::work(options);
    }
    let mut chosen = cases(options.all);
    chosen.retain(|case| options.wants(&case.name));
    if options.list {
        for case in &chosen {
            println!("{}", case.name);
        }
        return ExitCode::SUCCESS;
    }
    match prepare(options, &chosen) {
        Ok(network) => all(options, &chosen, network),
        Err(error) => {
            eprintln!("linux-tests: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether cases can have a network of their own; else there must be an interface to share.
fn prepare(options: &Options, chosen: &[Case]) -> Result<bool, String> {
    if chosen.is_empty() {
        let filters = &options.filters;
        return Err(format!("no case has one of these in its name: {filters:?}"));
    }
    sys::can_socket(libc::SOCK_RAW, libc::CAN_RAW).map_err(|error| {
        format!("this kernel has no CAN ({error}); modprobe can-raw, or use cargo xtask vm")
    })?;
    let network = place::may_make_networks();
    let index = format!("/sys/class/net/{}/ifindex", options.interface);
    if !network && !std::path::Path::new(&index).exists() {
        let name = &options.interface;
        return Err(format!(
            "there is no {name}; as root: ip link add {name} type vcan && ip link set {name} up mtu 72"
        ));
    }
    Ok(network)
}

/// Runs everything, those first that need the controllers: some cases at a time, then those that measure
/// something, beside as many others as leave it as it is.
///
/// What fails beside others is told, and tried once more alone: the emulation is slow, and its host
/// may have stood still. What fails alone has failed.
fn all(options: &Options, chosen: &[Case], network: bool) -> ExitCode {
    let begin = Instant::now();
    let tally = Mutex::new(Tally::default());
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let run = |lanes: usize, pinned: bool, wanted: &dyn Fn(&Case) -> bool| {
        let queue = Mutex::new(
            chosen
                .iter()
                .filter(|case| wanted(case))
                .collect::<VecDeque<_>>(),
        );
        thread::scope(|scope| {
            for number in 0..lanes {
                let mut lane = Lane {
                    options,
                    network,
                    processor: pinned.then_some(number % processors),
                    alone: lanes == 1,
                    tally: &tally,
                    worker: None,
                };
                let queue = &queue;
                scope.spawn(move || {
                    let next = || {
                        queue
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .pop_front()
                    };
                    while let Some(case) = next() {
                        lane.one(case);
                    }
                });
            }
        });
    };
    for (company, lanes, pinned) in [
        (Company::Controllers, 1, false),
        (Company::Anybody, LANES, network),
        (Company::Idle, WAITING, network),
        (Company::OneOnEachProcessor, processors, network),
        (Company::Nobody, 1, false),
    ] {
        // on one interface they would hear each other
        let lanes = if network { lanes } else { 1 };
        run(lanes, pinned, &|case| case.company() == company);
    }
    let again = core::mem::take(&mut lock(&tally).again);
    run(1, network, &|case| again.contains(&case.name.as_str()));
    let tally = tally.into_inner().unwrap_or_default();
    for name in again.iter().filter(|name| !tally.failed.contains(name)) {
        println!("passed at its second try: {name}");
    }
    for name in &tally.failed {
        println!("FAILED: {name}");
    }
    let skipped = match tally.skipped {
        0 => String::new(),
        count => format!(", {count} skipped"),
    };
    let (passed, failed) = (tally.passed, tally.failed.len());
    let seconds = begin.elapsed().as_secs_f32();
    println!("{passed} passed, {failed} failed{skipped}, in {seconds:.1} s");
    ExitCode::from(u8::from(failed > 0 || passed == 0))
}

/// How many cases run at a time. Most of them wait for most of their time.
const LANES: usize = 7;

/// How many cases wait at a time where that is all that they do.
const WAITING: usize = 12;

/// What has come of the cases until now.
#[derive(Default)]
struct Tally<'a> {
    passed: usize,
    skipped: usize,
    failed: Vec<&'a str>,
    /// They have failed beside others.
    again: Vec<&'a str>,
}

impl<'a> Tally<'a> {
    fn enter(&mut self, case: &'a Case, outcome: Outcome, alone: bool, seconds: f32) {
        let name = &case.name;
        match outcome {
            Ok(remark) => {
                self.passed += 1;
                println!("ok     {seconds:7.2} s {name}  {}", remark.trim());
            }
            Err(error) => {
                let (word, list) = if alone {
                    ("FAILED", &mut self.failed)
                } else {
                    ("again ", &mut self.again)
                };
                list.push(name);
                println!("{word} {seconds:7.2} s {name}");
                for line in error.trim().lines() {
                    println!("           {line}");
                }
            }
        }
        drop(std::io::stdout().flush());
    }
}

/// What a case remarks, or why it failed.
type Outcome = Result<String, String>;

fn lock<'a, 'b>(tally: &'a Mutex<Tally<'b>>) -> MutexGuard<'a, Tally<'b>> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs cases one after another.
struct Lane<'a, 'b> {
    options: &'b Options,
    /// Whether cases may have a network of their own.
    network: bool,
    /// No other lane runs.
    alone: bool,
    /// The one processor that its cases run on.
    processor: Option<usize>,
    tally: &'b Mutex<Tally<'a>>,
    /// Runs those cases that leave the network as it is.
    worker: Option<Worker>,
}

impl<'a> Lane<'a, '_> {
    fn one(&mut self, case: &'a Case) {
        let (name, guest) = (&case.name, self.options.guest);
        if guest {
            println!("==== case {} {name}", case.seconds);
        }
        let missing = case.needs.iter().find(|need| !need.is_met(self.network));
        let start = Instant::now();
        let outcome = match missing {
            Some(need) if !guest => {
                println!("skipped          {name}: needs {}", need.name());
                lock(self.tally).skipped += 1;
                return;
            }
            Some(need) => Err(format!("needs {}", need.name())),
            None => self.start(case),
        };
        let seconds = start.elapsed().as_secs_f32();
        lock(self.tally).enter(case, outcome, self.alone, seconds);
        if guest {
            println!("==== done {name}");
        }
    }

    /// Gives the case to the worker, or to one of its own if it changes the network.
    fn start(&mut self, case: &Case) -> Outcome {
        let interface = &self.options.interface;
        if case.company() == Company::Controllers {
            // they are in the network that is everybody's
            return Worker::start(interface, false, self.processor)?.run(case);
        }
        let interface = if self.network { "vcan0" } else { interface };
        let unloads = case.needs.contains(&Need::Modules);
        let alone = unloads || case.needs.contains(&Need::Network);
        if alone {
            // a module can be unloaded when nobody uses it any more
            self.worker = self.worker.take().filter(|_| !unloads);
            return Worker::start(interface, self.network, self.processor)?.run(case);
        }
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(interface, self.network, self.processor)?,
        };
        let outcome = worker.run(case);
        // what a case left behind that failed is unknown
        self.worker = Some(worker).filter(|_| outcome.is_ok());
        outcome
    }
}
