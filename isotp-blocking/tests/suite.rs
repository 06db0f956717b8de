//! The connection contract where threads drive the network; and the calls that block.

use core::time::Duration;
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use isotp_blocking::virtual_bus::VirtualBus;
use isotp_blocking::{Address, Config, ConnectionError, Id, Network, RecvTimeoutError};
use isotp_contract::UnderThreads;

isotp_contract::suite!(UnderThreads);

fn address(n: u16) -> Address {
    let id = |value| Id::standard(value).unwrap();
    Address::normal(id(0x100 + n), id(0x400 + n)).unwrap()
}

fn network() -> Network {
    Network::with_bus(VirtualBus::default().port()).unwrap()
}

#[test]
fn many_threads_share_a_connection_and_each_gets_its_own_outcome() {
    let network = network();
    let config = Config {
        queue: 100,
        ..Config::default()
    };
    let tester = network.connect(address(0), config.clone()).unwrap();
    let ecu = network.connect(address(0).reversed(), config).unwrap();
    thread::scope(|scope| {
        for n in 0..8 {
            let tester = &tester;
            scope.spawn(move || {
                for _ in 0..10 {
                    tester.send([n; 30]).unwrap();
                }
            });
        }
    });
    let mut counts = [0; 8];
    for _ in 0..80 {
        let message = ecu.recv().unwrap();
        assert_eq!(message, [message[0]; 30]);
        counts[usize::from(message[0])] += 1;
    }
    assert_eq!(counts, [10; 8]);
}

#[test]
fn old_messages_are_drained_and_counted() {
    let network = network();
    let tester = network.connect(address(0), Config::default()).unwrap();
    let ecu = network
        .connect(address(0).reversed(), Config::default())
        .unwrap();
    for n in 0..5 {
        tester.send([n; 20]).unwrap();
    }
    // the last was confirmed before it was in the queue, perhaps
    while ecu.statistics().messages_received < 5 {
        thread::yield_now();
    }
    assert_eq!(ecu.drain(), 5);
    assert_eq!(ecu.try_recv().unwrap(), None);
    tester.send([9]).unwrap();
    assert_eq!(ecu.recv().unwrap(), [9]);
}

#[test]
fn a_call_that_blocks_ends_with_its_network() {
    let network = network();
    let connection = network.connect(address(0), Config::default()).unwrap();
    thread::scope(|scope| {
        let waiting = [
            scope.spawn(|| connection.recv().unwrap_err().to_string()),
            scope.spawn(|| connection.next_event().unwrap_err().to_string()),
            scope.spawn(|| {
                let minute = Duration::from_secs(60);
                connection.recv_timeout(minute).unwrap_err().to_string()
            }),
        ];
        network.close();
        for call in waiting {
            let end = call.join().unwrap();
            assert_eq!(end, ConnectionError::Closed.to_string());
        }
    });
    let late = [
        connection.send([1]).unwrap_err().to_string(),
        connection.configure(Config::uds()).unwrap_err().to_string(),
        network
            .connect(address(1), Config::default())
            .unwrap_err()
            .to_string(),
    ];
    for text in late {
        assert!(text.contains("closed"), "{text}");
    }
}

#[test]
fn recv_timeout_is_over_in_time() {
    let network = network();
    let connection = network.connect(address(0), Config::default()).unwrap();
    let (begin, limit) = (Instant::now(), Duration::from_millis(20));
    let nothing = connection.recv_timeout(limit);
    assert!(
        matches!(nothing, Err(RecvTimeoutError::TimedOut(_))),
        "{nothing:?}"
    );
    assert!(begin.elapsed() >= limit);
}

/// All networks of this crate share one thread.
#[test]
fn a_server_that_sends_no_end_of_garbage_leaves_other_networks_their_turn() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let string = format!("isotpserver:{}", listener.local_addr().unwrap());
    let (begun, flooded) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut sent = 0;
        while let Ok(bytes) = stream.write(&[b'x'; 1 << 16]) {
            sent += bytes;
            // more than the buffers of the system: it is being read
            if sent > 1 << 26 {
                let _ = begun.send(());
            }
        }
    });
    let bridged = Network::open(&string).unwrap();
    let garbage = bridged.connect(address(0), Config::default()).unwrap();
    let limit = Duration::from_secs(20);
    flooded.recv_timeout(limit).expect("it reads garbage");
    let (done, talked) = mpsc::channel();
    let talk = thread::spawn(move || {
        let network = network();
        let tester = network.connect(address(0), Config::default()).unwrap();
        let ecu = network
            .connect(address(0).reversed(), Config::default())
            .unwrap();
        tester.send([7; 100]).unwrap();
        done.send(ecu.recv().unwrap()).unwrap();
    });
    let message = talked.recv_timeout(limit).expect("a message in time");
    assert_eq!(message, [7; 100]);
    talk.join().unwrap();
    drop((garbage, bridged));
}
