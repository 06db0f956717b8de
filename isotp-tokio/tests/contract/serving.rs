//! Connections with a handler.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use isotp_tokio::driver::{Server, ServerEnd};
use isotp_tokio::{Config, Connection, ConnectionError, Network};

use crate::support::{address, poll_once, settle};

async fn echo(network: &Network) -> (Server, Connection) {
    let config = Config::default();
    let server = network.serve(
        address().reversed(),
        config.clone(),
        |connection, message| async move {
            assert_ne!(message, *b"panic", "the handler was told to");
            if message == *b"wait" {
                core::future::pending::<()>().await;
            }
            connection.send(message).await.ok();
        },
    );
    let server = server.await.unwrap();
    let client = network.connect(address(), config).await.unwrap();
    (server, client)
}

fn virtual_network() -> Network {
    Network::with_bus(isotp_tokio::virtual_bus::VirtualBus::default().port())
}

#[tokio::test(start_paused = true)]
async fn a_handler_answers_every_message_in_order() {
    let network = virtual_network();
    let (_server, client) = echo(&network).await;
    for len in [1_usize, 4095, 7] {
        client.send(vec![len as u8; len]).await.unwrap();
    }
    for len in [1_usize, 4095, 7] {
        assert_eq!(client.recv().await.unwrap(), vec![len as u8; len]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_ends_its_connection_and_no_other() {
    let network = virtual_network();
    let (server, client) = echo(&network).await;
    client.send(*b"panic").await.unwrap();
    assert!(matches!(server.ended().await, ServerEnd::Panicked));
    // its address is free, and the network goes on
    drop(echo_again(&network, &client).await);
}

async fn echo_again(network: &Network, client: &Connection) -> Server {
    let config = Config::default();
    let server = network.serve(
        address().reversed(),
        config,
        |connection, message| async move {
            connection.send(message).await.ok();
        },
    );
    let server = server.await.unwrap();
    client.send(*b"again").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), *b"again");
    server
}

#[tokio::test(start_paused = true)]
async fn a_dropped_server_leaves_the_bus_though_its_handler_waits() {
    let network = virtual_network();
    let (server, client) = echo(&network).await;
    client.send(*b"wait").await.unwrap();
    settle().await;
    drop(server);
    settle().await;
    drop(echo_again(&network, &client).await);
}

#[tokio::test(start_paused = true)]
async fn a_closed_server_answers_what_it_has_begun_to_answer() {
    let network = virtual_network();
    let (server, client) = echo(&network).await;
    client.send([7; 500]).await.unwrap();
    settle().await;
    let minute = Duration::from_secs(60);
    let end = tokio::time::timeout(minute, server.close()).await.unwrap();
    assert!(matches!(
        end,
        ServerEnd::Connection(ConnectionError::Closed)
    ));
    assert_eq!(client.recv().await.unwrap(), [7; 500]);
}

#[tokio::test(start_paused = true)]
async fn a_server_ends_with_its_network() {
    let network = virtual_network();
    let (server, client) = echo(&network).await;
    assert!(poll_once(server.ended()).is_pending());
    network.close().await;
    assert!(matches!(
        server.ended().await,
        ServerEnd::Connection(ConnectionError::Closed)
    ));
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_server_leaves_the_bus_though_its_handler_kept_the_connection() {
    for panics in [false, true] {
        let network = virtual_network();
        let kept = Arc::new(Mutex::new(None));
        let keep = kept.clone();
        let server = network.serve(
            address().reversed(),
            Config::default(),
            move |connection, _| {
                *keep.lock().unwrap() = Some(connection);
                async move { assert!(!panics, "the handler was told to") }
            },
        );
        let server = server.await.unwrap();
        let client = network.connect(address(), Config::default());
        client.await.unwrap().send([1]).await.unwrap();
        settle().await;
        let kept = kept.lock().unwrap().take().unwrap();
        if panics {
            assert!(matches!(server.ended().await, ServerEnd::Panicked));
        } else {
            drop(server);
        }
        assert!(matches!(kept.recv().await, Err(ConnectionError::Closed)));
        let again = network.connect(address().reversed(), Config::default());
        again.await.unwrap();
    }
}
