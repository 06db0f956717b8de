//! A raw socket without any runtime.

use core::time::Duration;
use std::io::ErrorKind;
use std::time::{Instant, SystemTime};

use isotp_driver::core::Filter;
use isotp_driver::{Frame, FrameKind, FrameView};
use isotp_socketcan::RawSocket;

use super::{case, said};
use crate::case::Case;
use crate::parameters::id;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("socket/echo-and-stamp", &[], 10, echo_and_stamp),
        case("socket/timeout", &[], 10, timeout),
        case("socket/filters", &[], 10, filters),
        case("socket/losses-are-told", &[], 20, losses),
    ]
}

const FRAME: FrameView<'_> = FrameView {
    id: match isotp_driver::Id::standard(0x123) {
        Ok(id) => id,
        Err(_) => panic!("it has 11 bits"),
    },
    kind: FrameKind::Classic,
    data: &[1, 2, 3],
};
const SECOND: Option<Duration> = Some(Duration::from_secs(1));

/// The own frame comes back as an echo, the other socket's as a frame, both with the kernel's time.
fn echo_and_stamp(interface: &str) -> Result<String, String> {
    let (a, b) = (open(interface)?, open(interface)?);
    let long = FrameView {
        kind: FrameKind::Fd { brs: true },
        data: &[7; 64],
        ..FRAME
    };
    let mut frame = Frame::new();
    for sent in [FRAME, long] {
        let before = SystemTime::now();
        a.send(sent, SECOND).map_err(said)?;
        for (socket, echo) in [(&a, true), (&b, false)] {
            let received = socket.receive(&mut frame, SECOND).map_err(said)?;
            if received.is_echo() != echo || frame.view() != sent {
                return Err(format!("sent {sent}, got {frame} {received:?}"));
            }
            let at = received.at().ok_or("no time stamp")?;
            if at < before || at > SystemTime::now() {
                return Err(format!("{at:?} is not between {before:?} and now"));
            }
        }
    }
    Ok(String::new())
}

fn timeout(interface: &str) -> Result<String, String> {
    let socket = open(interface)?;
    let begin = Instant::now();
    let mut frame = Frame::new();
    let kind = |result: std::io::Result<_>| result.err().map(|error| error.kind());
    if kind(socket.try_receive(&mut frame)) != Some(ErrorKind::WouldBlock) {
        return Err("try_receive on an idle bus".into());
    }
    let pause = Duration::from_millis(200);
    if kind(socket.receive(&mut frame, Some(pause))) != Some(ErrorKind::TimedOut) {
        return Err("receive on an idle bus".into());
    }
    let waited = begin.elapsed();
    if waited < pause || waited > 5 * pause {
        return Err(format!("waited {waited:?} instead of {pause:?}"));
    }
    Ok(format!("waited {waited:?} for {pause:?}"))
}

fn filters(interface: &str) -> Result<String, String> {
    let (a, b) = (open(interface)?, open(interface)?);
    let only = Filter {
        id: id(0x124),
        mask: 0x7FE,
    };
    b.set_filters(&[only]).map_err(said)?;
    for number in 0x120..0x128 {
        a.send(with_id(number), SECOND).map_err(said)?;
    }
    // the bus may be late, but it keeps the order: what comes before this one is all there is
    let last = with_id(0x124);
    a.send(last, SECOND).map_err(said)?;
    let mut frame = Frame::new();
    let mut heard = Vec::new();
    while heard.len() < 3 {
        b.receive(&mut frame, SECOND).map_err(said)?;
        heard.push(frame.id().value());
    }
    if heard == [0x124, 0x125, 0x124] {
        return Ok(String::new());
    }
    Err(format!("{heard:X?}"))
}

/// Nobody reads, so the receive queue overflows; the next frame that comes tells how many were lost.
fn losses(interface: &str) -> Result<String, String> {
    let (a, b) = (open(interface)?, open(interface)?);
    // the echoes of the sender would be lost as well, but for the last, which tells that the bus has delivered all
    let last = with_id(0x124);
    let only = Filter {
        id: last.id,
        mask: 0x7FF,
    };
    a.set_filters(&[only]).map_err(said)?;
    let count = 20_000u32;
    for _ in 1..count {
        a.send(FRAME, SECOND).map_err(said)?;
    }
    a.send(last, SECOND).map_err(said)?;
    let mut frame = Frame::new();
    a.receive(&mut frame, SECOND).map_err(said)?;
    let mut received = 0;
    while b.try_receive(&mut frame).is_ok() {
        received += 1;
    }
    a.send(FRAME, SECOND).map_err(said)?;
    let told = b.receive(&mut frame, SECOND).map_err(said)?.dropped();
    if told != count - received {
        return Err(format!(
            "{count} sent, {received} received, {told} told as lost"
        ));
    }
    Ok(format!("a queue of {received} frames"))
}

fn with_id(number: u32) -> FrameView<'static> {
    FrameView {
        id: id(number),
        ..FRAME
    }
}

fn open(interface: &str) -> Result<RawSocket, String> {
    RawSocket::open(interface).map_err(said)
}
