//! Kernel sockets without a runtime: each message has its own outcome.

use core::time::Duration;
use std::time::Instant;

use isotp_core::NResult;
use isotp_driver::Incoming;
use isotp_socketcan::{KernelOptions, KernelSocket, NotSent, RecvError};

use super::peer::{Peer, ecu, tester};
use super::{Named, ensure, said, same};

pub(super) const CASES: &[Named] = &[
    ("kernel socket/no peer, then a good message", no_peer),
    (
        "kernel socket/an overflow is told of its own message",
        overflow,
    ),
    (
        "kernel socket/a reserved flow status fails the message",
        reserved,
    ),
    (
        "kernel socket/a failed reception never hits a message",
        stale,
    ),
    ("kernel socket/receptions that fail say why", receptions),
    ("kernel socket/messages of any size are received", sizes),
    ("kernel socket/a message that does not fit stays", truncated),
    (
        "kernel socket/an abandoned message is not the next one",
        abandoned,
    ),
    ("kernel socket/busy while a message is sent", busy),
    ("kernel socket/a timeout too long to count is none", endless),
];

pub(super) fn open(interface: &str) -> Result<KernelSocket, String> {
    let options = KernelOptions::new(tester(), ecu()).frame_time(Duration::ZERO);
    options.open(interface).map_err(said)
}

fn open_ecu(interface: &str) -> Result<KernelSocket, String> {
    let options = KernelOptions::new(ecu(), tester()).frame_time(Duration::ZERO);
    options.open(interface).map_err(said)
}

fn no_peer(interface: &str) -> Result<String, String> {
    let mut socket = open(interface)?;
    let start = Instant::now();
    same(
        "alone",
        socket.send(&[1; 100], LONG).map_err(said)?,
        NResult::TimeoutBs,
    )?;
    let waited = start.elapsed();
    let mut peer = open_ecu(interface)?;
    same(
        "with a peer",
        socket.send(&[2; 100], LONG).map_err(said)?,
        NResult::Ok,
    )?;
    let mut message = Vec::new();
    peer.recv(&mut message, LONG).map_err(said)?;
    same("the message", message.clone(), vec![2; 100])?;
    let more = peer.recv(&mut message, SHORT);
    ensure(more.is_err(), format!("one message, and then {more:?}"))?;
    same(
        "a single frame",
        socket.send(&[3; 7], LONG).map_err(said)?,
        NResult::Ok,
    )?;
    Ok(format!("N_TIMEOUT_Bs after {waited:?}"))
}

fn overflow(interface: &str) -> Result<String, String> {
    let (mut socket, peer) = (open(interface)?, Peer::open(interface)?);
    socket.try_send(&[1; 20]).map_err(said)?;
    peer.hear()?;
    peer.say("32 00 00")?;
    same("the first", outcome(&mut socket)?, NResult::BufferOverflow)?;
    socket.try_send(&[2; 8]).map_err(said)?;
    same("FF", peer.hear()?.as_str(), "10 08 02 02 02 02 02 02")?;
    peer.say("30 00 00")?;
    same("CF", peer.hear()?.as_str(), "21 02 02")?;
    same("the second", outcome(&mut socket)?, NResult::Ok)?;
    Ok(String::new())
}

fn reserved(interface: &str) -> Result<String, String> {
    let (mut socket, peer) = (open(interface)?, Peer::open(interface)?);
    socket.try_send(&[1; 20]).map_err(said)?;
    peer.hear()?;
    peer.say("33 00 00")?;
    let result = outcome(&mut socket)?;
    same("the result", result.name(), "N_INVALID_FS")?;
    Ok(result.to_string())
}

fn stale(interface: &str) -> Result<String, String> {
    let (mut socket, peer) = (open(interface)?, Peer::open(interface)?);
    peer.say("10 14 00 01 02 03 04 05")?;
    same("FC", peer.hear()?.as_str(), "30 00 00")?;
    peer.say("22 06 07 08 09 0A 0B 0C")?;
    // the error waits in the socket, and would be the answer to the next write
    same(
        "the message",
        socket.send(&[9; 3], LONG).map_err(said)?,
        NResult::Ok,
    )?;
    same("SF", peer.hear()?.as_str(), "03 09 09 09")?;
    let mut message = Vec::new();
    let told = socket.try_recv(&mut message).map_err(said)?;
    let Incoming::Failed(result) = told else {
        return Err(format!("expected a failed reception, got {told:?}"));
    };
    same("the reception", result.name(), "N_WRONG_SN")?;
    Ok(String::new())
}

fn receptions(interface: &str) -> Result<String, String> {
    let (mut socket, peer) = (open(interface)?, Peer::open(interface)?);
    let mut message = Vec::new();
    peer.say("10 14 00 01 02 03 04 05")?;
    let start = Instant::now();
    let told = socket.recv(&mut message, LONG).map_err(said)?;
    same("a silent peer", told, Incoming::Failed(NResult::TimeoutCr))?;
    let waited = start.elapsed();
    peer.say("10 08 00 01 02 03 04 05")?;
    peer.say("21 06 07")?;
    let told = socket.recv(&mut message, LONG).map_err(said)?;
    same("afterwards", told, Incoming::Message)?;
    same("the message", message, vec![0, 1, 2, 3, 4, 5, 6, 7])?;
    Ok(format!("N_TIMEOUT_Cr after {waited:?}"))
}

