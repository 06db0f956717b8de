//! Cancel safety of what comes and goes: connections, servers, networks and requests. Each future is dropped
//! at every point, as in [`dropping`](crate::dropping).

use futures_lite::future::zip;
use isotp_driver::{Config, ConnectError, ConnectionError, RxBuffer};

use crate::dropping::{LONG, slow};
use crate::points::{at_every_point, dropped_at};
use crate::world::{World, eventually};

pub(crate) async fn a_connect_dropped_at_any_point_leaves_nothing_behind(world: World) {
    let network = world.network().await;
    at_every_point(1, async |point| {
        let connect = network.connect(world.address(0), world.config());
        let connection = dropped_at(point, connect).await;
        let was_whole = connection.is_some();
        drop(connection);
        let again = network.connect(world.address(0), world.config()).await;
        assert!(again.is_ok(), "point {point}: {:?}", again.err());
        was_whole
    })
    .await;
}

/// And so does `connect_into`, whose buffer is gone with it.
pub(crate) async fn a_connect_into_dropped_at_any_point_leaves_nothing_behind(world: World) {
    let network = world.network().await;
    let kept = std::sync::Arc::new(());
    at_every_point(1, async |point| {
        let buffer = Kept {
            _kept: kept.clone(),
        };
        let connect = network.connect_into(world.address(0), world.config(), buffer);
        let was_whole = dropped_at(point, connect).await.is_some();
        network
            .connect(world.address(0), world.config())
            .await
            .unwrap();
        eventually(|| std::sync::Arc::strong_count(&kept) == 1).await;
        was_whole
    })
    .await;
}

/// Keeps nothing but itself.
struct Kept {
    _kept: std::sync::Arc<()>,
}

impl RxBuffer for Kept {
    fn limit(&self) -> u32 {
        100
    }

    fn start(&mut self, _: u32) {}

    fn write(&mut self, _: u32, _: &[u8]) -> bool {
        true
    }
}

/// And so does `serve`, whose handler is gone with it.
pub(crate) async fn a_serve_dropped_at_any_point_leaves_nothing_behind(world: World) {
    let network = world.network().await;
    let kept = std::sync::Arc::new(());
    at_every_point(1, async |point| {
        let mine = kept.clone();
        let serve = network.serve(world.address(0), world.config(), move |_, _| {
            let _mine = mine.clone();
            async {}
        });
        let server = dropped_at(point, serve).await;
        let was_whole = server.is_some();
        drop(server);
        eventually(|| std::sync::Arc::strong_count(&kept) == 1).await;
        network
            .connect(world.address(0), world.config())
            .await
            .unwrap();
        was_whole
    })
    .await;
}

