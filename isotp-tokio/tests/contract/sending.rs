use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{
    Config, Duplex, Event, NResult, Network, Payload, RxBuffer, SendError, TrySendError,
};

use crate::support::*;

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn handles_are_send_and_sync() {
    assert_send_sync::<isotp_tokio::Connection>();
    assert_send_sync::<Network>();
}

/// What libraries that carry any error ask for.
#[test]
fn errors_cross_threads() {
    assert_send_sync::<SendError>();
    assert_send_sync::<TrySendError>();
    assert_send_sync::<isotp_tokio::ConnectError>();
    assert_send_sync::<isotp_tokio::ConnectionError>();
    assert_send_sync::<isotp_tokio::OpenError>();
    assert_send_sync::<isotp_tokio::RecvTimeoutError>();
    assert_send_sync::<isotp_tokio::RequestError>();
}

#[tokio::test(start_paused = true)]
async fn messages_of_every_kind_of_length_cross_in_both_directions_at_once() {
    for config in [Config::default(), Config::uds(), Config::fd(64, true)] {
        let Pair {
            tester,
            ecu,
            network,
            ..
        } = pair(config.clone(), config).await;
        for len in [1, 6, 7, 8, 62, 63, 64, 100, 4095, 4096, 20_000] {
            let there: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let back: Vec<u8> = (0..len).map(|i| 255 - i as u8).collect();
            let (a, b, c, d) = tokio::join!(
                tester.send(there.clone()),
                ecu.send(back.clone()),
                ecu.recv(),
                tester.recv()
            );
            a.unwrap();
            b.unwrap();
            assert_eq!(c.unwrap(), there);
            assert_eq!(d.unwrap(), back);
        }
        network.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn sends_leave_in_order_and_each_gets_its_own_result() {
    let (_network, connection, mut peer) = scripted(Config::default()).await;
    let script = async {
        settle().await;
        assert_eq!(heard(&mut peer), ["7E0#1008010203040506"]);
        play(&mut peer, &[0x32]);
        play(&mut peer, &[0x32, 0, 0]);
        settle().await;
        assert_eq!(heard(&mut peer), ["7E0#0109", "7E0#100A010203040506"]);
        play(&mut peer, &[0x30, 0, 0]);
        settle().await;
        assert_eq!(heard(&mut peer), ["7E0#210708090A"]);
    };
    let (first, second, third, ()) = tokio::join!(
        connection.send([1, 2, 3, 4, 5, 6, 7, 8]),
        connection.send([9]),
        connection.send([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        script
    );
    assert_eq!(first.unwrap_err().result(), Some(NResult::BufferOverflow));
    second.unwrap();
    third.unwrap();
    assert_eq!(connection.queued(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_makes_no_sense_comes_back_at_once() {
    let Pair {
        tester, network, ..
    } = pair(Config::default(), Config::default()).await;
    let Err(SendError::Refused(refused)) = tester.send([]).await else {
        panic!("an empty message was sent");
    };
    assert_eq!(refused.error, isotp_tokio::driver::core::SendError::Empty);
    assert_eq!(refused.payload.into_bytes(), Some(vec![]));
    let Err(SendError::Refused(refused)) = tester.send_functional([1, 2]).await else {
        panic!("a functional message was sent without an id");
    };
    assert_eq!(refused.payload.into_bytes(), Some(vec![1, 2]));
    let functional = nth_address(0).with_functional_tx(id(0x7DF)).unwrap();
    let functional = network.connect(functional, Config::default());
    let Err(SendError::Refused(refused)) = functional.await.unwrap().send_functional([3; 8]).await
    else {
        panic!("a functional message was sent in more than one frame");
    };
    let too_long = isotp_tokio::driver::core::SendError::TooLong { size: 8, max: 7 };
    assert_eq!(refused.error, too_long);
    assert_eq!(refused.payload.into_bytes(), Some(vec![3; 8]));
    let mut config = Config::default();
    config.protocol.receive.listen_only = true;
    let Pair { tester, .. } = pair(config, Config::default()).await;
    assert!(matches!(
        tester.try_send([1]),
        Err(TrySendError::Refused(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn try_send_is_bounded_and_reports_failures_as_events() {
    let config = Config {
        send_queue: 2,
        ..Config::default()
    };
    let (_network, connection, _peer) = scripted(config).await;
    connection.try_send([0; 20]).unwrap();
    connection.try_send([1]).unwrap();
    assert_eq!(connection.queued(), 2);
    let Err(TrySendError::Full(payload)) = connection.try_send([2]) else {
        panic!("more was queued than allowed");
    };
    assert_eq!(payload.into_bytes(), Some(vec![2]));
    let failed = connection.next_event().await.unwrap();
    assert_eq!(failed, Event::SendFailed(NResult::TimeoutBs));
    settle().await;
    assert_eq!(connection.queued(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_functional_message_reaches_every_connection_that_listens_to_its_id() {
    let bus = VirtualBus::default();
    let network = Network::with_bus(bus.port());
    let other = Network::with_bus(bus.port());
    let mut ecus = Vec::new();
    for n in 0..5 {
        let address = nth_address(n).reversed();
        let address = address.with_functional_rx(id(0x7DF)).unwrap();
        let network = if n < 3 { &network } else { &other };
        ecus.push(network.connect(address, Config::default()).await.unwrap());
    }
    let address = address().with_functional_tx(id(0x7DF)).unwrap();
    let tester = network.connect(address, Config::default()).await.unwrap();
    tester.send_functional([0x3E, 0x80]).await.unwrap();
    for ecu in &ecus {
        let message = ecu.recv().await.unwrap();
        assert_eq!(message, [0x3E, 0x80]);
        assert!(message.is_functional());
    }
}

#[tokio::test(start_paused = true)]
async fn half_duplex_sends_when_the_reception_is_over() {
    let mut config = Config::default();
    config.protocol.duplex = Duplex::Half;
    let (_network, connection, mut peer) = scripted(config).await;
    play(&mut peer, &[0x10, 0x08, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300000"]);
    let script = async {
        settle().await;
        assert_eq!(heard(&mut peer), [""; 0], "half duplex");
        play(&mut peer, &[0x21, 7, 8]);
        settle().await;
        assert_eq!(heard(&mut peer), ["7E0#0155"]);
    };
    let (sent, ()) = tokio::join!(connection.send([0x55]), script);
    sent.unwrap();
    assert_eq!(connection.recv().await.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// Makes its bytes, and has none of them in memory.
struct Count(u32);

impl Payload for Count {
    fn size(&self) -> u32 {
        self.0
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        for (byte, at) in out.iter_mut().zip(offset..) {
            *byte = (at % 251) as u8;
        }
        Some(out.len())
    }
}

/// Keeps only a sum of what it receives.
struct Sum(std::sync::Arc<core::sync::atomic::AtomicU64>);

impl RxBuffer for Sum {
    fn limit(&self) -> u32 {
        u32::MAX
    }

    fn start(&mut self, _size: u32) {}

    fn write(&mut self, _offset: u32, data: &[u8]) -> bool {
        let sum = data.iter().map(|byte| u64::from(*byte)).sum();
        self.0.fetch_add(sum, core::sync::atomic::Ordering::Relaxed);
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_can_stream_from_a_source_into_a_buffer_of_the_user() {
    let bus = VirtualBus::default();
    let network = Network::with_bus(bus.port());
    let sum = std::sync::Arc::default();
    let into = Sum(std::sync::Arc::clone(&sum));
    let config = Config::fd(64, true);
    let tester = network.connect(address(), config.clone()).await.unwrap();
    let ecu = network.connect_into(address().reversed(), config, into);
    let ecu = ecu.await.unwrap();
    const SIZE: u32 = 300_000;
    tester.send_from(Count(SIZE)).await.unwrap();
    let message = ecu.recv().await.unwrap();
    assert_eq!((message.size(), message.len()), (SIZE, 0));
    let expected: u64 = (0..SIZE).map(|at| u64::from(at % 251)).sum();
    assert_eq!(sum.load(core::sync::atomic::Ordering::Relaxed), expected);
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_connections_talk_at_once() {
    let bus = VirtualBus::default();
    let networks = [Network::with_bus(bus.port()), Network::with_bus(bus.port())];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..400 {
        let config = Config::default();
        let tester = networks[n % 2].connect(nth_address(n as u32), config.clone());
        let tester = tester.await.unwrap();
        let ecu = networks[n / 2 % 2].connect(nth_address(n as u32).reversed(), config);
        let ecu = ecu.await.unwrap();
        tasks.spawn(async move {
            let request = vec![n as u8; 1 + n];
            tester.send(request.clone()).await.unwrap();
            let received = ecu.recv().await.unwrap();
            assert_eq!(received, request);
            ecu.send(received).await.unwrap();
            assert_eq!(tester.recv().await.unwrap(), request);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}