fn sizes(interface: &str) -> Result<String, String> {
    let (mut from, mut to) = (open(interface)?, open_ecu(interface)?);
    let mut message = Vec::new();
    for size in [1, 6, 7, 8, 62, 63, 4095, 4096, 60_000] {
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let result = from.send(&bytes, LONG).map_err(said)?;
        same("the result", result, NResult::Ok)?;
        let told = to.recv(&mut message, LONG).map_err(said)?;
        same("what came", told, Incoming::Message)?;
        ensure(message == bytes, format!("{size} bytes came as others"))?;
    }
    for size in [0, from.max_message() + 1] {
        let refused = from.send(&vec![0; size], LONG);
        let expected = matches!(&refused, Err(NotSent::Size { size: told, .. }) if *told == size);
        ensure(expected, format!("{size} bytes: {refused:?}"))?;
    }
    Ok(format!("at most {} bytes", from.max_message()))
}

fn truncated(interface: &str) -> Result<String, String> {
    let (mut from, mut to) = (open(interface)?, open_ecu(interface)?);
    same(
        "the result",
        from.send(&[5; 100], LONG).map_err(said)?,
        NResult::Ok,
    )?;
    let mut small = [0; 10];
    let refused = to.try_recv_into(&mut small);
    let expected = matches!(&refused, Err(RecvError::Truncated { needed: 100 }));
    ensure(expected, format!("{refused:?}"))?;
    let mut large = [0; 200];
    let size = to.try_recv_into(&mut large).map_err(said)?;
    same("the message", &large[..size], &[5; 100])?;
    let none = to.try_recv_into(&mut large);
    ensure(
        matches!(&none, Err(RecvError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock),
        format!("{none:?}"),
    )?;
    Ok(String::new())
}

fn abandoned(interface: &str) -> Result<String, String> {
    let (mut socket, peer) = (open(interface)?, Peer::open(interface)?);
    let given_up = socket.send(&[1; 20], SHORT);
    ensure(
        matches!(given_up, Err(NotSent::TimedOut)),
        format!("{given_up:?}"),
    )?;
    peer.hear()?;
    let busy = socket.try_send(&[2; 20]);
    ensure(matches!(busy, Err(NotSent::Busy)), format!("{busy:?}"))?;
    // the first one fails within this one's time, which must not take the failure for its own
    let sent = socket.send(&[3; 2], LONG).map_err(said)?;
    same("the next", sent, NResult::Ok)?;
    same("SF", peer.hear()?.as_str(), "02 03 03")?;
    Ok(String::new())
}

fn busy(interface: &str) -> Result<String, String> {
    let (mut socket, peer) = (open(interface)?, Peer::open(interface)?);
    socket.try_send(&[1; 20]).map_err(said)?;
    peer.hear()?;
    for _ in 0..3 {
        same("its outcome", socket.try_outcome().map_err(said)?, None)?;
        peer.say("31 00 00")?;
        let busy = socket.try_send(&[2; 3]);
        ensure(matches!(busy, Err(NotSent::Busy)), format!("{busy:?}"))?;
    }
    peer.say("30 00 00")?;
    same("the result", outcome(&mut socket)?, NResult::Ok)?;
    same("twice", socket.try_outcome().map_err(said)?, None)?;
    Ok(String::new())
}

fn endless(interface: &str) -> Result<String, String> {
    let (mut from, mut to) = (open(interface)?, open_ecu(interface)?);
    for timeout in [Duration::MAX, Duration::from_secs(u64::MAX / 2)] {
        let result = from.send(&[1; 100], timeout).map_err(said)?;
        same("the result", result, NResult::Ok)?;
        // it comes later
        let receiver = std::thread::scope(|scope| {
            let receiver = scope.spawn(|| {
                let mut messages = Vec::new();
                for _ in 0..2 {
                    let mut message = Vec::new();
                    to.recv(&mut message, timeout).map_err(said)?;
                    messages.push(message.len());
                }
                Ok::<_, String>(messages)
            });
            let sent = from.send(&[2; 3], timeout).map_err(said);
            let received = receiver.join().map_err(|_| "recv panics".to_owned());
            sent.and_then(|_| received?)
        })?;
        same("what came", receiver, vec![100, 3])?;
    }
    let none = to.recv(&mut Vec::new(), Duration::ZERO);
    let expected = matches!(&none, Err(error) if error.kind() == std::io::ErrorKind::TimedOut);
    ensure(expected, format!("{none:?}"))?;
    Ok(String::new())
}

/// Waits for the outcome as an event loop does.
fn outcome(socket: &mut KernelSocket) -> Result<NResult, String> {
    use std::os::fd::AsFd;
    let deadline = crate::deadline::Deadline::seconds(3);
    loop {
        if let Some(result) = socket.try_outcome().map_err(said)? {
            return Ok(result);
        }
        let left = deadline.left("an outcome")?;
        crate::sys::poll([(socket.as_fd(), libc::POLLOUT)], left).map_err(said)?;
    }
}

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(200);
