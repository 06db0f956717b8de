//! Connections with a handler.

use futures_lite::future::{pending, zip};
use isotp_driver::{Connection, ConnectionError, Event, Network, Server, ServerEnd};

use crate::points::Begun;
use crate::world::World;

/// A server that sends back what it hears, waits for ever, or panics, as it is told.
async fn serve(world: &World, network: &Network, n: u32) -> Server {
    let address = world.address(n).reversed();
    let server = network.serve(address, world.config(), |connection, message| async move {
        assert_ne!(message, *b"panic", "the handler was told to");
        if message == *b"wait" {
            pending::<()>().await;
        }
        connection.send(message).await.ok();
    });
    server.await.unwrap()
}

async fn client(world: &World, network: &Network, n: u32) -> Connection {
    network
        .connect(world.address(n), world.config())
        .await
        .unwrap()
}

/// It works.
async fn echoes(client: &Connection, len: usize) {
    let message = vec![len as u8; len];
    let (sent, back) = zip(client.send(message.clone()), client.recv()).await;
    sent.unwrap();
    assert_eq!(back.unwrap(), message);
}

pub(crate) async fn a_handler_answers_every_message_in_order(world: World) {
    let network = world.network().await;
    let (_server, client) = (
        serve(&world, &network, 0).await,
        client(&world, &network, 0).await,
    );
    for len in [1_usize, 4095, 7] {
        client.send(vec![len as u8; len]).await.unwrap();
    }
    for len in [1_usize, 4095, 7] {
        assert_eq!(client.recv().await.unwrap(), vec![len as u8; len]);
    }
}

pub(crate) async fn a_handler_that_panics_ends_its_own_connection_alone(world: World) {
    let network = world.network().await;
    let (bad, _good) = (
        serve(&world, &network, 0).await,
        serve(&world, &network, 1).await,
    );
    let (to_bad, to_good) = (
        client(&world, &network, 0).await,
        client(&world, &network, 1).await,
    );
    to_bad.send(*b"panic").await.unwrap();
    let end = bad.ended().await;
    assert!(matches!(end, ServerEnd::Panicked), "{end:?}");
    echoes(&to_good, 20).await;
    // its address is free
    let _again = serve(&world, &network, 0).await;
    echoes(&to_bad, 20).await;
}

pub(crate) async fn a_dropped_server_leaves_the_bus_though_its_handler_waits(world: World) {
    let network = world.network().await;
    let (server, client) = (
        serve(&world, &network, 0).await,
        client(&world, &network, 0).await,
    );
    client.send(*b"wait").await.unwrap();
    // it is in the handler, or about to be
    drop(server);
    loop {
        let address = world.address(0).reversed();
        let again = network.connect(address, world.config()).await;
        match again {
            Ok(again) => break drop(again),
            Err(error) => assert!(error.to_string().contains("belongs to another"), "{error}"),
        }
        futures_lite::future::yield_now().await;
    }
    let _again = serve(&world, &network, 0).await;
    echoes(&client, 30).await;
}

pub(crate) async fn a_closed_server_answers_what_it_has_begun_to_answer(world: World) {
    let network = world.network().await;
    let (server, client) = (
        serve(&world, &network, 0).await,
        client(&world, &network, 0).await,
    );
    client.send([7; 500]).await.unwrap();
    let begun = client.next_event().await.unwrap();
    assert!(
        matches!(begun, Event::FirstFrame { size: 500, .. }),
        "{begun:?}"
    );
    let (end, answer) = zip(server.close(), client.recv()).await;
    assert!(
        matches!(end, ServerEnd::Connection(ConnectionError::Closed)),
        "{end:?}"
    );
    assert_eq!(answer.unwrap(), [7; 500]);
}

pub(crate) async fn a_server_ends_with_its_network(world: World) {
    let network = world.network().await;
    let server = serve(&world, &network, 0).await;
    let end = Begun::new(server.ended());
    network.close().await;
    let end = end.end().await;
    assert!(
        matches!(end, ServerEnd::Connection(ConnectionError::Closed)),
        "{end:?}"
    );
}
