//! What blocks beside connections: bridges, taps, functional requests. Each case has a deadline.

use core::time::Duration;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use isotp_blocking::driver::FrameView;
use isotp_blocking::driver::core::GrowingBuffer;
use isotp_blocking::isotpserver::{Bridge, BridgeOptions};
use isotp_blocking::virtual_bus::VirtualBus;
use isotp_blocking::{
    Address, Config, Connection, ConnectionError, FrameKind, Id, NResult, Network, RequestError,
};

const LIMIT: Duration = Duration::from_secs(20);

/// Runs a case in a thread of its own, which has so long.
fn in_time(case: impl FnOnce() + Send + 'static) {
    let (done, over) = mpsc::channel();
    let case = thread::spawn(move || {
        let _done: mpsc::Sender<()> = done;
        case();
    });
    match over.recv_timeout(LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => case.join().unwrap(),
    }
}

/// Asks until it is so.
fn becomes(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < LIMIT, "never: {what}");
        thread::yield_now();
    }
}

/// Of the tester; the ECU has the reverse.
fn address(n: u16) -> Address {
    let id = |value| Id::standard(value).unwrap();
    let address = Address::normal(id(0x7E0 + n), id(0x7E8 + n)).unwrap();
    address.with_functional_tx(id(0x7DF)).unwrap()
}

fn ecu(n: u16) -> Address {
    address(n)
        .reversed()
        .with_functional_rx(Id::standard(0x7DF).unwrap())
        .unwrap()
}

fn network() -> Network {
    Network::with_bus(VirtualBus::default().port()).unwrap()
}

fn connect(network: &Network, address: Address) -> Connection {
    network.connect(address, Config::default()).unwrap()
}

/// A bridge to an ECU, and a client that the ECU has heard.
fn bridged() -> (Network, Connection, Bridge, Connection) {
    let bus = network();
    let (tester, ecu) = (connect(&bus, address(0)), connect(&bus, ecu(0)));
    let bridge = Bridge::listen("127.0.0.1:0", tester, BridgeOptions::default()).unwrap();
    let elsewhere = Network::open(&format!("isotpserver:{}", bridge.address())).unwrap();
    let client = connect(&elsewhere, address(0));
    client.send([0x22; 100]).unwrap();
    assert_eq!(ecu.recv().unwrap(), [0x22; 100]);
    (bus, ecu, bridge, client)
}

#[test]
fn a_bridge_lets_clients_in_until_it_is_dropped() {
    in_time(|| {
        let (bus, ecu, bridge, client) = bridged();
        let socket = bridge.address().to_owned();
        ecu.send([0x62; 100]).unwrap();
        assert_eq!(client.recv().unwrap(), [0x62; 100]);

        drop(bridge);
        client.recv().unwrap_err();
        becomes("nobody listens", || TcpStream::connect(&socket).is_err());
        becomes("the address is free", || {
            bus.connect(address(0), Config::default()).is_ok()
        });
    });
}

#[test]
fn a_bridge_that_closes_gives_its_clients_what_was_received() {
    in_time(|| {
        let (bus, ecu, bridge, client) = bridged();
        for n in 0..10 {
            ecu.send([n; 100]).unwrap();
        }
        let reads = thread::spawn(move || {
            for n in 0..10 {
                assert_eq!(client.recv().unwrap(), [n; 100]);
            }
            client.recv().unwrap_err()
        });
        bridge.close();
        assert!(reads.join().unwrap().to_string().contains("?reconnect"));
        connect(&bus, address(0));
    });
}

