//! What only a client of isotpserver has: a TCP connection, and a server that may not read.

use core::time::Duration;
use std::net::{TcpListener, TcpStream};

use async_io::{Async, Timer};
use futures_lite::future::{or, zip};
use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use isotp_driver::{Cause, Connection, Event, NResult, SendError};

use crate::points::{at_every_point, dropped_at};
use crate::world::{World, eventually};

/// A message of which TCP took a part is written to its end though nobody wants it any more: the next would
/// be a part of it otherwise.
pub(crate) async fn a_send_dropped_when_a_part_of_it_is_written_harms_no_other(world: World) {
    let (listener, string) = listen();
    let network = (world.runner.open)(string).await.unwrap();
    let client = network
        .connect(world.address(0), world.config())
        .await
        .unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let mut server = BufReader::new(server);
    let mut sent = 0;
    while sends(&client, message(sent)).await {
        sent += 1;
    }
    // the one that waited is dropped; now the server reads
    let last = async { client.send([0xFF]).await.unwrap() };
    let reading = async {
        let mut texts = Vec::new();
        while texts.last().is_none_or(|text| text != "<FF>") {
            texts.push(line(&mut server).await);
        }
        texts
    };
    let ((), mut texts) = zip(last, reading).await;
    texts.pop();
    let whole = texts.len() as u16 == sent + 1;
    assert!(
        whole || texts.len() as u16 == sent,
        "{} of {sent}",
        texts.len()
    );
    for (n, text) in (0..).zip(&texts) {
        let digits: String = message(n)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert!(*text == format!("<{digits}>"), "message {n} of {sent}");
    }
}

/// The longest that there is, so that there are few.
fn message(n: u16) -> Vec<u8> {
    n.to_be_bytes().repeat(3000)
}

/// Whether it is taken while the server does not read.
async fn sends(client: &Connection, message: Vec<u8>) -> bool {
    let sending = async { client.send(message).await.is_ok() };
    let full = async {
        Timer::after(Duration::from_millis(300)).await;
        false
    };
    or(sending, full).await
}

async fn line(server: &mut BufReader<Async<TcpStream>>) -> String {
    let mut line = String::new();
    server.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

/// No TCP connection is left, at whatever point it is dropped.
pub(crate) async fn an_open_dropped_at_any_point_leaves_nothing_open(world: World) {
    let (listener, string) = listen();
    at_every_point(0, async |point| {
        let network = dropped_at(point, (world.runner.open)(string.clone())).await;
        let over = network.is_some();
        drop(network);
        // one more, so that there is one to be accepted
        let last = TcpStream::connect(listener.get_ref().local_addr().unwrap()).unwrap();
        loop {
            let (mut accepted, peer) = listener.accept().await.unwrap();
            if peer == last.local_addr().unwrap() {
                break;
            }
            let mut rest = Vec::new();
            // closed, or reset
            assert_eq!(accepted.read_to_end(&mut rest).await.unwrap_or(0), 0);
        }
        over
    })
    .await;
}

/// The next server goes on where the last one was lost: what was half there is over, and that is told.
pub(crate) async fn with_reconnect_the_next_server_is_taken_and_the_loss_is_told(world: World) {
    let (listener, string) = listen();
    let network = (world.runner.open)(format!("{string}?reconnect")).await;
    let network = network.unwrap();
    let client = network.connect(world.address(0), world.config());
    let client = client.await.unwrap();
    for n in 1..3 {
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"2><01><0").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), [1]);
        client.send([n; 2]).await.unwrap();
        let mut said = [0; 7];
        server.read_exact(&mut said).await.unwrap();
        assert_eq!(said, format!("<{n:02X}{n:02X}>\n").as_bytes());
        drop(server);
        let lost = client.next_event().await.unwrap();
        assert_eq!(lost, Event::Failed(NResult::Error(Cause::Refused)));
        let counted = client.statistics().failed_to_receive;
        assert_eq!(counted, [(NResult::Error(Cause::Refused), n.into())]);
    }
}

/// Nobody reads, and the queue is full: the next send finds out that the server is gone.
pub(crate) async fn a_server_that_is_gone_is_found_out_though_nobody_reads(world: World) {
    for reconnect in [true, false] {
        let (listener, mut string) = listen();
        if reconnect {
            string += "?reconnect";
        }
        let network = (world.runner.open)(string).await.unwrap();
        let mut config = world.config();
        config.queue = 1;
        let client = network.connect(world.address(0), config).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"<01><02>").await.unwrap();
        eventually(|| client.statistics().messages_received == 1).await;
        drop(server);
        // TCP takes some before it knows
        let over = loop {
            match client.send([1]).await {
                Err(SendError::Connection(over)) => break Some(over),
                Err(SendError::Failed(_)) if reconnect => break None,
                _ => {}
            }
        };
        assert_eq!(over.is_none(), reconnect);
        if reconnect {
            let (mut server, _) = listener.accept().await.unwrap();
            while client.send([3]).await.is_err() {}
            let mut said = [0; 5];
            server.read_exact(&mut said).await.unwrap();
            assert_eq!(said, *b"<03>\n");
        }
    }
}

/// A server that writes before it reads, as one that blocks does, and a connection that closes with a full
/// queue: neither waits for the other.
pub(crate) async fn a_connection_that_closes_reads_what_its_server_has_to_write(world: World) {
    let (listener, string) = listen();
    let network = (world.runner.open)(string).await.unwrap();
    let mut config = world.config();
    (config.queue, config.send_queue) = (1, 2000);
    let client = network.connect(world.address(0), config).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let serves = async {
        let text = format!("<{}>", "55".repeat(4000));
        // more than TCP keeps
        for _ in 0..2000 {
            server.write_all(text.as_bytes()).await.unwrap();
        }
        let mut said = String::new();
        server.read_to_string(&mut said).await.unwrap();
        drop(server);
        said.lines().count()
    };
    let closes = async {
        eventually(|| client.statistics().messages_received == 1).await;
        let mut sent = 0;
        while client.try_send(vec![1; 6000]).is_ok() {
            sent += 1;
        }
        client.close().await;
        sent
    };
    let (heard, sent) = zip(serves, closes).await;
    assert_eq!(heard, sent);
}

fn listen() -> (Async<TcpListener>, String) {
    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
    let address = listener.get_ref().local_addr().unwrap();
    (listener, format!("isotpserver:{address}"))
}
