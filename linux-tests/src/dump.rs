//! `isotpdump` reads along: a program that nobody here wrote says what our frames mean.

use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::endpoint::{Party, transfer};
use crate::listeners;
use crate::parameters::{Addressing, Parameters, payload};
use crate::tool::Running;

/// Each address format, on CC and FD.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for addressing in Addressing::ALL {
        for fd in [None, Some(64)] {
            let frames = if fd.is_some() { "fd-64" } else { "cc" };
            cases.push(Case {
                name: format!("isotpdump/{}/{frames}", addressing.name()),
                needs: &[Need::CanUtils],
                seconds: 30,
                run: Box::new(move |interface| read_along(interface, addressing, fd)),
            });
        }
    }
    cases
}

fn read_along(interface: &str, addressing: Addressing, fd: Option<u8>) -> Result<String, String> {
    let parameters = Parameters {
        address: addressing.address(),
        fd,
        block_size: 8,
        ..Parameters::default()
    };
    let (tx, rx) = (parameters.address.tx(), parameters.address.rx());
    let mut options = vec!["-s".to_owned(), tx.id().to_string()];
    options.extend(["-d".to_owned(), rx.id().to_string()]);
    if let (Some(tx), Some(rx)) = (tx.byte(), rx.byte()) {
        options.extend(["-x".to_owned(), format!("{tx:02x}")]);
        options.extend(["-X".to_owned(), format!("{rx:02x}")]);
    }
    options.push(interface.to_owned());
    let dump = Running::start("isotpdump", &options, "")?;
    let deadline = Deadline::seconds(10);
    for half in [tx, rx] {
        listeners::come(half.id(), "raw", deadline)?;
    }
    let size = if fd.is_some() { 1000 } else { 200 };
    transfer(
        interface,
        &parameters,
        (Party::Raw, Party::Core),
        &payload(size),
        deadline,
    )?;
    // it writes each line at once, and what is on the bus has been heard
    let read = expected(&parameters, size);
    let seen = dump.lines_until(read.len(), deadline)?;
    let seen: Vec<String> = seen.iter().map(|line| meaning(line)).collect();
    if seen != read {
        return Err(format!("expected {read:?}\ngot      {seen:?}"));
    }
    Ok(format!("{} frames", seen.len()))
}

/// What it must say of each frame: the kind, and the length, the number or the flow status.
fn expected(parameters: &Parameters, size: usize) -> Vec<String> {
    let frame = usize::from(parameters.fd.unwrap_or(8)) - parameters.address.tx().prefix_len();
    let consecutive = (size - (frame - 2)).div_ceil(frame - 1);
    let mut lines = vec![format!("FF {size}"), "FC 0".to_owned()];
    for number in 1..=consecutive {
        lines.push(format!("CF {:X}", number % 16));
        if number % 8 == 0 && number < consecutive {
            lines.push("FC 0".to_owned());
        }
    }
    lines
}

/// `.. [FF] ln: 200 data: ..` and the like, in short.
fn meaning(line: &str) -> String {
    let Some((_, text)) = line
        .split_once("[FF]")
        .or_else(|| line.split_once("[CF]"))
        .or_else(|| line.split_once("[FC]"))
    else {
        return line.to_owned();
    };
    let value = text.split_whitespace().nth(1).unwrap_or_default();
    let kind = ["FF", "CF", "FC"]
        .into_iter()
        .find(|kind| line.contains(&format!("[{kind}]")));
    format!("{} {value}", kind.unwrap_or_default())
}
