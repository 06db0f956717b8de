//! Each option of a kernel socket, seen on the bus.

use core::time::Duration;
use std::time::Instant;

use isotp_core::{FrameKind, NResult, StMin};
use isotp_driver::Incoming;
use isotp_socketcan::{KernelOptions, KernelSocket};

use super::peer::{Peer, ecu, tester};
use super::{Named, ensure, said, same};

pub(super) const CASES: &[Named] = &[
    ("kernel options/addresses and padding", frames),
    ("kernel options/flow control", flow_control),
    ("kernel options/separation times", times),
    ("kernel options/broadcast", broadcast),
    ("kernel options/CAN FD", fd),
    ("kernel options/padding is checked", checks),
    ("kernel options/listen only", listen),
    ("kernel options/a write can wait", waits),
];

fn plain() -> KernelOptions {
    KernelOptions::new(tester(), ecu()).frame_time(Duration::ZERO)
}

fn open(options: &KernelOptions, interface: &str) -> Result<KernelSocket, String> {
    options.open(interface).map_err(said)
}

fn frames(interface: &str) -> Result<String, String> {
    let peer = Peer::open(interface)?;
    for (options, expected) in [
        (plain(), "02 01 02"),
        (plain().pad_sent(0x55), "02 01 02 55 55 55 55 55"),
        (plain().address_bytes(0xA1, 0xA2), "A1 02 01 02"),
        (
            plain().address_bytes(0xA1, 0xA1).pad_sent(0),
            "A1 02 01 02 00 00 00 00",
        ),
    ] {
        let mut socket = open(&options, interface)?;
        same(
            "the result",
            socket.send(&[1, 2], LONG).map_err(said)?,
            NResult::Ok,
        )?;
        same("the frame", peer.hear()?.as_str(), expected)?;
    }
    let mut socket = open(&plain().address_bytes(0xA1, 0xA2), interface)?;
    peer.say("A1 01 07")?;
    peer.say("A2 01 08")?;
    let mut message = Vec::new();
    socket.recv(&mut message, LONG).map_err(said)?;
    same("the message", message, vec![8])?;
    Ok(String::new())
}

fn flow_control(interface: &str) -> Result<String, String> {
    let peer = Peer::open(interface)?;
    let st_min = StMin::at_least(Duration::from_micros(300)).map_err(said)?;
    let _socket = open(&plain().flow_control(2, st_min), interface)?;
    peer.say("10 20 00 01 02 03 04 05")?;
    same("FC", peer.hear()?.as_str(), "30 02 F3")?;
    peer.say("21 06 07 08 09 0A 0B 0C")?;
    peer.say("22 06 07 08 09 0A 0B 0C")?;
    same("FC", peer.hear()?.as_str(), "30 02 F3")?;
    Ok(String::new())
}

fn times(interface: &str) -> Result<String, String> {
    let (peer, mut message) = (Peer::open(interface)?, Vec::new());
    let separation = Duration::from_millis(20);
    let mut remarks = Vec::new();
    for (name, options, least) in [
        ("forced", plain().force_tx_st_min(separation), 40),
        ("frame time", plain().frame_time(separation), 40),
        ("none", plain(), 0),
    ] {
        let mut socket = open(&options, interface)?;
        socket.try_send(&[1; 6 + 3 * 7]).map_err(said)?;
        peer.hear()?;
        let start = Instant::now();
        peer.say("30 00 00")?;
        for _ in 0..3 {
            peer.hear()?;
        }
        let took = start.elapsed();
        ensure(
            took >= Duration::from_millis(least),
            format!("{name}: {took:?}"),
        )?;
        ensure(least > 0 || took < separation, format!("{name}: {took:?}"))?;
        remarks.push(format!("{name} {took:?}"));
    }
    // the second consecutive frame comes too early, so that the message lacks it
    for (options, complete) in [
        (plain().force_rx_st_min(Duration::from_millis(500)), false),
        (plain(), true),
    ] {
        let mut socket = open(&options, interface)?;
        peer.say("10 10 00 01 02 03 04 05")?;
        peer.hear()?;
        peer.say("21 06 07 08 09 0A 0B 0C")?;
        peer.say("22 0D 0E 0F")?;
        let told = socket.recv(&mut message, LONG).map_err(said)?;
        same("complete", told == Incoming::Message, complete)?;
    }
    Ok(remarks.join(", "))
}

