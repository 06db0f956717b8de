//! Full queues, and how fast it goes.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use isotp_driver::{Frame, FrameView};
use isotp_socketcan::{RawBus, RawSocket};
use isotp_tokio::{Connection, Event, Network, Tokio};

use super::{case, connect, open, said, under_tokio};
use crate::case::{Case, Need};
use crate::deadline::Deadline;
use crate::endpoint::{Endpoint, same};
use crate::kernel::KernelSocket;
use crate::parameters::{Parameters, payload};
use crate::{sys, tool};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("load/full-socket", &[Need::Controllers], 85, |_| {
            full_queue("limit 320", 1 << 16, |monitor| monitor.full_sockets())
        }),
        case("load/full-interface", &[Need::Controllers], 85, |_| {
            full_queue("limit 32", 1 << 16, |monitor| monitor.full_interfaces())
        }),
        case("load/throughput", &[Need::Isotp], 85, throughput),
    ]
}

/// One MiB takes 40 s at 500 kbit/s.
pub(super) fn long_cases() -> Vec<Case> {
    vec![case(
        "load/full-socket-1-mib",
        &[Need::Controllers],
        300,
        |_| full_queue("limit 320", 1 << 20, |monitor| monitor.full_sockets()),
    )]
}

/// A large message through a slow queue: not a frame is lost, the queue was full, nobody span.
///
/// The emulated controllers have no bit timing: what the sender's queue lets out at once is at once in
/// the receive buffer of the other, which holds five frames. Where that was overrun, as its driver then
/// counts, the message is sent again.
fn full_queue(
    limit: &str,
    size: usize,
    refusals: fn(&isotp_socketcan::RawMonitor) -> u32,
) -> Result<String, String> {
    let queue = format!("qdisc replace dev can0 root tbf rate 500kbit burst 160 {limit}");
    tool::run("tc", &queue)?;
    let mut attempt = 1;
    let outcome = loop {
        let before = overruns("can1")?;
        let outcome = under_tokio(280, through_full_queue(size, refusals));
        let overrun = overruns("can1")? - before;
        match outcome {
            Err(_) if overrun > 0 && attempt < ATTEMPTS => attempt += 1,
            Err(error) => {
                break Err(format!(
                    "{error}; attempt {attempt}, {overrun} overruns of the receiver"
                ));
            }
            Ok(remark) => break Ok(format!("{remark}, attempt {attempt}")),
        }
    };
    tool::run("tc", "qdisc del dev can0 root")?;
    outcome
}

async fn through_full_queue(
    size: usize,
    refusals: fn(&isotp_socketcan::RawMonitor) -> u32,
) -> Result<String, String> {
    let bus = RawBus::new(&Tokio::current(), RawSocket::open("can0").map_err(said)?);
    let bus = bus.map_err(said)?;
    let monitor = bus.monitor();
    let (one, two) = (Network::with_bus(bus), open("can1").await?);
    let a = connect(&one, &Parameters::default()).await?;
    let b = connect(&two, &Parameters::default().reversed()).await?;
    let sent = payload(size);
    let (begin, used) = (Instant::now(), sys::processor_time());
    let sending = async {
        a.send(sent.clone())
            .await
            .map_err(|error| format!("send: {error}"))
    };
    let ((), received) = tokio::try_join!(sending, whole(&b))?;
    same(&sent, &received)?;
    let (took, used) = (begin.elapsed(), sys::processor_time() - used);
    let refused = refusals(&monitor);
    let (calls, frames) = (monitor.calls() as usize, size.div_ceil(7));
    let remark = format!(
        "{size} bytes, {frames} frames in {took:.2?}, {used:.2?} of processor time, interrupts \
         included, {calls} system calls of the sender, EAGAIN {} times, ENOBUFS {} times",
        monitor.full_sockets(),
        monitor.full_interfaces(),
    );
    if refused == 0 {
        return Err(format!("the queue was never full: {remark}"));
    }
    // a frame's echo is read, then one more frame is taken and the next is refused; a loop that spins
    // asks the kernel again and again
    if calls > 3 * frames {
        return Err(format!("more than three system calls a frame: {remark}"));
    }
    if monitor.dropped() > 0 {
        return Err(format!(
            "{} received frames lost: {remark}",
            monitor.dropped()
        ));
    }
    Ok(remark)
}

