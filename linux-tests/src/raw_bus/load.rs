//! Full queues, and how fast it goes.

use core::task::Poll;
use core::time::Duration;
use std::thread;
use std::time::Instant;

use isotp_driver::{
    Address, Arrival, Bus, Frame, FrameView, Interest, Taken, TxToken, process_time,
};
use isotp_socketcan::{RawBus, RawSocket};
use isotp_tokio::{Network, Tokio};

use super::{case, connect, open, said};
use crate::case::{Case, Need};
use crate::deadline::{Deadline, message, under_tokio, within};
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
        case("load/throughput", &[Need::Isotp], 85, |interface| {
            throughput(interface, 2, 1)
        }),
    ]
}

/// One MiB takes 40 s at 500 kbit/s.
pub(super) fn long_cases() -> Vec<Case> {
    vec![
        case("load/full-socket-1-mib", &[Need::Controllers], 300, |_| {
            full_queue("limit 320", 1 << 20, |monitor| monitor.full_sockets())
        }),
        case(
            "load/throughput-16-messages",
            &[Need::Isotp],
            300,
            |interface| throughput(interface, 16, 3),
        ),
    ]
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
    let ((), received) = tokio::try_join!(sending, message(&b))?;
    same(&sent, received.as_ref())?;
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

/// How often the receive buffer of a controller was overrun.
fn overruns(interface: &str) -> Result<u64, String> {
    let path = format!("/sys/class/net/{interface}/statistics/rx_over_errors");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    text.trim().parse().map_err(said)
}

const ATTEMPTS: u32 = 5;

const SIZE: usize = 65_536;

/// The project's stack on raw sockets, and the kernel's ISO-TP, each between two sockets; and what a
/// part of the former costs alone: the buses without a protocol, and one socket that only sends.
///
/// So many messages of [`SIZE`] bytes; the shortest of so many times counts.
fn throughput(interface: &str, messages: usize, times: usize) -> Result<String, String> {
    // on several, a virtual bus mixes up frames that one of them sent after another
    sys::stay_on_processor(0).map_err(said)?;
    let mut lines = Vec::new();
    for fd in [None, Some(64)] {
        let parameters = Parameters {
            fd,
            ..Parameters::default()
        };
        let mut best = [Duration::MAX; 4];
        for _ in 0..times {
            for (best, run) in best.iter_mut().zip([raw, kernel, buses, sending]) {
                *best = run(interface, &parameters, messages)?.min(*best);
            }
        }
        let frame =
            |took: Duration| took.as_secs_f64() * 1e6 / frames(&parameters, messages) as f64;
        let rate = |took: Duration| (messages * SIZE) as f64 / took.as_secs_f64() / 1e6;
        let [raw, kernel, buses, sending] = best;
        lines.push(format!(
            "{}: raw {:.2} MB/s ({:.2} us a frame), kernel {:.2} MB/s ({:.2} us), ratio {:.2}; two \
             buses without a protocol {:.2} us, a socket that only sends {:.2} us",
            fd.map_or("CC", |_| "FD 64"),
            rate(raw),
            frame(raw),
            rate(kernel),
            frame(kernel),
            kernel.as_secs_f64() / raw.as_secs_f64(),
            frame(buses),
            frame(sending),
        ));
    }
    Ok(lines.join("; "))
}

/// Consecutive frames of all messages.
fn frames(parameters: &Parameters, messages: usize) -> usize {
    let data = usize::from(parameters.fd.unwrap_or(8)) - 1;
    messages * SIZE.div_ceil(data)
}

/// A full frame, as the messages have them.
fn full_frame(parameters: &Parameters) -> Frame {
    let data = [0; 64];
    let mut frame = Frame::new();
    frame.copy_from(FrameView {
        id: parameters.address.tx().id(),
        kind: parameters.config().kind,
        data: &data[..usize::from(parameters.fd.unwrap_or(8))],
    });
    frame
}

/// As many frames from one of the driver's buses to another, with confirmations and time stamps, 32 in a
/// system call: what the stack has below it.
fn buses(interface: &str, parameters: &Parameters, messages: usize) -> Result<Duration, String> {
    under_tokio(30, async {
        let runtime = Tokio::current();
        let bus = |address: &Address| {
            let socket = RawSocket::open(interface).map_err(said)?;
            let mut bus = RawBus::new(&runtime, socket).map_err(said)?;
            bus.connected(address);
            bus.flush(process_time()).map_err(said)?;
            Ok::<_, String>(bus)
        };
        let (mut from, mut to) = (
            bus(&parameters.address)?,
            bus(&parameters.reversed().address)?,
        );
        let (sent, mut received) = (full_frame(parameters), Frame::new());
        let (wanted, begin) = (frames(parameters, messages), Instant::now());
        let (mut given, mut confirmed, mut arrived) = (0, 0, 0);
        while arrived < wanted {
            let now = process_time();
            while given < wanted && given - confirmed < 32 {
                let taken = from.try_send(now, &sent, TxToken::from_bits(given as u64));
                if taken.map_err(said)? != Taken::Took {
                    break;
                }
                given += 1;
            }
            from.flush(now).map_err(said)?;
            let ready = core::future::poll_fn(|cx| {
                let ready = [&mut from, &mut to].map(|bus| bus.poll_ready(cx, Interest::READABLE));
                match ready {
                    [Poll::Pending, Poll::Pending] => Poll::Pending,
                    [one, two] => {
                        Poll::Ready([one, two].into_iter().try_for_each(|ready| match ready {
                            Poll::Ready(ready) => ready,
                            Poll::Pending => Ok(()),
                        }))
                    }
                }
            });
            within("more frames", ready).await.map_err(|error| {
                format!("{error}: {given} sent, {confirmed} confirmed, {arrived} of {wanted} here")
            })?;
            let now = process_time();
            while let Some(arrival) = from.receive(now, &mut received).map_err(said)? {
                confirmed += usize::from(matches!(arrival, Arrival::Transmitted { .. }));
            }
            while let Some(arrival) = to.receive(now, &mut received).map_err(said)? {
                arrived += usize::from(matches!(arrival, Arrival::Received { .. }));
            }
        }
        Ok(begin.elapsed())
    })
}

/// As many frames into a raw socket, and nobody who receives them: no transfer on raw sockets can cost
/// less.
fn sending(interface: &str, parameters: &Parameters, messages: usize) -> Result<Duration, String> {
    let socket = RawSocket::open(interface).map_err(said)?;
    socket.set_filters(&[]).map_err(said)?;
    let (frame, begin) = (full_frame(parameters), Instant::now());
    for _ in 0..frames(parameters, messages) {
        socket.try_send(frame.view()).map_err(said)?;
    }
    Ok(begin.elapsed())
}

fn raw(interface: &str, parameters: &Parameters, messages: usize) -> Result<Duration, String> {
    under_tokio(30, async {
        let (one, two) = (open(interface).await?, open(interface).await?);
        let a = connect(&one, parameters).await?;
        let b = connect(&two, &parameters.reversed()).await?;
        let sent = payload(SIZE);
        let begin = Instant::now();
        let sending = async {
            for _ in 0..messages {
                a.send(sent.clone()).await.map_err(said)?;
            }
            Ok::<_, String>(())
        };
        let receiving = async {
            for _ in 0..messages {
                same(&sent, message(&b).await?.as_ref())?;
            }
            Ok(())
        };
        tokio::try_join!(sending, receiving)?;
        Ok(begin.elapsed())
    })
}

fn kernel(interface: &str, parameters: &Parameters, messages: usize) -> Result<Duration, String> {
    let mut sender = KernelSocket::open(interface, parameters)?;
    let mut receiver = KernelSocket::open(interface, &parameters.reversed())?;
    let message = payload(SIZE);
    let deadline = Deadline::seconds(30);
    let begin = Instant::now();
    thread::scope(|scope| {
        let receiving = scope.spawn(|| {
            for _ in 0..messages {
                same(&message, &receiver.receive(deadline)?)?;
            }
            Ok::<_, String>(())
        });
        for _ in 0..messages {
            sender.send(&message, deadline)?;
        }
        receiving
            .join()
            .map_err(|_| "the receiver panicked".to_owned())?
    })?;
    Ok(begin.elapsed())
}
