//! What drivers and virtual buses with limits and faults make of each other.

use core::time::Duration;

use isotp_tokio::virtual_bus::{Fault, Faults, Options, Overrun, PortConfig, VirtualBus};
use isotp_tokio::{Config, Network};
use tokio::time::timeout;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_frame_is_offered_again_once_the_controller_takes_frames() {
    let bus = VirtualBus::new(Options {
        faults: Faults::none().at(0, Fault::Full(Duration::from_millis(3))),
        ..Options::default()
    });
    let network = Network::with_bus(bus.port());
    let connection = network.connect(address(), Config::default()).await.unwrap();
    let begin = tokio::time::Instant::now();
    let sent = timeout(Duration::from_secs(60), connection.send([0x3E, 0]));
    sent.await.expect("within a minute").unwrap();
    let needed = begin.elapsed();
    let expected = Duration::from_millis(3)..Duration::from_millis(10);
    assert!(expected.contains(&needed), "{needed:?}");
}

/// Both are in one thread, and frames take no time.
#[tokio::test(start_paused = true)]
async fn a_long_message_leaves_its_receiver_time_to_take_the_frames() {
    let bus = VirtualBus::new(Options {
        port: PortConfig {
            inbox: 256,
            overrun: Overrun::Lose,
            ..PortConfig::default()
        },
        ..Options::default()
    });
    let [one, other] = [(); 2].map(|()| Network::with_bus(bus.port()));
    let sender = one.connect(address(), Config::default()).await.unwrap();
    let receiver = other.connect(address().reversed(), Config::default());
    let receiver = receiver.await.unwrap();
    let sent = timeout(Duration::from_secs(60), sender.send([7; 4095]));
    sent.await.expect("within a minute").unwrap();
    let received = timeout(Duration::from_secs(60), receiver.recv()).await;
    assert_eq!(received.expect("within a minute").unwrap(), [7; 4095]);
    assert_eq!(bus.stats().overruns, 0);
}
