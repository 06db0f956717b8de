//! ISO-TP across TCP: our client against can-utils' `isotpserver`, and one dialogue with both servers.

use core::future::Future;
use core::time::Duration;
use std::net::TcpListener;

use isotp_tokio::driver::isotpserver::{Bridge, BridgeOptions};
use isotp_tokio::{Address, Config, Connection, NResult, Network, SendError, Tokio};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::case::{Case, Need};
use crate::deadline::{self, Deadline, LIMIT, within};
use crate::parameters::{id, payload};
use crate::tool::Running;
use crate::{interface, listeners};

/// Who answers on TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    CanUtils,
    Ours,
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: String, run: Box<crate::case::Run>| Case {
        name: format!("isotpserver/{name}"),
        needs: &[Need::Isotp, Need::CanUtils],
        seconds: SECONDS,
        run,
    };
    let mut cases = vec![
        case(
            "our-client/messages".into(),
            Box::new(|bus| run(client(bus))),
        ),
        case(
            "our-client/the-server-goes".into(),
            Box::new(|bus| run(lost(bus))),
        ),
    ];
    for who in [Who::CanUtils, Who::Ours] {
        let name = match who {
            Who::CanUtils => "can-utils",
            Who::Ours => "ours",
        };
        cases.push(case(
            format!("{name}/grammar"),
            Box::new(move |bus| run(grammar(bus, who))),
        ));
        cases.push(case(
            format!("{name}/two-clients"),
            Box::new(move |bus| run(two_clients(bus, who))),
        ));
        cases.push(case(
            format!("{name}/too-long-from-the-bus"),
            Box::new(move |bus| run(too_long(bus, who))),
        ));
        cases.push(case(
            format!("{name}/a-silent-peer"),
            Box::new(move |bus| run(silent_peer(bus, who))),
        ));
    }
    cases
}

/// A server on a pair of ids of the interface.
struct Server {
    address: String,
    /// Ours, or the program: whichever it is, dropped it ends.
    _running: (Option<Running>, Option<(Bridge, Network)>),
}

impl Server {
    async fn start(interface: &str, who: Who) -> Result<Self, String> {
        interface::up("lo")?;
        let address = free_address()?;
        if who == Who::Ours {
            let network = open(interface).await?;
            let connection = network.connect(tester()?, Config::default()).await;
            let connection = connection.map_err(said)?;
            let options = BridgeOptions::default();
            let bridge = Bridge::listen(&Tokio::current(), &address, connection, options).await;
            let running = Some((bridge.map_err(said)?, network));
            return Ok(Self {
                address,
                _running: (None, running),
            });
        }
        let port = address.rsplit(':').next().unwrap_or_default();
        let arguments = format!("-l {port} -s 7E0 -d 7E8 {interface}");
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let program = Running::start("isotpserver", &arguments, "")?;
        Ok(Self {
            address,
            _running: (Some(program), None),
        })
    }

    /// A plain TCP client, whose messages arrive.
    async fn client(&self, ecu: &Connection) -> Result<BufReader<TcpStream>, String> {
        let deadline = Deadline::seconds(10);
        let stream = loop {
            match TcpStream::connect(&self.address).await {
                Ok(stream) => break stream,
                // it does not listen yet
                Err(_) => {
                    deadline.left("the server to listen")?;
                    tokio::task::yield_now().await;
                }
            }
        };
        let mut client = BufReader::new(stream);
        client.write_all(b"<00>").await.map_err(said)?;
        expect(ecu, &[0]).await?;
        Ok(client)
    }
}

/// Our client through the program of can-utils, to the ECU at the other end and back.
async fn client(interface: &str) -> Result<String, String> {
    let server = Server::start(interface, Who::CanUtils).await?;
    let (_ecu_network, ecu) = ecu(interface).await?;
    // that it listens
    drop(server.client(&ecu).await?);
    let (_network, connection) = connect(&server).await?;
    listeners::come(id(0x7E8), "isotp", Deadline::seconds(10))?;
    for size in [1, 7, 8, 62, 63, 4095, 4096, 6000] {
        let there = payload(size);
        connection.send(there.clone()).await.map_err(said)?;
        expect(&ecu, &there).await?;
        ecu.send(there.clone()).await.map_err(said)?;
        expect(&connection, &there).await?;
    }
    match connection.send(payload(6001)).await {
        Err(SendError::Refused(_)) => Ok("up to 6000 bytes each way".to_owned()),
        other => Err(format!("6001 bytes: {other:?}, expected a refusal")),
    }
}

