//! Both ends send at once, and every implementation meets every other.

use std::thread;

use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::endpoint::{Party, same};
use crate::parameters::{Addressing, Parameters, payload};

/// Each pair of implementations, on CC and FD.
pub(crate) fn cases() -> Vec<Case> {
    let parties = [Party::Core, Party::Raw, Party::KernelLink, Party::Kernel];
    let mut cases = Vec::new();
    for (number, one) in parties.into_iter().enumerate() {
        for other in parties.into_iter().skip(number) {
            for fd in [None, Some(64)] {
                let frames = if fd.is_some() { "fd-64" } else { "cc" };
                cases.push(Case {
                    name: format!("duplex/{}-{}/{frames}", one.name(), other.name()),
                    needs: &[Need::Isotp],
                    seconds: 20,
                    run: Box::new(move |interface| both(interface, (one, other), fd)),
                });
            }
        }
    }
    cases
}

fn both(interface: &str, parties: (Party, Party), fd: Option<u8>) -> Result<String, String> {
    let parameters = Parameters {
        address: Addressing::Mixed11.address(),
        fd,
        block_size: 5,
        ..Parameters::default()
    };
    let mut one = parties.0.sender(interface, &parameters)?;
    let mut other = parties.1.sender(interface, &parameters.reversed())?;
    let (there, back) = (payload(3000), payload(4095));
    let deadline = Deadline::seconds(10);
    for _ in 0..3 {
        let (first, second) = thread::scope(|scope| {
            let second = scope.spawn(|| other.exchange(&back, deadline));
            (one.exchange(&there, deadline), second.join())
        });
        same(&back, &first?)?;
        same(&there, &second.map_err(|_| "panicked".to_owned())??)?;
    }
    Ok("3 messages each way".to_owned())
}
