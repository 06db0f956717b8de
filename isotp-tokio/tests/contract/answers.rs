//! Functional requests beside connections, beside each other, and with peers that do as they like.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use isotp_tokio::driver::Responses;
use isotp_tokio::virtual_bus::{Port, VirtualBus};
use isotp_tokio::{Address, Config, Connection, NResult, Network, RecvTimeoutError, SendError};

use crate::support::*;

const WINDOW: Duration = Duration::from_millis(200);
const FIRST_FRAME: [u8; 8] = [0x10, 100, 1, 2, 3, 4, 5, 6];

fn responder() -> Address {
    address().with_functional_tx(id(0x7DF)).unwrap()
}

fn second() -> Address {
    let address = Address::normal(id(0x7E1), id(0x7E9)).unwrap();
    address.with_functional_tx(id(0x7DF)).unwrap()
}

/// A connection with the responder, and a port that plays it.
async fn connected(config: Config) -> (Network, Connection, Port) {
    let bus = VirtualBus::default();
    let network = Network::with_bus(bus.port());
    let connection = network.connect(responder(), config).await.unwrap();
    (network, connection, bus.port())
}

async fn ask(network: &Network, whom: &[Address], config: Config) -> Responses {
    let responders = whom.iter().copied();
    let responses = network.request_functional(responders, config, [0x22], WINDOW);
    responses.await.unwrap()
}