/// The program is killed: whoever waits is told.
async fn lost(interface: &str) -> Result<String, String> {
    let server = Server::start(interface, Who::CanUtils).await?;
    let (_ecu_network, ecu) = ecu(interface).await?;
    drop(server.client(&ecu).await?);
    let (_network, connection) = connect(&server).await?;
    // the server closes the TCP connection when a message fails on the bus, which nobody here answers
    drop(ecu);
    connection.send(payload(100)).await.map_err(said)?;
    let told = timeout(LIMIT, connection.recv()).await;
    match told.map_err(|_| format!("the client is told nothing within {LIMIT:?}"))? {
        Err(error) => Ok(error.to_string()),
        Ok(message) => Err(format!("a message of {} bytes", message.len())),
    }
}

/// What a TCP peer may write, and which messages come of it.
async fn grammar(interface: &str, who: Who) -> Result<String, String> {
    let server = Server::start(interface, who).await?;
    let (_network, ecu) = ecu(interface).await?;
    let mut client = server.client(&ecu).await?;
    let mut dialogue: Vec<(&str, &[&[u8]])> = vec![
        ("<0102>", &[&[1, 2]]),
        ("<aB>", &[&[0xAB]]),
        ("xx<0102>yy\n<03>", &[&[1, 2], &[3]]),
        ("<>", &[]),
        ("<012>", &[]),
        ("<zz>", &[]),
        ("<01<02>", &[]),
        ("<<0102>", &[]),
        ("<01\n02>", &[]),
    ];
    dialogue.push(match who {
        Who::CanUtils => ("<1g>", &[&[1]]),
        Who::Ours => ("<1g>", &[]),
    });
    dialogue.push(match who {
        Who::CanUtils => ("<01 2>", &[&[1, 2]]),
        Who::Ours => ("<01 2>", &[]),
    });
    let long = format!("<{}>", "11".repeat(6050));
    dialogue.push((&long, &[]));
    // one more than the digits of the longest message fits, and the next byte is lost with it
    let too_long = |filler: &str, fillers| format!("<{}<0102>", filler.repeat(fillers));
    let fillers = [("1", 12_001), ("1", 12_002), ("z", 12_001), ("z", 12_002)];
    let too_long = fillers.map(|(filler, fillers)| too_long(filler, fillers));
    for (text, found) in too_long.iter().zip([false, true, false, true]) {
        dialogue.push((text, if found { &[&[1, 2]] } else { &[] }));
    }
    let longest = (format!("<{}>", "22".repeat(6000)), [0x22; 6000]);
    let longest_heard: [&[u8]; 1] = [&longest.1];
    dialogue.push((&longest.0, &longest_heard));
    for (written, heard) in &dialogue {
        client.write_all(written.as_bytes()).await.map_err(said)?;
        // and one that tells that all before it was looked at
        client.write_all(b"<FE>").await.map_err(said)?;
        for message in heard.iter().chain([&&[0xFE_u8][..]]) {
            let start = &written[..written.len().min(20)];
            expect(&ecu, message)
                .await
                .map_err(|error| format!("after {start:?}: {error}"))?;
        }
    }
    for size in [1, 20, 6000] {
        let message = payload(size);
        ecu.send(message.clone()).await.map_err(said)?;
        let digits: String = message.iter().map(|byte| format!("{byte:02X}")).collect();
        let line = line(&mut client).await?;
        if line != format!("<{digits}>\n") {
            return Err(format!("{size} bytes came as {line:?}"));
        }
    }
    Ok(format!("{} lines", dialogue.len() + 3))
}

/// What no client can take: there it ends the client, here its sender is told.
async fn too_long(interface: &str, who: Who) -> Result<String, String> {
    let server = Server::start(interface, who).await?;
    let (_network, ecu) = ecu(interface).await?;
    let mut client = server.client(&ecu).await?;
    let sent = ecu.send(payload(6001)).await;
    if who == Who::CanUtils {
        sent.map_err(said)?;
        let line = line(&mut client).await?;
        return match line.is_empty() {
            true => Ok("the client is closed".to_owned()),
            false => Err(format!("expected the end, got {} bytes", line.len())),
        };
    }
    match sent.as_ref().map_err(SendError::result) {
        Err(Some(NResult::BufferOverflow)) => {}
        _ => return Err(format!("expected N_BUFFER_OVFLW, got {sent:?}")),
    }
    ecu.send([9]).await.map_err(said)?;
    let line = line(&mut client).await?;
    match line == "<09>\n" {
        true => Ok("its sender is told".to_owned()),
        false => Err(format!("expected the next message, got {line:?}")),
    }
}

