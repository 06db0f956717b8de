use super::*;
use socketcan::SocketOptions;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

fn message(bytes: &[u8]) -> Outbound {
    let mut message = Outbound::EMPTY;
    message.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
    message.set_length(bytes.len());
    message
}

#[test]
fn a_batch_arrives_in_order_and_with_its_lengths() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let sent: Vec<Vec<u8>> = (0..5u8)
        .map(|n| vec![n; 16 + usize::from(n) * 14])
        .collect();
    let batch: Vec<_> = sent.iter().map(|bytes| message(bytes)).collect();
    assert_eq!(send_batch(a.as_fd(), &batch).unwrap(), 5);

    let mut room = vec![Inbound::EMPTY; 3];
    let mut received = Vec::new();
    for expected in [3, 2] {
        let count = receive_batch(b.as_fd(), &mut room).unwrap();
        assert_eq!(count, expected);
        received.extend(room[..count].iter().map(|m| m.bytes().to_vec()));
    }
    assert_eq!(received, sent);
    let empty = receive_batch(b.as_fd(), &mut room).unwrap_err();
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_batch_that_does_not_fit_is_taken_in_part() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let batch = vec![message(&[7; 16]); BATCH];
    let mut taken = 0;
    let error = loop {
        match send_batch(a.as_fd(), &batch) {
            Ok(count) => taken += count,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(taken > 0);
    let mut room = vec![Inbound::EMPTY; BATCH];
    let mut received = 0;
    while let Ok(count) = receive_batch(b.as_fd(), &mut room) {
        received += count;
    }
    assert_eq!(received, taken);
}

#[test]
fn more_messages_than_a_batch_holds_are_left_over() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let one = [message(&[1; 16])];
    for _ in 0..3 {
        send_batch(a.as_fd(), &one).unwrap();
    }
    assert_eq!(send_batch(a.as_fd(), &[]).unwrap(), 0);
    let mut room = vec![Inbound::EMPTY; BATCH + 9];
    assert_eq!(receive_batch(b.as_fd(), &mut room).unwrap(), 3);
}

#[test]
fn time_stamps_and_losses_are_noted() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let options = crate::sys::Options(receiver.as_fd());
    options.set_recv_timestamp(true).unwrap();
    options
        .set_socket_option_int(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)
        .unwrap();
    options
        .set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF, 1)
        .unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.connect(receiver.local_addr().unwrap()).unwrap();

    let mut room = vec![Inbound::EMPTY; BATCH];
    let mut dropped = 0;
    let mut received = 0;
    for _ in 0..2 {
        for _ in 0..100 {
            assert_eq!(send_batch(sender.as_fd(), &[message(&[3; 16])]).unwrap(), 1);
        }
        while let Ok(count) = receive_batch(receiver.as_fd(), &mut room) {
            for message in &room[..count] {
                let notes = message.notes();
                let (seconds, nanos) = notes.stamp.unwrap();
                assert!(seconds > 1_600_000_000 && (0..1_000_000_000).contains(&nanos));
                assert!(!message.is_own());
                dropped = notes.dropped.unwrap_or(dropped);
                received += 1;
            }
        }
    }
    // those of the second hundred do not show before another arrives
    assert!(dropped > 0 && dropped <= 100, "{dropped}");
    assert!(received > 0 && received + dropped <= 200);
}

#[test]
fn control_messages_that_make_no_sense_are_skipped() {
    for control_length in [0, 1, HEADER - 1, HEADER, CONTROL, CONTROL + 9] {
        for fill in [0, 1, 0xFF] {
            let message = Inbound {
                control: [fill; CONTROL],
                control_length,
                ..Inbound::EMPTY
            };
            assert_eq!(message.notes(), Notes::default());
        }
    }
}
