//! The time between consecutive frames, as the kernel stamps them on their way to the receiver: never
//! below STmin.

use core::time::Duration;

use isotp_core::{FrameKind, FrameView, StMin};

use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::endpoint::{Party, transfer};
use crate::monitor::Monitor;
use crate::parameters::{Parameters, payload};
use crate::raw::RawSocket;

/// Each separation time with each sender.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for st_min in [100, 300, 1000, 3000] {
        for party in [Party::Core, Party::Raw, Party::KernelLink, Party::Kernel] {
            cases.push(Case {
                name: format!("pacing/stmin-{st_min}us/{}", party.name()),
                needs: &[Need::Isotp],
                seconds: 20,
                run: Box::new(move |interface| measure(interface, party, st_min)),
            });
        }
        cases.push(Case {
            name: format!("pacing/stmin-{st_min}us/tokio-timer"),
            needs: &[],
            seconds: 20,
            run: Box::new(move |interface| plain_timer(interface, st_min)),
        });
    }
    cases
}

fn measure(interface: &str, party: Party, micros: u64) -> Result<String, String> {
    let st_min = Duration::from_micros(micros);
    let parameters = Parameters {
        st_min: StMin::at_least(st_min).map_err(|error| error.to_string())?,
        ..Parameters::default()
    };
    let monitor = Monitor::start(interface, &parameters)?;
    let message = payload(6 + 7 * FRAMES);
    let deadline = Deadline::seconds(10);
    transfer(
        interface,
        &parameters,
        (party, Party::Kernel),
        &message,
        deadline,
    )?;
    // the first is no consecutive frame
    told(monitor, &parameters, 1, st_min)
}

/// As many frames with tokio's own timer between them: what a stack has that takes no other.
fn plain_timer(interface: &str, micros: u64) -> Result<String, String> {
    let pause = Duration::from_micros(micros);
    let parameters = Parameters::default();
    let monitor = Monitor::start(interface, &parameters)?;
    let socket = RawSocket::open(interface).map_err(|error| error.to_string())?;
    let frame = FrameView {
        id: parameters.address.tx().id(),
        kind: FrameKind::Classic,
        data: &[0; 8],
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build();
    runtime
        .map_err(|error| error.to_string())?
        .block_on(async {
            for _ in 0..FRAMES {
                socket.send(frame).map_err(|error| error.to_string())?;
                tokio::time::sleep(pause).await;
            }
            Ok::<_, String>(())
        })?;
    told(monitor, &parameters, 0, pause)
}

/// What the monitor saw of the sender after the first frames; an error if two were too close.
fn told(
    monitor: Monitor,
    parameters: &Parameters,
    first: usize,
    least_wanted: Duration,
) -> Result<String, String> {
    let sender = parameters.address.tx().id();
    let frames = monitor.frames()?;
    let frames: Vec<_> = frames
        .iter()
        .filter(|frame| frame.id == sender)
        .skip(first)
        .collect();
    let pairs = frames
        .windows(2)
        .filter_map(|pair| Some((pair[0].at?, pair[1].at?)));
    let gaps = pairs.map(|(one, next)| next.saturating_sub(one));
    let mut gaps: Vec<Duration> = gaps.collect();
    if frames.len() != FRAMES || gaps.len() < FRAMES / 2 {
        let (came, known) = (frames.len(), gaps.len());
        return Err(format!(
            "expected {FRAMES} frames with their times, got {came}, {known} gaps"
        ));
    }
    gaps.sort_unstable();
    let (least, middle) = (gaps[0], gaps[gaps.len() / 2]);
    let mean = gaps.iter().sum::<Duration>() / gaps.len() as u32;
    let told = format!("least {least:.1?}, median {middle:.1?}, mean {mean:.1?}");
    if least < least_wanted {
        return Err(format!(
            "expected at least {least_wanted:?} between frames, got {told}"
        ));
    }
    Ok(told)
}

/// Enough for a mean.
const FRAMES: usize = 200;
