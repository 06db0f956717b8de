//! One request, many responders.

use core::time::Duration;

use futures_lite::future::zip;
use isotp_driver::{Address, Config, ConnectError, NResult, Network, Response, Responses, Server};

use crate::points::Begun;
use crate::world::{Way, World};

/// An ECU that answers each functional request with so many bytes.
async fn answering(ecus: &Network, tester: Address, len: usize) -> Server {
    let server = ecus.serve(
        tester.reversed(),
        Config::default(),
        move |ecu, request| async move {
            if request.is_functional() {
                ecu.send(vec![len as u8; len]).await.ok();
            } else {
                ecu.send(request).await.ok();
            }
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

pub(crate) async fn hundreds_answer_one_functional_request_with_long_messages(world: World) {
    // an emulated machine takes its time
    let (count, window) = match world.way {
        Way::Virtual => (300, WINDOW),
        _ => (100, 5 * WINDOW),
    };
    let (tester, ecus) = (world.network().await, world.network().await);
    let mut servers = Vec::new();
    for n in 0..count {
        servers.push(answering(&ecus, world.address(n), 100 + n as usize).await);
    }
    let responders = (0..count).map(|n| world.address(n));
    let request = tester.request_functional(responders, Config::default(), [0x3E, 0], window);
    let mut answers = all(request.await.unwrap()).await;
    answers.sort_by_key(|answer| answer.responder.rx().id().value());
    assert_eq!(answers.len(), count as usize);
    for (n, answer) in (0..count).zip(answers) {
        assert_eq!(answer.responder, world.address(n));
        let len = 100 + n as usize;
        assert_eq!(answer.outcome.unwrap(), vec![len as u8; len]);
    }
}

/// What begins within it is waited for; what nobody began ends with it.
pub(crate) async fn the_window_bounds_the_beginning_and_not_the_end(world: World) {
    let network = world.network().await;
    let mut peer = world.peer();
    let short = Duration::from_millis(50);
    let responders = [world.address(0), world.address(1)];
    let request = network.request_functional(responders, Config::default(), [1], short);
    let mut responses = request.await.unwrap();
    assert_eq!(peer.heard().await, [1, 1]);
    peer.play(&[0x10, 8, 1, 2, 3, 4, 5, 6]);
    assert_eq!(peer.heard().await, [0x30, 0, 0]);
    let goes_on = async {
        async_io::Timer::after(3 * short).await;
        peer.play(&[0x21, 7, 8]);
    };
    let (response, ()) = zip(responses.next(), goes_on).await;
    assert_eq!(response.unwrap().outcome.unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(responses.next().await.is_none());
}

pub(crate) async fn an_answer_that_fails_says_why(world: World) {
    let network = world.network().await;
    let mut peer = world.peer();
    let responders = [world.address(0)];
    let request = network.request_functional(responders, world.hasty(), [1], WINDOW);
    let responses = request.await.unwrap();
    peer.play(&[0x10, 8, 1, 2, 3, 4, 5, 6]);
    let answers = all(responses).await;
    let outcomes: Vec<_> = answers.iter().map(|response| &response.outcome).collect();
    assert!(
        matches!(outcomes[..], [Err(NResult::TimeoutCr)]),
        "{outcomes:?}"
    );
}

/// It gets an answer once: the request while that runs, else the connection.
pub(crate) async fn an_open_connection_lends_its_link_to_the_request_and_gets_the_rest(
    world: World,
) {
    let (tester, ecus) = (world.network().await, world.network().await);
    let addresses = [world.address(0), world.address(1)];
    let _servers = [
        answering(&ecus, addresses[0], 20).await,
        answering(&ecus, addresses[1], 30).await,
    ];
    let open = tester
        .connect(addresses[0], Config::default())
        .await
        .unwrap();
    let request = tester.request_functional(addresses, Config::default(), [1], WINDOW);
    assert_eq!(all(request.await.unwrap()).await.len(), 2);
    assert_eq!(open.try_recv().unwrap(), None, "the request had it");
    open.send([1, 2]).await.unwrap();
    assert_eq!(open.recv().await.unwrap(), [1, 2]);
}

pub(crate) async fn addresses_are_the_requests_while_it_runs(world: World) {
    let tester = world.network().await;
    let ask = || tester.request_functional([world.address(0)], Config::default(), [1], LONG);
    let mut first = ask().await.unwrap();
    let waiting = Begun::new(first.next());
    let refused = tester.connect(world.address(0), Config::default()).await;
    assert!(
        matches!(refused, Err(ConnectError::AddressInUse { .. })),
        "{refused:?}"
    );
    // a second request shares the link, and keeps it when the first is gone
    let second = ask().await.unwrap();
    drop(waiting);
    drop(first);
    let refused = tester.connect(world.address(0), Config::default()).await;
    assert!(
        matches!(refused, Err(ConnectError::AddressInUse { .. })),
        "{refused:?}"
    );
    drop(second);
    tester
        .connect(world.address(0), Config::default())
        .await
        .unwrap();
}

const WINDOW: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(1000);