/// Both get each message; and how many flow controls a first frame gets.
async fn two_clients(interface: &str, who: Who) -> Result<String, String> {
    let server = Server::start(interface, who).await?;
    let (network, ecu) = ecu(interface).await?;
    let (mut a, mut b) = (server.client(&ecu).await?, server.client(&ecu).await?);
    let tap = network.tap(100).map_err(said)?;
    ecu.send([1, 2, 3]).await.map_err(said)?;
    for client in [&mut a, &mut b] {
        let line = line(client).await?;
        if line != "<010203>\n" {
            return Err(format!("got {line:?}"));
        }
    }
    // the kernel's two sockets answer both, and what our sender makes of the second is another matter
    let sent = ecu.send(payload(20)).await;
    for client in [&mut a, &mut b] {
        line(client).await?;
    }
    let mut answers = 0;
    // what comes after all clients have their message is too late to matter
    while let Ok(Ok(tapped)) = timeout(QUIET, tap.recv()).await {
        answers += usize::from(
            tapped
                .frame
                .view()
                .data
                .first()
                .is_some_and(|pci| pci >> 4 == 3),
        );
    }
    let expected = match who {
        Who::CanUtils => 2,
        Who::Ours => 1,
    };
    if answers != expected {
        return Err(format!("{answers} flow controls, expected {expected}"));
    }
    sent.map_err(said)?;
    Ok(format!("{answers} flow controls for one first frame"))
}

/// Nobody answers a first frame: what becomes of the client.
async fn silent_peer(interface: &str, who: Who) -> Result<String, String> {
    let server = Server::start(interface, who).await?;
    let (network, ecu) = ecu(interface).await?;
    let mut client = server.client(&ecu).await?;
    drop(ecu);
    let tap = network.tap(100).map_err(said)?;
    // whoever hears of a connection knows that a tap before it is on the bus
    let other = Address::normal(id(0x101), id(0x201)).map_err(said)?;
    let later = network.connect(other, Config::default());
    drop(within("a connection", later).await?);
    let message = format!("<{}>", "33".repeat(20));
    client.write_all(message.as_bytes()).await.map_err(said)?;
    // whoever comes after the first frame hears nothing of the message
    loop {
        let tapped = within("the first frame", tap.recv()).await?;
        if tapped.frame.view().data.first() == Some(&0x10) {
            break;
        }
    }
    let mut rest = Vec::new();
    if who == Who::CanUtils {
        within("the end of the stream", client.read_to_end(&mut rest)).await?;
        return Ok("the client is closed".to_owned());
    }
    let ecu = network
        .connect(tester()?.reversed(), Config::default())
        .await;
    let ecu = ecu.map_err(said)?;
    // it waits until the message before has failed
    client.write_all(b"<44>").await.map_err(said)?;
    expect(&ecu, &[0x44]).await?;
    Ok("the client goes on".to_owned())
}

async fn connect(server: &Server) -> Result<(Network, Connection), String> {
    let network = Network::open(&format!("isotpserver:{}", server.address)).await;
    let network = network.map_err(said)?;
    let connection = network.connect(tester()?, Config::default()).await;
    Ok((network, connection.map_err(said)?))
}

/// The other end, over raw sockets.
async fn ecu(interface: &str) -> Result<(Network, Connection), String> {
    let network = open(interface).await?;
    let connection = network
        .connect(tester()?.reversed(), Config::default())
        .await;
    Ok((network, connection.map_err(said)?))
}

async fn open(interface: &str) -> Result<Network, String> {
    Network::open(&format!("raw:{interface}"))
        .await
        .map_err(said)
}

fn tester() -> Result<Address, String> {
    Address::normal(id(0x7E0), id(0x7E8)).map_err(said)
}

async fn expect(connection: &Connection, expected: &[u8]) -> Result<(), String> {
    let message = deadline::message(connection).await?;
    if *message != *expected {
        let start = message.get(..8).unwrap_or(&message);
        return Err(format!("{} bytes came, {start:02X?}", message.len()));
    }
    Ok(())
}

async fn line(client: &mut BufReader<TcpStream>) -> Result<String, String> {
    let mut line = String::new();
    within("a line of the server", client.read_line(&mut line)).await?;
    Ok(line)
}

/// A port that nobody has.
fn free_address() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(said)?;
    Ok(listener.local_addr().map_err(said)?.to_string())
}

fn run(case: impl Future<Output = Result<String, String>>) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let deadline = Deadline::seconds(SECONDS - 5);
    runtime
        .map_err(said)?
        .block_on(deadline.of("the end of the case", case))
}

fn said(error: impl core::fmt::Display) -> String {
    error.to_string()
}

/// What each case has.
const SECONDS: u64 = 60;
/// After this long without a frame there is none.
const QUIET: Duration = Duration::from_millis(100);
