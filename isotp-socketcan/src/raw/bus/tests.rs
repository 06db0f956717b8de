use super::*;
use crate::raw::testing::Scripted;
use crate::sys::{Inbound, Outbound, receive_batch, send_batch};
use core::task::Waker;
use core::time::Duration;
use isotp_driver::{FrameKind, FrameView, Id};
use std::os::unix::net::UnixDatagram;

/// A bus on a socket pair: what it sends arrives at `peer`, and nothing is echoed.
struct Place {
    bus: RawBus<Scripted>,
    peer: UnixDatagram,
    frame: Frame,
}

impl Place {
    fn new(mtu: u32) -> Self {
        // what happens from here on is later than zero
        let _ = isotp_driver::process_origin();
        let (own, peer) = UnixDatagram::pair().unwrap();
        let options = Options(own.as_fd());
        options
            .set_socket_option_int(libc::SOL_SOCKET, libc::SO_SNDBUF, 0)
            .unwrap();
        let control = own.try_clone().unwrap().into();
        let interface = Interface::invented("invented0", mtu);
        Self {
            bus: RawBus::assemble(interface, Scripted::readiness(own.into()), control),
            peer,
            frame: Frame::new(),
        }
    }

    fn offer(&mut self, number: u8) -> Taken {
        self.frame.copy_from(data(&[number]));
        let token = TxToken::from_bits(number.into());
        self.bus.try_send(at(0), &self.frame, token).unwrap()
    }

    fn receive(&mut self, now: Instant) -> Option<Arrival> {
        self.bus.receive(now, &mut self.frame).unwrap()
    }

    fn is_ready(&mut self, writable: bool) -> bool {
        let interest = Interest {
            readable: true,
            writable,
        };
        let mut cx = Context::from_waker(Waker::noop());
        self.bus.poll_ready(&mut cx, interest).is_ready()
    }

    fn controller_tells(&self, class: u32) {
        let mut message = Outbound::EMPTY;
        let id = libc::CAN_ERR_FLAG | class;
        message.bytes_mut()[..4].copy_from_slice(&id.to_ne_bytes());
        message.bytes_mut()[4] = 8;
        message.set_length(libc::CAN_MTU);
        assert_eq!(send_batch(self.peer.as_fd(), &[message]).unwrap(), 1);
    }

    fn peer_sends(&self, frame: FrameView<'_>) {
        let mut message = Outbound::EMPTY;
        assert!(wire::encode(frame, &mut message));
        assert_eq!(send_batch(self.peer.as_fd(), &[message]).unwrap(), 1);
    }

    fn arrived(&self) -> Vec<u8> {
        let mut room = [const { Inbound::EMPTY }; 64];
        let count = receive_batch(self.peer.as_fd(), &mut room).unwrap_or(0);
        let mut frame = Frame::new();
        let numbers = room[..count].iter().map(|message| {
            wire::decode(message.bytes(), &mut frame);
            frame.data()[0]
        });
        numbers.collect()
    }
}

/// So far ahead of the process's clock, by which arrivals are stamped, that what has arrived has arrived
/// before.
fn at(millis: u64) -> Instant {
    Instant::ZERO + HOUR + Duration::from_millis(millis)
}

const HOUR: Duration = Duration::from_secs(3600);

fn data(data: &[u8]) -> FrameView<'_> {
    FrameView {
        id: Id::standard(0x7E0).unwrap(),
        kind: FrameKind::Classic,
        data,
    }
}

#[test]
fn what_was_taken_and_did_not_fit_goes_first_once_there_is_room() {
    let mut place = Place::new(72);
    for number in 0..20 {
        assert_eq!(place.offer(number), Taken::Took);
    }
    place.bus.flush(at(0)).unwrap();
    assert_eq!(place.offer(20), Taken::Later);
    let mut arrived = place.arrived();
    assert!(!arrived.is_empty() && arrived.len() < 20);
    while arrived.len() < 20 {
        assert!(place.is_ready(false));
        // it goes without being asked, and nothing overtakes it
        assert_eq!(place.offer(20), Taken::Later);
        assert_eq!(place.receive(at(1)), None);
        arrived.extend(place.arrived());
    }
    assert_eq!(arrived, (0..20).collect::<Vec<u8>>());
    assert_eq!(place.offer(20), Taken::Took);
}

#[test]
fn frames_that_stay_in_a_full_queue_fail() {
    let mut place = Place::new(72);
    assert_eq!(place.offer(1), Taken::Took);
    assert_eq!(place.offer(2), Taken::Took);
    place.bus.readiness.watch().fail(libc::ENOBUFS);
    place.bus.flush(at(0)).unwrap();
    for (millis, token) in [(1000, 1), (1000, 2)] {
        // the interface is full whenever it is asked
        place.bus.readiness.watch().fail(libc::ENOBUFS);
        let token = TxToken::from_bits(token);
        let failed = Arrival::Failed {
            at: at(millis),
            token,
        };
        assert_eq!(place.receive(at(millis)), Some(failed));
    }
    assert_eq!(place.offer(3), Taken::Took);
}