fn broadcast(interface: &str) -> Result<String, String> {
    let peer = Peer::open(interface)?;
    let mut socket = open(&plain().broadcast_single_frames(), interface)?;
    same("the most", socket.max_message(), 7)?;
    same(
        "a single frame",
        socket.send(&[1; 7], LONG).map_err(said)?,
        NResult::Ok,
    )?;
    same("SF", peer.hear()?.as_str(), "07 01 01 01 01 01 01 01")?;
    ensure(
        socket.send(&[1; 8], LONG).is_err(),
        "8 bytes in a single frame",
    )?;
    let mut socket = open(&plain().broadcast_consecutive_frames(), interface)?;
    same(
        "without flow control",
        socket.send(&[1; 9], LONG).map_err(said)?,
        NResult::Ok,
    )?;
    same("FF", peer.hear()?.as_str(), "10 09 01 01 01 01 01 01")?;
    same("CF", peer.hear()?.as_str(), "21 01 01 01")?;
    Ok(String::new())
}

fn fd(interface: &str) -> Result<String, String> {
    let kind = FrameKind::Fd { brs: true };
    let mut message = Vec::new();
    for tx_dl in [8, 12, 16, 20, 24, 32, 48, 64] {
        let mut from = open(&plain().link_layer(kind, tx_dl), interface)?;
        let to = KernelOptions::new(ecu(), tester()).link_layer(kind, tx_dl);
        let mut to = open(&to, interface)?;
        for size in [1, 7, 8, 62, 63, 500] {
            let result = from.send(&vec![7; size], LONG).map_err(said)?;
            same("the result", result, NResult::Ok)?;
            to.recv(&mut message, LONG).map_err(said)?;
            same("the size", message.len(), size)?;
        }
    }
    Ok(String::new())
}

fn checks(interface: &str) -> Result<String, String> {
    let (peer, mut message) = (Peer::open(interface)?, Vec::new());
    let options = plain().expect_padding(0x55).check_padding_content();
    let mut socket = open(&options, interface)?;
    peer.say("01 09 55 55 55 55 55 55")?;
    let told = socket.recv(&mut message, LONG).map_err(said)?;
    same("padded well", told, Incoming::Message)?;
    peer.say("01 09 55 55 55 55 55 AA")?;
    let told = socket.recv(&mut message, LONG).map_err(said)?;
    ensure(matches!(told, Incoming::Failed(_)), format!("{told:?}"))?;
    // a flow control with wrong padding is the message's own
    socket.try_send(&[1; 9]).map_err(said)?;
    peer.hear()?;
    peer.say("30 00 00 AA AA AA AA AA")?;
    let result = socket.send(&[1; 2], LONG).map_err(said)?;
    same("the next", result, NResult::Ok)?;
    let none = socket.try_recv(&mut message);
    ensure(none.is_err(), format!("{none:?}"))?;
    Ok(String::new())
}

fn listen(interface: &str) -> Result<String, String> {
    let (peer, mut message) = (Peer::open(interface)?, Vec::new());
    let mut socket = open(&plain().listen_only(), interface)?;
    peer.say("10 08 00 01 02 03 04 05")?;
    peer.hear_nothing(Duration::from_millis(100))?;
    peer.say("21 06 07")?;
    socket.recv(&mut message, LONG).map_err(said)?;
    same("the message", message.len(), 8)?;
    Ok(String::new())
}

fn waits(interface: &str) -> Result<String, String> {
    let mut socket = open(&plain().wait_until_sent(), interface)?;
    let start = Instant::now();
    socket.try_send(&[1; 20]).map_err(said)?;
    let took = start.elapsed();
    ensure(
        took > Duration::from_millis(900),
        format!("it took {took:?}"),
    )?;
    let told = socket.try_outcome().map_err(said)?;
    same("the outcome", told, Some(NResult::TimeoutBs))?;
    let result = socket.send(&[1; 3], LONG).map_err(said)?;
    same("the next", result, NResult::Ok)?;
    Ok(format!("{took:?}"))
}

const LONG: Duration = Duration::from_secs(5);
