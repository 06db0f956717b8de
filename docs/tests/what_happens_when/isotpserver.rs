//! What a way for whole messages refuses, in the words of the page.

use core::time::Duration;
use std::net::TcpListener;

use isotp_tokio::{Address, Config, Connection, Id, Network};

use crate::page::{Page, code};

/// The texts, as they are with a server at this address.
fn expected(server: &str) -> impl Fn(&str) -> String {
    let rows = Page::read().rows("when");
    move |when| {
        let row = rows.iter().find(|row| row[0].trim_matches('`') == when);
        let row = row.unwrap_or_else(|| panic!("no row of {when}"));
        code(&row[1]).replace("bench:20000", server)
    }
}

fn address() -> Address {
    let (tx_id, rx_id) = (Id::standard(0x7E0), Id::standard(0x7E8));
    Address::normal(tx_id.unwrap(), rx_id.unwrap()).unwrap()
}

async fn connect(network: &Network) -> Connection {
    network.connect(address(), Config::default()).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_had_across_tcp_is_told_with_the_texts_of_the_page() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    let says = expected(&server);
    let network = Network::open(&format!("isotpserver:{server}"))
        .await
        .unwrap();

    let functional = network.request_functional([address()], Config::uds(), [1], Duration::ZERO);
    let error = functional.await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), says("request_functional"));
    assert_eq!(network.tap(1).unwrap_err().to_string(), says("tap"));
    let buffer = isotp_core::GrowingBuffer::new(100);
    let into = network
        .connect_into(address(), Config::default(), buffer)
        .await;
    assert_eq!(into.unwrap_err().to_string(), says("connect_into"));

    let connection = connect(&network).await;
    let second = network.connect(address(), Config::default()).await;
    assert_eq!(second.unwrap_err().to_string(), says("a second connection"));
    let configured = connection.configure(Config::uds()).await;
    assert_eq!(configured.unwrap_err().to_string(), says("configure"));

    // the server takes the client, and closes it
    drop(listener.accept().unwrap());
    let lost = connection.recv().await.unwrap_err();
    assert_eq!(lost.to_string(), says("the server is gone"));
}
