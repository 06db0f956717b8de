//! The connection contract, under each runtime: all of it over raw sockets, and what a kernel link promises
//! over the kernel's.

use isotp_contract::{CASES, UnderAsyncStd, UnderSmol, UnderThreads, UnderTokio, Way, left_out};

use crate::case::{Case, Need};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![Case {
        name: "contract/left out".to_owned(),
        needs: &[],
        seconds: 10,
        run: Box::new(|interface| Ok(count(interface))),
    }];
    for (scheme, way) in WAYS {
        for case in run_on(way) {
            for (name, run) in RUNTIMES {
                cases.push(Case {
                    name: format!("contract/{name}/{scheme}/{}", case.name),
                    needs: if scheme == "kernel" {
                        &[Need::Isotp]
                    } else {
                        &[]
                    },
                    seconds: 60,
                    run: Box::new(move |interface| {
                        run(case, way(interface));
                        Ok(String::new())
                    }),
                });
            }
        }
    }
    cases
}

type Make = fn(&str) -> Way;

const WAYS: [(&str, Make); 2] = [
    ("raw", |interface| Way::Raw(interface.to_owned())),
    ("kernel", |interface| Way::Kernel(interface.to_owned())),
];

type Run = fn(&isotp_contract::Case, Way);

const RUNTIMES: [(&str, Run); 4] = [
    ("tokio", isotp_contract::Case::run::<UnderTokio>),
    ("smol", isotp_contract::Case::run::<UnderSmol>),
    ("async-std", isotp_contract::Case::run::<UnderAsyncStd>),
    ("blocking", isotp_contract::Case::run::<UnderThreads>),
];

/// What is not left out.
fn run_on(way: Make) -> impl Iterator<Item = &'static isotp_contract::Case> {
    let out = left_out(&way(""));
    CASES
        .iter()
        .filter(|case| !out.iter().any(|(_, names)| names.contains(&case.name)))
}

/// How much of the suite runs, and why not the rest.
fn count(interface: &str) -> String {
    let mut text = String::new();
    for (scheme, way) in WAYS {
        let run = run_on(way).count();
        text += &format!("{scheme}: {run} of {}", CASES.len());
        for (reason, names) in left_out(&way(interface)) {
            text += &format!(", {} since {reason}", names.len());
        }
        text += "; ";
    }
    text
}
