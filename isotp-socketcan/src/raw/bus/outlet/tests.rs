use super::*;
use crate::raw::testing::Scripted;
use crate::sys::{Inbound, receive_batch};
use isotp_driver::{Frame, FrameKind, Id};
use socketcan::SocketOptions;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

struct Place {
    outlet: Outlet,
    readiness: Readiness<Scripted>,
    monitor: RawMonitor,
    peer: UnixDatagram,
}

impl Place {
    fn new() -> Self {
        let (own, peer) = UnixDatagram::pair().unwrap();
        // the least there is: a few messages
        let options = sys::Options(own.as_fd());
        options
            .set_socket_option_int(libc::SOL_SOCKET, libc::SO_SNDBUF, 0)
            .unwrap();
        Self {
            outlet: Outlet::new(),
            readiness: Scripted::readiness(own.into()),
            monitor: RawMonitor::new(),
            peer,
        }
    }

    /// Takes frames whose data are these numbers.
    fn take(&mut self, numbers: core::ops::Range<u8>) {
        for number in numbers {
            assert!(self.outlet.has_room());
            assert!(self.outlet.take(FrameView {
                id: Id::standard(0x123).unwrap(),
                kind: FrameKind::Classic,
                data: &[number],
            }));
        }
    }

    fn send(&mut self, at: u64) -> Flushed {
        let now = Instant::from_micros(at);
        let sent = self.outlet.send(now, false, &self.readiness, &self.monitor);
        sent.unwrap()
    }

    /// The numbers that have arrived.
    fn arrived(&self) -> Vec<u8> {
        let mut room = [Inbound::EMPTY; BATCH];
        let mut numbers = Vec::new();
        while let Ok(count) = receive_batch(self.peer.as_fd(), &mut room) {
            let mut frame = Frame::new();
            numbers.extend(room[..count].iter().map(|message| {
                wire::decode(message.bytes(), &mut frame);
                frame.data()[0]
            }));
        }
        numbers
    }
}

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

#[test]
fn what_the_kernel_did_not_take_stays_in_order() {
    let mut place = Place::new();
    place.take(0..64);
    // a socket pair holds fewer
    assert_eq!(place.send(0), Flushed::Well);
    let left = place.outlet.len();
    assert!(left > 0 && left < 64, "{left}");
    assert!(place.outlet.is_full() && !place.outlet.has_room());
    assert!(!place.outlet.is_due(at(1)));
    assert_eq!(place.monitor.full_sockets(), 1);

    let mut arrived = place.arrived();
    while place.outlet.len() > 0 {
        place.outlet.writable();
        assert!(place.outlet.is_due(at(1)) && !place.outlet.has_room());
        place.send(1);
        arrived.extend(place.arrived());
    }
    assert_eq!(arrived, (0..64).collect::<Vec<u8>>());
    assert!(place.outlet.has_room());
    assert_eq!(place.outlet.poll_timeout(), None);
}

#[test]
fn a_full_interface_is_asked_again_after_pauses_that_grow() {
    let mut place = Place::new();
    place.take(0..3);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        place.readiness.watch().fail(libc::ENOBUFS);
        place.send(now);
        // to wait until the socket is writable would be no wait
        assert!(!place.outlet.is_full() && !place.outlet.has_room());
        let until = place.outlet.poll_timeout().unwrap().as_micros();
        assert!(!place.outlet.is_due(at(until - 1)) && place.outlet.is_due(at(until)));
        pauses.push(until - now);
        now = until;
    }
    assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    assert!(place.arrived().is_empty());
    // an echo ends the pause
    place.readiness.watch().fail(libc::ENOBUFS);
    place.send(now);
    place.outlet.relieved();
    assert!(place.outlet.is_due(at(now)));
    place.send(now);
    assert_eq!(place.arrived(), [0, 1, 2]);
    assert_eq!(place.monitor.full_interfaces(), 9);
}

#[test]
fn frames_that_nobody_takes_are_over_after_a_second() {
    for errno in [libc::EAGAIN, libc::ENOBUFS] {
        let mut place = Place::new();
        place.take(0..2);
        let mut now = 5;
        while !place.outlet.is_over(at(now)) {
            place.readiness.watch().fail(errno);
            place.send(now);
            now = place.outlet.poll_timeout().unwrap().as_micros();
            place.outlet.writable();
        }
        assert_eq!(now, 1_000_005);
        place.outlet.clear();
        assert!(place.outlet.has_room() && place.outlet.poll_timeout().is_none());
    }
}

#[test]
fn a_frame_that_the_interface_refuses_does_not_hold_up_the_others() {
    let mut place = Place::new();
    place.take(0..3);
    place.readiness.watch().fail(libc::EINTR);
    place.readiness.watch().fail(libc::EINVAL);
    assert_eq!(place.send(0), Flushed::Impossible);
    place.outlet.skip();
    assert_eq!(place.send(0), Flushed::Well);
    assert_eq!(place.arrived(), [1, 2]);
}

#[test]
fn an_interface_that_is_gone_is_an_error() {
    let mut place = Place::new();
    place.take(0..1);
    place.readiness.watch().fail(libc::ENETDOWN);
    let sent = place
        .outlet
        .send(at(0), false, &place.readiness, &place.monitor);
    assert_eq!(sent.unwrap_err().raw_os_error(), Some(libc::ENETDOWN));
}

#[test]
fn a_batch_is_one_system_call() {
    let mut place = Place::new();
    place.take(0..3);
    place.send(0);
    assert_eq!((place.arrived().len(), place.monitor.calls()), (3, 1));
}