/// The next message, or why it did not come.
async fn whole(connection: &Connection) -> Result<Vec<u8>, String> {
    loop {
        match connection.next_event().await.map_err(said)? {
            Event::Message(message) => return Ok(message.into_bytes()),
            Event::Failed(result) => return Err(format!("received: {result}")),
            _ => {}
        }
    }
}

/// How often the receive buffer of a controller was overrun.
fn overruns(interface: &str) -> Result<u64, String> {
    let path = format!("/sys/class/net/{interface}/statistics/rx_over_errors");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    text.trim().parse().map_err(said)
}

const ATTEMPTS: u32 = 5;

const MESSAGES: usize = 16;
const SIZE: usize = 65_536;

/// The project's stack on raw sockets, and the kernel's ISO-TP, each between two sockets; and what raw
/// sockets alone cost, without a protocol.
fn throughput(interface: &str) -> Result<String, String> {
    // on several, a virtual bus mixes up frames that one of them sent after another
    sys::stay_on_one_processor().map_err(said)?;
    let mut lines = Vec::new();
    for fd in [None, Some(64)] {
        let parameters = Parameters {
            fd,
            ..Parameters::default()
        };
        let mut best = [Duration::MAX; 3];
        for _ in 0..3 {
            for (best, run) in best.iter_mut().zip([raw, kernel, bare]) {
                *best = run(interface, &parameters)?.min(*best);
            }
        }
        let [raw, kernel, bare] = best;
        let rate = |took: Duration| (MESSAGES * SIZE) as f64 / took.as_secs_f64() / 1e6;
        lines.push(format!(
            "{}: raw {:.2} MB/s ({raw:.2?}), kernel {:.2} MB/s ({kernel:.2?}), ratio {:.2}; sockets \
             without a protocol {:.2} MB/s ({bare:.2?})",
            fd.map_or("CC", |_| "FD 64"),
            rate(raw),
            rate(kernel),
            kernel.as_secs_f64() / raw.as_secs_f64(),
            rate(bare),
        ));
    }
    Ok(lines.join("; "))
}

/// As many frames between two raw sockets, with their echoes, and nothing else: no transfer on raw
/// sockets can cost less.
fn bare(interface: &str, parameters: &Parameters) -> Result<Duration, String> {
    let open = || RawSocket::open(interface).map_err(said);
    let (a, b) = (open()?, open()?);
    let data = [0; 64];
    let length = usize::from(parameters.fd.unwrap_or(8));
    let sent = FrameView {
        id: parameters.address.tx().id(),
        kind: parameters.config().kind,
        data: data.get(..length).ok_or("TX_DL is at most 64")?,
    };
    let frames = (MESSAGES * SIZE).div_ceil(length - 1);
    let mut frame = Frame::new();
    let begin = Instant::now();
    for left in (0..frames).rev() {
        a.try_send(sent).map_err(said)?;
        if left % 32 == 0 {
            while a.try_receive(&mut frame).is_ok() {}
            while b.try_receive(&mut frame).is_ok() {}
        }
    }
    Ok(begin.elapsed())
}

fn raw(interface: &str, parameters: &Parameters) -> Result<Duration, String> {
    under_tokio(30, async {
        let (one, two) = (open(interface).await?, open(interface).await?);
        let a = connect(&one, parameters).await?;
        let b = connect(&two, &parameters.reversed()).await?;
        let message = payload(SIZE);
        let begin = Instant::now();
        let sending = async {
            for _ in 0..MESSAGES {
                a.send(message.clone()).await.map_err(said)?;
            }
            Ok::<_, String>(())
        };
        let receiving = async {
            for _ in 0..MESSAGES {
                same(&message, b.recv().await.map_err(said)?.as_ref())?;
            }
            Ok(())
        };
        tokio::try_join!(sending, receiving)?;
        Ok(begin.elapsed())
    })
}

fn kernel(interface: &str, parameters: &Parameters) -> Result<Duration, String> {
    let mut sender = KernelSocket::open(interface, parameters)?;
    let mut receiver = KernelSocket::open(interface, &parameters.reversed())?;
    let message = payload(SIZE);
    let deadline = Deadline::seconds(30);
    let begin = Instant::now();
    thread::scope(|scope| {
        let receiving = scope.spawn(|| {
            for _ in 0..MESSAGES {
                same(&message, &receiver.receive(deadline)?)?;
            }
            Ok::<_, String>(())
        });
        for _ in 0..MESSAGES {
            sender.send(&message, deadline)?;
        }
        receiving
            .join()
            .map_err(|_| "the receiver panicked".to_owned())?
    })?;
    Ok(begin.elapsed())
}