fn short(queue: usize) -> Config {
    Config {
        queue,
        ..Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn no_segmented_answer_whose_sender_saw_it_confirmed_is_lost() {
    let bus = VirtualBus::default();
    let (tester, ecus) = (Network::with_bus(bus.port()), Network::with_bus(bus.port()));
    let connect = async |address: Address| {
        let ecu = ecus.connect(address.reversed(), Config::default());
        ecu.await.unwrap()
    };
    let (first, other) = (connect(responder()).await, connect(second()).await);
    // two places, three messages
    let mut responses = ask(&tester, &[responder(), second()], short(1)).await;
    first.send([0x7F, 0x22, 0x78]).await.unwrap();
    let (one, two) = (first.send([0xA; 100]), other.send([0xB; 100]));
    let reading = async {
        settle().await;
        let mut read = Vec::new();
        while let Some(response) = responses.next().await {
            read.push(response.outcome.map(|message| message.len()));
        }
        (read, responses.lost())
    };
    let (one, two, (read, lost)) = tokio::join!(one, two, reading);
    let confirmed = [&one, &two].iter().filter(|sent| sent.is_ok()).count();
    let whole = read.iter().filter(|read| **read == Ok(100)).count();
    assert_eq!((whole, lost), (confirmed, 0), "{one:?} {two:?} {read:?}");
    assert!(confirmed >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_reads_does_not_hold_up_an_answer() {
    let (network, connection, mut peer) = connected(short(1)).await;
    play(&mut peer, &[1, 0x55]);
    settle().await;
    let mut responses = ask(&network, &[responder()], Config::default()).await;
    heard(&mut peer);
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    settle().await;
    assert_eq!(heard(&mut peer), ["7E0#300000"]);
    play(&mut peer, &[0x21, 7, 8]);
    let answer = responses.next().await.unwrap().outcome.unwrap();
    assert_eq!(answer, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(connection.recv().await.unwrap(), [0x55]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_began_before_the_request_goes_to_the_connection() {
    let (network, connection, mut peer) = connected(Config::default()).await;
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    settle().await;
    let mut responses = ask(&network, &[responder()], Config::default()).await;
    play(&mut peer, &[0x21, 7, 8]);
    assert_eq!(connection.recv().await.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(responses.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_request_that_was_dropped_goes_to_the_connection() {
    let (network, connection, mut peer) = connected(Config::default()).await;
    let responses = ask(&network, &[responder()], Config::default()).await;
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    settle().await;
    drop(responses);
    play(&mut peer, &[0x21, 7, 8]);
    assert_eq!(connection.recv().await.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    play(&mut peer, &[1, 9]);
    assert_eq!(connection.recv().await.unwrap(), [9]);
}

#[tokio::test(start_paused = true)]
async fn recv_timeout_does_not_wait_for_what_a_request_takes() {
    let (network, connection, mut peer) = connected(Config::default()).await;
    let mut responses = ask(&network, &[responder()], Config::default()).await;
    let began = tokio::time::Instant::now();
    let script = async {
        settle().await;
        play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
        tokio::time::sleep(2 * WINDOW).await;
        play(&mut peer, &[0x21, 7, 8]);
        responses.next().await.unwrap().outcome.unwrap()
    };
    let (nothing, answer) = tokio::join!(
        async { (connection.recv_timeout(WINDOW).await, began.elapsed()) },
        script
    );
    assert!(
        matches!(nothing.0, Err(RecvTimeoutError::TimedOut(_))),
        "{nothing:?}"
    );
    assert!(nothing.1 < 2 * WINDOW, "{nothing:?}");
    assert_eq!(answer.len(), 8);
}

/// A peer that begins a message each 50 ms, and never goes on.
async fn begin_again_and_again(mut peer: Port) {
    loop {
        play(&mut peer, &FIRST_FRAME);
        tokio::time::sleep(WINDOW / 4).await;
        heard(&mut peer);
    }
}

#[tokio::test(start_paused = true)]
async fn recv_timeout_waits_for_no_message_that_began_late() {
    let (_network, connection, peer) = connected(Config::default()).await;
    let peer = tokio::spawn(begin_again_and_again(peer));
    let ended = tokio::time::timeout(5 * WINDOW, connection.recv_timeout(WINDOW)).await;
    let ended = ended.expect("recv_timeout ends");
    assert!(
        matches!(ended, Err(RecvTimeoutError::Failed(NResult::UnexpectedPdu))),
        "{ended:?}"
    );
    peer.abort();
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_no_answer_that_began_late() {
    let bus = VirtualBus::default();
    let network = Network::with_bus(bus.port());
    let peer = tokio::spawn(begin_again_and_again(bus.port()));
    let mut responses = ask(&network, &[responder()], Config::default()).await;
    let reading = async { while responses.next().await.is_some() {} };
    let ended = tokio::time::timeout(5 * WINDOW, reading).await;
    assert!(ended.is_ok(), "the request never ends");
    peer.abort();
}

#[tokio::test(start_paused = true)]
async fn a_request_to_an_address_whose_connection_is_closing_waits_for_it() {
    let (network, connection, mut peer) = connected(Config::default()).await;
    connection.try_send([0; 100]).unwrap();
    let closing = tokio::spawn(connection.close());
    settle().await;
    let whom = [responder()];
    let asked = ask(&network, &whom, Config::default());
    let answer = async {
        let mut responses = asked.await;
        play(&mut peer, &[2, 0x62, 0x01]);
        responses.next().await.unwrap().outcome.unwrap()
    };
    // N_Bs ends what the connection sends
    assert_eq!(answer.await, [0x62, 0x01]);
    closing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_connection_to_leave_ends_with_its_network() {
    let (network, connection, _peer) = connected(Config::default()).await;
    connection.try_send([0; 100]).unwrap();
    let closing = tokio::spawn(connection.close());
    settle().await;
    let whom = [responder()];
    let (asked, ()) = tokio::join!(
        network.request_functional(whom, Config::default(), [1], WINDOW),
        network.close()
    );
    assert!(asked.is_err());
    closing.await.unwrap();
    let again = network.request_functional(whom, Config::default(), [1], WINDOW);
    assert!(again.await.is_err());
}

/// Runs a future within `wake`, in the task that wakes.
struct Inline {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    running: AtomicBool,
}

impl std::task::Wake for Inline {
    fn wake(self: Arc<Self>) {
        if self.running.swap(true, Ordering::SeqCst) {
            return;
        }
        let waker = Waker::from(self.clone());
        let mut future = self.future.lock().unwrap();
        let polled = future.as_mut().map(|future| {
            let mut cx = Context::from_waker(&waker);
            future.as_mut().poll(&mut cx)
        });
        if polled.is_some_and(|polled| polled.is_ready()) {
            *future = None;
        }
        drop(future);
        self.running.store(false, Ordering::SeqCst);
    }
}

/// A driver that waits for itself would stop the test: so the network is in a thread of its own.
#[test]
fn whoever_reads_answers_is_woken_without_a_lock() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(async move {
            let bus = VirtualBus::default();
            let network = Network::with_bus(bus.port());
            let mut peer = bus.port();
            let whom = [responder()];
            let long = Duration::from_secs(60);
            let responses = network.request_functional(whom, Config::default(), [1], long);
            let mut responses = responses.await.unwrap();
            let answers = Arc::new(Mutex::new(Vec::new()));
            let read = answers.clone();
            let task = Inline {
                running: AtomicBool::new(false),
                future: Mutex::new(Some(Box::pin(async move {
                    let answer = responses.next().await.unwrap().outcome.unwrap();
                    read.lock().unwrap().push(answer);
                    // takes the lock of the line
                    drop(responses);
                }))),
            };
            Waker::from(Arc::new(task)).wake();
            play(&mut peer, &[1, 0x55]);
            settle().await;
            let again = network.connect(responder(), Config::default()).await;
            let answers = core::mem::take(&mut *answers.lock().unwrap());
            done.send((answers.len(), again.is_ok())).unwrap();
        });
    });
    let ended = ended.recv_timeout(Duration::from_secs(20));
    assert_eq!(ended, Ok((1, true)), "the driver waits for itself");
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_and_go_leave_the_connection_its_messages() {
    let (network, connection, mut peer) = connected(Config::default()).await;
    let whom = [responder()];
    for byte in 0..100 {
        let request = || network.request_functional(whom, Config::default(), [1], WINDOW);
        // dropped before the driver knows, while it joins, and when it runs
        assert!(poll_once(request()).is_pending());
        let mut asked = Box::pin(request());
        assert!(poll_pinned(asked.as_mut()).is_pending());
        for _ in 0..byte % 7 {
            tokio::task::yield_now().await;
        }
        drop(asked);
        play(&mut peer, &[1, byte]);
        assert_eq!(connection.recv().await.unwrap(), [byte]);
    }
    let failed = connection.send([1; 9]).await;
    assert!(matches!(failed, Err(SendError::Failed(NResult::TimeoutBs))));
}
