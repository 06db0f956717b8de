//! Runs the cases one after another, each in a process of its own, and counts.

use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use crate::case::{Case, Need, cases, find};
use crate::deadline::Deadline;
use crate::options::Options;
use crate::place;
use crate::sys;

/// Does what the command line says.
pub(crate) fn run(options: &Options) -> ExitCode {
    if let Some(name) = &options.one {
        return one(name, options);
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

/// One case, in this process.
fn one(name: &str, options: &Options) -> ExitCode {
    let outcome = || {
        if options.network {
            place::enter_new_network()?;
        }
        if name == place::PROBE {
            return Ok(String::new());
        }
        let case = find(name).ok_or_else(|| format!("there is no case {name}"))?;
        (case.run)(&options.interface)
    };
    match outcome() {
        Ok(remark) => {
            println!("{remark}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether cases can have a network of their own; else there must be an interface to share.
fn prepare(options: &Options, chosen: &[Case]) -> Result<bool, String> {
    if chosen.is_empty() {
        return Err(format!(
            "no case has one of these in its name: {:?}",
            options.filters
        ));
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

fn all(options: &Options, chosen: &[Case], network: bool) -> ExitCode {
    let begin = Instant::now();
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for case in chosen {
        if options.guest {
            println!("==== case {}", case.name);
        }
        let missing = case.needs.iter().find(|need| !need.is_met(network));
        let start = Instant::now();
        let outcome = match missing {
            Some(need) if !options.guest => {
                skipped += 1;
                println!("skipped          {}: needs {}", case.name, need.name());
                continue;
            }
            Some(need) => Err(format!("needs {}", need.name())),
            None => spawned(case, options, network),
        };
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(remark) => {
                passed += 1;
                println!("ok     {seconds:7.2} s {}  {}", case.name, remark.trim());
            }
            Err(error) => {
                println!("FAILED {seconds:7.2} s {}", case.name);
                for line in error.trim().lines() {
                    println!("           {line}");
                }
                failed.push(case.name.as_str());
            }
        }
        drop(std::io::stdout().flush());
    }
    for name in &failed {
        println!("FAILED: {name}");
    }
    let seconds = begin.elapsed().as_secs_f32();
    let skipped = if options.guest {
        String::new()
    } else {
        format!(", {skipped} skipped")
    };
    println!(
        "{passed} passed, {} failed{skipped}, in {seconds:.1} s",
        failed.len()
    );
    ExitCode::from(u8::from(!failed.is_empty()))
}

/// Runs the case as a process, which is killed at its deadline.
fn spawned(case: &Case, options: &Options, network: bool) -> Result<String, String> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--one", &case.name, "--interface"]);
    // the controllers cannot be had twice
    if network && !case.needs.contains(&Need::Controllers) {
        command.args(["vcan0", "--network"]);
    } else {
        command.arg(&options.interface);
    }
    let (mut reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    let errors = writer.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(writer).stderr(errors);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    // it holds the writing end of the pipe, which would never close
    drop(command);
    let (sender, output) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(reader.read_to_end(&mut bytes));
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    let left = Deadline::seconds(case.seconds).left("the case")?;
    let Ok(text) = output.recv_timeout(left) else {
        drop(child.kill());
        drop(child.wait());
        // a program that it started may still hold the pipe
        let text = output.try_recv().unwrap_or_default();
        return Err(format!("{text}killed after {} s", case.seconds));
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        Ok(text)
    } else {
        Err(format!("{text}({status})"))
    }
}
