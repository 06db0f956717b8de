//! What the first table of the page says is seen, where no hardware is needed to see it.

use core::time::Duration;

use isotp_tokio::{
    Address, Config, Connection, Event, Id, Ignored, NResult, Network, RecvTimeoutError, SendError,
};

fn id(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn tester() -> Address {
    Address::normal(id(0x7E0), id(0x7E8)).unwrap()
}

/// Two networks on one bus, and a connection on each.
struct Bench {
    network: Network,
    tester: Connection,
    ecu: Connection,
}

async fn bench(bus: &str, ecu: Address, config: Config) -> Bench {
    let bus = format!("virtual:{bus}");
    let network = Network::open(&bus).await.unwrap();
    let other = Network::open(&bus).await.unwrap();
    Bench {
        tester: network.connect(tester(), Config::default()).await.unwrap(),
        ecu: other.connect(ecu, config).await.unwrap(),
        network,
    }
}

async fn is_silent(connection: &Connection) -> bool {
    let answer = connection.recv_timeout(Duration::from_millis(50)).await;
    matches!(answer, Err(RecvTimeoutError::TimedOut(_)))
}

fn timed_out(outcome: Result<(), SendError>) -> bool {
    matches!(outcome, Err(SendError::Failed(NResult::TimeoutBs)))
}

#[tokio::test(start_paused = true)]
async fn without_a_peer_a_long_message_fails_and_a_short_one_is_not_answered() {
    let wrong = Address::normal(id(0x7E9), id(0x7E1)).unwrap();
    let Bench { tester, ecu, .. } = bench("no-peer", wrong, Config::default()).await;
    assert!(timed_out(tester.send([0; 100]).await));
    tester.send([0x3E, 0x00]).await.unwrap();
    assert!(is_silent(&tester).await && is_silent(&ecu).await);
}

#[tokio::test(start_paused = true)]
async fn swapped_ids_show_as_frames_that_nobody_claims() {
    // both ends believe that they are the tester
    let Bench {
        network,
        tester,
        ecu,
    } = bench("swapped", tester(), Config::default()).await;
    assert!(timed_out(ecu.send([0; 100]).await));
    assert!(is_silent(&tester).await);
    assert_eq!(network.statistics().frames_unclaimed, 1);
}

#[tokio::test(start_paused = true)]
async fn an_id_of_another_length_is_another_id() {
    let extended = |value| Id::extended(value).unwrap();
    let long = Address::normal(extended(0x7E8), extended(0x7E0)).unwrap();
    let Bench { tester, ecu, .. } = bench("length", long, Config::default()).await;
    tester.send([0x3E, 0x00]).await.unwrap();
    assert!(is_silent(&ecu).await);
    assert!(timed_out(tester.send([0; 100]).await));
}

#[tokio::test(start_paused = true)]
async fn another_address_format_is_counted_as_reserved_pci_types() {
    let extended = Address::extended(id(0x7E8), 0xF1, id(0x7E0), 0x10).unwrap();
    let Bench { tester, ecu, .. } = bench("format", extended, Config::default()).await;
    ecu.send([0x7E, 0x00]).await.unwrap(); // F1 02 7E 00
    assert!(is_silent(&tester).await);
    assert_eq!(tester.statistics().ignored, [(Ignored::ReservedPci, 1)]);
}

#[tokio::test(start_paused = true)]
async fn can_fd_is_ignored_by_a_connection_for_can_cc() {
    let fd = Config::fd(64, true);
    let Bench { tester, ecu, .. } = bench("kind", tester().reversed(), fd).await;
    ecu.send([0x7E, 0x00]).await.unwrap();
    assert!(is_silent(&tester).await);
    assert_eq!(tester.statistics().ignored, [(Ignored::FrameKind, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_long_messages_wait_and_loses_short_ones() {
    let config = Config {
        queue: 1,
        ..Config::default()
    };
    let Bench { tester, ecu, .. } = bench("full", tester().reversed(), config).await;
    tester.send([1]).await.unwrap();
    assert!(timed_out(tester.send([2; 100]).await));
    tester.send([3]).await.unwrap();
    assert!(matches!(ecu.next_event().await, Ok(Event::Message(message)) if message == [1]));
    assert!(matches!(
        ecu.next_event().await,
        Ok(Event::FirstFrame { size: 100, .. })
    ));
    let overrun = Event::Failed(NResult::WaitOverrun { limit: 16 });
    assert_eq!(ecu.next_event().await.unwrap(), overrun);
    assert_eq!(ecu.next_event().await.unwrap(), Event::Lagged(1));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_there_before_that_to_the_next_question() {
    let Bench { tester, ecu, .. } = bench("late", tester().reversed(), Config::uds()).await;
    tester.send([0x22, 0xF1, 0x90]).await.unwrap();
    assert!(is_silent(&tester).await);
    ecu.send([0x62, 0xF1, 0x90, 1]).await.unwrap();
    // the rule of the page: until there is nothing
    let mut late = 0;
    while tester.try_recv().unwrap().is_some() {
        late += 1;
    }
    assert_eq!(late, 1);
}