#[test]
fn a_bridge_that_cannot_listen_says_so_and_closes_its_connection() {
    in_time(|| {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = taken.local_addr().unwrap().to_string();
        let bus = network();
        let tester = connect(&bus, address(0));
        let bridge = Bridge::listen(&socket, tester, BridgeOptions::default());
        assert_eq!(bridge.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        connect(&bus, address(0));
    });
}

#[test]
fn a_tap_waits_for_frames_and_ends_with_its_network() {
    in_time(|| {
        let network = network();
        let (tester, ecu) = (connect(&network, address(0)), connect(&network, ecu(0)));
        let tap = network.tap(100).unwrap();
        assert!(tap.try_recv().unwrap().is_none());
        let short = Duration::from_millis(1);
        assert!(tap.recv_timeout(short).unwrap().is_none());
        ecu.send([1]).unwrap();
        let first = tap.recv_timeout(LIMIT).unwrap().unwrap();
        assert_eq!(first.frame.to_string(), "7E8#0101");
        let (first, seen) = mpsc::channel();
        let log = thread::spawn(move || {
            let mut frames = Vec::new();
            let end = loop {
                match tap.recv() {
                    Ok(tapped) => frames.push(tapped.frame.to_string()),
                    Err(end) => break end,
                }
                let _ = first.send(());
            };
            let late = tap.recv_timeout(Duration::MAX).unwrap_err();
            (frames, [end, late, tap.try_recv().unwrap_err()])
        });
        tester.send([0xAA; 10]).unwrap();
        ecu.recv().unwrap();
        for _ in 0..3 {
            seen.recv_timeout(LIMIT).unwrap();
        }
        network.close();
        let (frames, ends) = log.join().unwrap();
        let expected = ["7E0#100AAAAAAAAAAAAA", "7E8#300000", "7E0#21AAAAAAAA"];
        assert_eq!(frames, expected);
        for error in ends {
            assert!(matches!(error, ConnectionError::Closed), "{error}");
        }
        assert!(network.tap(1).is_err());
    });
}

#[test]
fn answers_to_a_functional_request_are_an_iterator() {
    in_time(|| {
        let bus = VirtualBus::default();
        let ecus = Network::with_bus(bus.port()).unwrap();
        for n in 0..3_u8 {
            let ecu = connect(&ecus, ecu(n.into()));
            thread::spawn(move || {
                while let Ok(request) = ecu.recv() {
                    assert!(request.is_functional());
                    // a single frame, a segmented message, and none
                    match n {
                        0 => ecu.send([0x7E, 0x00]).unwrap(),
                        1 => ecu.send([0x7E; 100]).unwrap(),
                        _ => {}
                    }
                }
            });
        }
        let network = Network::with_bus(bus.port()).unwrap();
        let long = Duration::from_secs(3600);
        let request = [0x3E, 0x00];
        let mut answers = network
            .request_functional((0..3).map(address), Config::uds(), request, long)
            .unwrap();
        let mut lengths: Vec<_> = (&mut answers)
            .take(2)
            .map(|answer| (answer.responder, answer.outcome.unwrap().len()))
            .collect();
        lengths.sort_by_key(|answer| answer.1);
        assert_eq!(lengths, [(address(0), 2), (address(1), 100)]);
        // the third may answer for an hour, unless the network ends
        let rest = thread::spawn(move || (answers.next().is_none(), answers.lost()));
        network.close();
        assert_eq!(rest.join().unwrap(), (true, 0));
        ecus.close();
    });
}

#[test]
fn a_functional_request_ends_with_its_window_and_an_answer_that_fails_says_why() {
    in_time(|| {
        let bus = VirtualBus::default();
        let network = Network::with_bus(bus.port()).unwrap();
        let short = Duration::from_millis(1);
        let answers = network
            .request_functional([address(0)], Config::uds(), [0x3E, 0x00], short)
            .unwrap();
        assert_eq!(answers.count(), 0);

        let mut config = Config::uds();
        config.protocol.timing.n_cr = short;
        let long = Duration::from_secs(3600);
        let mut answers = network
            .request_functional([address(0)], config, [0x3E, 0x00], long)
            .unwrap();
        assert!(bus.port().send_frame(FrameView {
            id: address(0).rx().id(),
            kind: FrameKind::Classic,
            data: &[0x10, 8, 1, 2, 3, 4, 5, 6],
        }));
        let outcome = answers.next().unwrap().outcome;
        assert!(matches!(outcome, Err(NResult::TimeoutCr)), "{outcome:?}");

        let nobody = network.request_functional([], Config::uds(), [0x3E], short);
        assert!(matches!(nobody, Err(RequestError::NoResponders)));
    });
}

#[test]
fn one_connection_answers_whom_it_wants() {
    in_time(|| {
        let network = network();
        let any = Address::normal_fixed(0x10, 0xF1).and_then(Address::with_any_source);
        let ecu = connect(&network, any.unwrap());
        let tester = |source| connect(&network, Address::normal_fixed(source, 0x10).unwrap());
        let testers = [tester(0xF1), tester(0xF2)];
        for tester in &testers {
            tester.send([0x3E, 0x00]).unwrap();
        }
        let sources = testers.each_ref().map(|_| ecu.recv().unwrap().source());
        assert_eq!(sources, [0xF1, 0xF2]);
        for source in sources {
            ecu.send_to(source, [source]).unwrap();
        }
        for (tester, source) in testers.iter().zip(sources) {
            assert_eq!(tester.recv().unwrap(), [source]);
        }
    });
}

#[test]
fn a_buffer_of_the_callers_takes_the_bytes() {
    in_time(|| {
        let network = network();
        assert_eq!(network.path().name(), "bus");
        let tester = connect(&network, address(0));
        let buffer = GrowingBuffer::new(100);
        let ecu = network
            .connect_into(ecu(0), Config::default(), buffer)
            .unwrap();
        tester.send([0x36; 100]).unwrap();
        let message = ecu.recv().unwrap();
        assert_eq!((message.size(), message.len()), (100, 0));
        let failed = tester.send([0x36; 101]);
        assert!(failed.is_err(), "it is longer than the buffer");
    });
}

/// What is not here can be had of the asynchronous handles inside.
#[test]
fn the_handles_inside_do_what_is_not_here() {
    in_time(|| {
        let network = network();
        let serve = network
            .inner()
            .serve(ecu(0), Config::default(), |ecu, request| async move {
                ecu.send(request).await.unwrap();
            });
        let _server = futures_lite::future::block_on(serve).unwrap();
        let tester = connect(&network, address(0));
        let (send, receive) = tester.into_inner().into_split();
        futures_lite::future::block_on(async {
            send.send([0x3E, 0x00]).await.unwrap();
            assert_eq!(receive.recv().await.unwrap(), [0x3E, 0x00]);
        });
    });
}