#[test]
fn a_full_interface_wakes_nobody_before_its_pause_is_over() {
    let mut place = Place::new(72);
    place.offer(1);
    place.bus.readiness.watch().fail(libc::ENOBUFS);
    place.bus.flush(at(0)).unwrap();
    let over = at(0) + Duration::from_micros(250);
    assert_eq!(place.bus.poll_timeout(), Some(over));
    let early = at(0) + Duration::from_micros(249);
    assert_eq!(place.receive(early), None);
    assert!(place.arrived().is_empty());
    assert_eq!(place.receive(over), None);
    assert_eq!(place.arrived(), [1]);
}

#[test]
fn while_the_controller_is_off_nothing_is_sent() {
    let mut place = Place::new(72);
    place.offer(1);
    place.bus.flush(at(0)).unwrap();
    place.controller_tells(libc::CAN_ERR_BUSOFF);
    let (at_5, token) = (at(5), TxToken::from_bits(1));
    assert_eq!(
        place.receive(at_5),
        Some(Arrival::Failed { at: at_5, token })
    );
    assert_eq!(place.receive(at_5), None);
    assert_eq!(place.offer(2), Taken::Later);
    assert_eq!(place.bus.poll_timeout(), Some(at(905)));
    place.controller_tells(libc::CAN_ERR_RESTARTED);
    assert_eq!(place.receive(at(800)), None);
    assert_eq!(place.offer(2), Taken::Took);

    place.controller_tells(libc::CAN_ERR_BUSOFF);
    place.receive(at(1000));
    let mut frame = Frame::new();
    while let Some(Arrival::Failed { .. }) = place.receive(at(1001)) {}
    let error = place.bus.receive(at(1900), &mut frame).unwrap_err();
    assert!(
        error.to_string().contains("invented0 is bus-off"),
        "{error}"
    );
    assert_eq!(place.bus.monitor().error_frames(), 3);
}

/// Error frames by the hundred are counted, and neither wake anybody again nor hold up what comes behind them.
#[test]
fn a_flood_of_error_frames_hides_no_frame_behind_it() {
    let mut place = Place::new(72);
    for _ in 0..100 {
        place.controller_tells(libc::CAN_ERR_PROT);
    }
    place.peer_sends(data(&[7]));
    let now = at(0);
    let arrived = (0..10).find_map(|_| place.receive(now));
    assert!(matches!(arrived, Some(Arrival::Received { .. })));
    assert_eq!(place.frame.view(), data(&[7]));
    assert_eq!(place.receive(now), None);
    assert_eq!(place.bus.monitor().error_frames(), 100);
}

#[test]
fn received_frames_have_a_moment_that_is_not_in_the_future() {
    let mut place = Place::new(72);
    let early = Instant::ZERO;
    place.peer_sends(data(&[7]));
    place.peer_sends(data(&[8]));
    // they arrived after this round began, so they wait for the next
    assert_eq!(place.receive(early), None);
    assert!(place.is_ready(false));
    for number in [7, 8] {
        // but only once, whatever the driver's clock does
        let arrival = place.receive(early);
        assert_eq!(arrival, Some(Arrival::Received { at: early }));
        assert_eq!(place.frame.view(), data(&[number]));
    }
    assert_eq!(place.receive(early), None);
    let before = isotp_driver::process_time();
    place.peer_sends(data(&[9]));
    let Some(Arrival::Received { at }) = place.receive(at(0)) else {
        panic!("nothing received");
    };
    assert!(before <= at && at <= isotp_driver::process_time());
}

#[test]
fn an_interface_without_fd_takes_no_fd_frame() {
    let fd = FrameView {
        kind: FrameKind::Fd { brs: false },
        ..data(&[1])
    };
    for (mtu, taken) in [(16, Taken::Never), (72, Taken::Took)] {
        let mut place = Place::new(mtu);
        place.frame.copy_from(fd);
        let token = TxToken::from_bits(0);
        let offered = place.bus.try_send(at(0), &place.frame, token).unwrap();
        assert_eq!((offered, place.bus.supports_fd()), (taken, mtu == 72));
    }
}

#[test]
fn an_interface_that_is_gone_ends_the_bus_with_what_to_do() {
    for errno in [libc::ENETDOWN, libc::ENODEV, libc::ENXIO] {
        let mut place = Place::new(72);
        place.bus.readiness.watch().fail(errno);
        let mut frame = Frame::new();
        let error = place
            .bus
            .receive(at(0), &mut frame)
            .unwrap_err()
            .to_string();
        // there is none of this name, so it was removed, whatever the error says
        assert!(
            error.contains("the interface invented0 was removed"),
            "{error}"
        );
    }
}

#[test]
fn nothing_is_allocated_for_a_frame() {
    let mut place = Place::new(72);
    let counted = allocation_counter::measure(|| {
        let interest = Interest::READABLE;
        let mut cx = Context::from_waker(Waker::noop());
        for number in 0..4 {
            assert_eq!(place.offer(number), Taken::Took);
        }
        place.bus.flush(at(0)).unwrap();
        place.peer_sends(data(&[1]));
        assert!(place.bus.poll_ready(&mut cx, interest).is_ready());
        while place.receive(at(0)).is_none() {}
    });
    assert_eq!(counted.count_total, 0);
}
