//! Runs the cases one after another, and counts.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use crate::case::{Case, Need, cases};
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
        Ok(network) => Run::new(options, network).all(&chosen),
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

/// What has come of the cases until now.
struct Run<'a> {
    options: &'a Options,
    /// Whether cases may have a network of their own.
    network: bool,
    /// Runs those cases that leave the network as it is.
    worker: Option<Worker>,
    passed: usize,
    skipped: usize,
    failed: Vec<&'a str>,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options, network: bool) -> Self {
        Self {
            options,
            network,
            worker: None,
            passed: 0,
            skipped: 0,
            failed: Vec::new(),
        }
    }

    fn all(mut self, chosen: &'a [Case]) -> ExitCode {
        let begin = Instant::now();
        for case in chosen {
            self.one(case);
            drop(std::io::stdout().flush());
        }
        for name in &self.failed {
            println!("FAILED: {name}");
        }
        let (passed, failed) = (self.passed, self.failed.len());
        let skipped = match self.skipped {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        let seconds = begin.elapsed().as_secs_f32();
        println!("{passed} passed, {failed} failed{skipped}, in {seconds:.1} s");
        ExitCode::from(u8::from(failed > 0))
    }

    fn one(&mut self, case: &'a Case) {
        let (name, guest) = (&case.name, self.options.guest);
        if guest {
            println!("==== case {name}");
        }
        let missing = case.needs.iter().find(|need| !need.is_met(self.network));
        let start = Instant::now();
        let outcome = match missing {
            Some(need) if !guest => {
                self.skipped += 1;
                println!("skipped          {name}: needs {}", need.name());
                return;
            }
            Some(need) => Err(format!("needs {}", need.name())),
            None => self.start(case),
        };
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(remark) => {
                self.passed += 1;
                println!("ok     {seconds:7.2} s {name}  {}", remark.trim());
            }
            Err(error) => {
                println!("FAILED {seconds:7.2} s {name}");
                for line in error.trim().lines() {
                    println!("           {line}");
                }
                self.failed.push(name);
            }
        }
    }

    /// Gives the case to the worker, or to one of its own if it changes the network.
    fn start(&mut self, case: &Case) -> Result<String, String> {
        let interface = &self.options.interface;
        if case.needs.contains(&Need::Controllers) {
            // they are in the network that is everybody's
            return Worker::start(interface, false)?.run(case);
        }
        let interface = if self.network { "vcan0" } else { interface };
        let alone = [Need::Network, Need::Modules]
            .iter()
            .any(|need| case.needs.contains(need));
        let mut worker = match self.worker.take() {
            // a module can be unloaded when nobody uses it any more
            Some(worker) if !alone => worker,
            _ => Worker::start(interface, self.network)?,
        };
        let outcome = worker.run(case);
        // what a case left behind that failed is unknown
        self.worker = Some(worker).filter(|_| outcome.is_ok() && !alone);
        outcome
    }
}
