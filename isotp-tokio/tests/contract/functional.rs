//! One request, many responders.

use core::time::Duration;

use isotp_tokio::driver::{RequestError, Response, Responses, Server};
use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, Config, ConnectError, Id, NResult, Network, SendError};

use crate::support::{play, poll_once, scripted, settle};

const WINDOW: Duration = Duration::from_millis(50);

/// The `n`th ECU, as the tester sees it.
fn ecu(n: u8) -> Address {
    let functional = Id::extended(0x18DB_33F1).unwrap();
    let address = Address::normal_fixed(0xF1, n).unwrap();
    address.with_functional_tx(functional).unwrap()
}

/// An ECU that answers each request with so many bytes of its own number.
async fn answering(network: &Network, n: u8, len: usize) -> Server {
    let server = network.serve(
        ecu(n).reversed(),
        Config::default(),
        move |connection, _| async move {
            connection.send(vec![n; len]).await.ok();
        },
    );
    server.await.unwrap()
}

async fn all(mut responses: Responses) -> Vec<Response> {
    let mut all = Vec::new();
    while let Some(response) = responses.next().await {
        all.push(response);
    }
    all
}

fn network() -> (Network, Network) {
    let bus = VirtualBus::default();
    (Network::with_bus(bus.port()), Network::with_bus(bus.port()))
}

#[tokio::test(start_paused = true)]
async fn two_hundred_responders_answer_with_segmented_messages_at_once() {
    let (tester, ecus) = network();
    let mut servers = Vec::new();
    for n in 1..=200 {
        servers.push(answering(&ecus, n, 100 + usize::from(n)).await);
    }
    let responders = (1..=200).map(ecu);
    let responses = tester
        .request_functional(responders, Config::default(), [0x22, 0xF1, 0x90], WINDOW)
        .await
        .unwrap();
    let mut answers = all(responses).await;
    answers.sort_by_key(|response| response.responder.rx().id().value());
    assert_eq!(answers.len(), 200);
    for (n, response) in (1..=200_u8).zip(answers) {
        assert_eq!(response.responder, ecu(n));
        assert_eq!(response.outcome.unwrap(), vec![n; 100 + usize::from(n)]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_bounds_the_beginning_and_not_the_end() {
    let (tester, connection, mut peer) = scripted(Config::default()).await;
    let responder = connection
        .address()
        .with_functional_tx(Id::standard(0x7DF).unwrap());
    drop(connection);
    settle().await;
    let began = tokio::time::Instant::now();
    let mut responses = tester
        .request_functional([responder.unwrap()], Config::default(), [1], WINDOW)
        .await
        .unwrap();
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    tokio::time::sleep(2 * WINDOW).await;
    assert!(poll_once(responses.next()).is_pending(), "it has begun");
    play(&mut peer, &[0x21, 7, 8]);
    let response = responses.next().await.unwrap();
    assert_eq!(response.outcome.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(responses.next().await.is_none());
    assert!(began.elapsed() < 3 * WINDOW);
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_and_the_stream_ends_with_the_window() {
    let (tester, _ecus) = network();
    let began = tokio::time::Instant::now();
    let responses = tester
        .request_functional([ecu(1), ecu(2)], Config::default(), [1], WINDOW)
        .await
        .unwrap();
    assert!(all(responses).await.is_empty());
    assert!(began.elapsed() >= WINDOW && began.elapsed() < 2 * WINDOW);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fails_says_why() {
    let (tester, connection, mut peer) = scripted(Config::default()).await;
    let responder = connection
        .address()
        .with_functional_tx(Id::standard(0x7DF).unwrap());
    drop(connection);
    settle().await;
    let responses = tester
        .request_functional([responder.unwrap()], Config::default(), [1], WINDOW)
        .await
        .unwrap();
    play(&mut peer, &[0x10, 8, 1, 2, 3, 4, 5, 6]);
    let answers = all(responses).await;
    let outcomes: Vec<_> = answers.iter().map(|response| &response.outcome).collect();
    assert!(
        matches!(outcomes[..], [Err(NResult::TimeoutCr)]),
        "{outcomes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_open_connection_lends_its_link_to_the_request_and_gets_the_rest() {
    let (tester, ecus) = network();
    let _servers = [answering(&ecus, 1, 20).await, answering(&ecus, 2, 20).await];
    let open = tester.connect(ecu(1), Config::default()).await.unwrap();
    let responses = tester
        .request_functional([ecu(1), ecu(2)], Config::default(), [1], WINDOW)
        .await
        .unwrap();
    assert_eq!(all(responses).await.len(), 2);
    assert!(open.try_recv().unwrap().is_none(), "the request had it");
    open.send([1, 2]).await.unwrap();
    assert_eq!(open.recv().await.unwrap(), [1; 20]);
}

#[tokio::test(start_paused = true)]
async fn addresses_are_the_requests_while_it_runs_and_free_when_it_is_dropped() {
    let (tester, ecus) = network();
    let _server = answering(&ecus, 1, 20).await;
    let ask = || tester.request_functional([ecu(1)], Config::default(), [1], WINDOW);
    let first = ask().await.unwrap();
    let refused = tester.connect(ecu(1), Config::default()).await;
    assert!(matches!(refused, Err(ConnectError::AddressInUse { .. })));
    // a second request shares the link, and keeps it when the first is gone
    let second = ask().await.unwrap();
    drop(first);
    assert!(!all(second).await.is_empty());
    tester.connect(ecu(1), Config::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_says_so_and_leaves_nothing() {
    let (tester, _ecus) = network();
    let plain = Address::normal_fixed(0xF1, 1).unwrap();
    let ask = |address| tester.request_functional([address], Config::default(), [1; 8], WINDOW);
    assert!(matches!(
        ask(plain).await,
        Err(RequestError::Send(SendError::Refused(_)))
    ));
    let long = ask(ecu(1)).await.unwrap_err();
    assert!(
        matches!(long, RequestError::Send(SendError::Refused(_))),
        "{long}"
    );
    let nobody = tester.request_functional([], Config::default(), [1], WINDOW);
    assert!(matches!(nobody.await, Err(RequestError::NoResponders)));
    settle().await;
    tester.connect(ecu(1), Config::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_its_network() {
    let (tester, _ecus) = network();
    let mut responses = tester
        .request_functional([ecu(1), ecu(2)], Config::default(), [1], Duration::MAX)
        .await
        .unwrap();
    let (ended, ()) = tokio::join!(responses.next(), tester.close());
    assert!(ended.is_none());
}