/// `ended` can be asked again; `close` leaves the bus when it is dropped, and its address is free.
pub(crate) async fn a_server_outlives_dropped_questions_for_its_end(world: World) {
    let network = world.network().await;
    let serve = || network.serve(world.address(0), world.config(), |_, _| async {});
    let server = serve().await.unwrap();
    for point in 0..2 {
        assert!(dropped_at(point, server.ended()).await.is_none());
    }
    drop(server);
    at_every_point(1, async |point| {
        let server = loop {
            match serve().await {
                Ok(server) => break server,
                Err(ConnectError::AddressInUse { .. }) => futures_lite::future::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        };
        dropped_at(point, server.close()).await.is_some()
    })
    .await;
}

/// Its address is free at once, and no message is cut short of its end.
pub(crate) async fn a_close_dropped_at_any_point_leaves_the_bus(world: World) {
    let network = world.network().await;
    let ecu = network
        .connect(world.address(0).reversed(), slow(&world))
        .await
        .unwrap();
    at_every_point(1, async |point| {
        let tester = network
            .connect(world.address(0), slow(&world))
            .await
            .unwrap();
        tester.try_send([1; 50]).unwrap();
        tester.try_send([2; 50]).unwrap();
        let closed = dropped_at(point, tester.close()).await;
        let again = network
            .connect(world.address(0), slow(&world))
            .await
            .unwrap();
        again.send([3; 50]).await.unwrap();
        let mut heard = Vec::new();
        while heard.last() != Some(&3) {
            let message = ecu.recv().await.unwrap();
            assert_eq!(message, [message[0]; 50]);
            heard.push(message[0]);
        }
        let before = heard.split_last().unwrap().1;
        assert!([1, 2].starts_with(before), "{heard:?}");
        assert!(closed.is_none() || heard == [1, 2, 3], "{heard:?}");
        closed.is_some()
    })
    .await;
}

/// It was asked to, and does.
pub(crate) async fn a_network_whose_close_is_dropped_goes_on_closing(world: World) {
    let ecus = world.network().await;
    let ecu = ecus
        .connect(world.address(0).reversed(), slow(&world))
        .await
        .unwrap();
    at_every_point(1, async |point| {
        let network = world.network().await;
        let tester = network
            .connect(world.address(0), slow(&world))
            .await
            .unwrap();
        tester.try_send([1; 50]).unwrap();
        let closed = dropped_at(point, network.close()).await;
        if point == 0 {
            // it was never asked
            network.close().await;
        }
        assert_eq!(ecu.recv().await.unwrap(), [1; 50], "point {point}");
        let end = tester.recv().await;
        assert!(
            matches!(end, Err(ConnectionError::Closed)),
            "point {point}: {end:?}"
        );
        closed.is_some()
    })
    .await;
}

/// It is as it was or as it was to be, and holds nothing up.
pub(crate) async fn a_change_dropped_at_any_point_holds_nothing_up(world: World) {
    let (_network, connection, mut peer) = world.scripted(world.config()).await;
    at_every_point(3, async |point| {
        connection.configure(world.config()).await.unwrap();
        connection.try_send([1; 9]).unwrap();
        assert_eq!(peer.heard().await[..2], [0x10, 9]);
        let script = async { peer.play(&[0x30, 0, 0]) };
        let changing = dropped_at(point, connection.configure(Config::uds()));
        let (changed, ()) = zip(changing, script).await;
        assert_eq!(peer.heard().await, [0x21, 1, 1, 1]);
        connection.send([2]).await.unwrap();
        let sent = peer.heard().await;
        // dropped while the message was on its way, it has not happened and never will
        let padded = [1, 2, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC];
        let expected = if point < 2 { &[1, 2][..] } else { &padded };
        assert_eq!(sent, expected, "point {point}");
        changed.is_some()
    })
    .await;
}

/// Its addresses are free again.
pub(crate) async fn a_request_dropped_at_any_point_leaves_nothing_behind(world: World) {
    let network = world.network().await;
    let responders = || (0..3).map(|n| world.address(n));
    at_every_point(1, async |point| {
        let request = network.request_functional(responders(), world.config(), [1], LONG);
        let responses = dropped_at(point, request).await;
        let was_whole = responses.is_some();
        drop(responses);
        for n in 0..3 {
            network
                .connect(world.address(n), world.config())
                .await
                .unwrap();
        }
        was_whole
    })
    .await;
}

pub(crate) async fn a_response_awaited_and_dropped_at_any_point_is_not_lost(world: World) {
    let network = world.network().await;
    let mut peer = world.peer();
    let request = network.request_functional([world.address(0)], world.config(), [1], LONG);
    let mut responses = request.await.unwrap();
    assert_eq!(peer.heard().await, [1, 1]);
    at_every_point(3, async |point| {
        let answer = async {
            peer.play(&[0x10, 8, 1, 2, 3, 4, 5, 6]);
            assert_eq!(peer.heard().await[0], 0x30);
            peer.play(&[0x21, 7, point as u8]);
        };
        let (response, ()) = zip(dropped_at(point, responses.next()), answer).await;
        let over = response.is_some();
        let response = match response {
            Some(response) => response,
            None => responses.next().await,
        };
        let message = response.unwrap().outcome.unwrap();
        assert_eq!(message[6..], [7, point as u8]);
        over
    })
    .await;
}
