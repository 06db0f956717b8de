//! What networks cost the process: one test at a time, since all of it is counted for the whole process.
#![cfg(target_os = "linux")]

use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, Config, Connection, Id, Network, StMin};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runtime() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

fn address(n: u32) -> Address {
    let id = |value| Id::extended(value).expect("29 bits");
    Address::normal(id(0x10_0000 + n), id(0x20_0000 + n)).expect("two ids")
}

/// Connections whose receivers ask for 200 microseconds, so that each network needs its fine timer.
async fn pairs(network: &Network, count: u32) -> Vec<(Connection, Connection)> {
    let mut config = Config::default();
    config.protocol.receive.st_min = StMin::at_least(Duration::from_micros(200)).expect("valid");
    let mut pairs = Vec::new();
    for n in 0..count {
        let a = network.connect(address(n), config.clone()).await;
        let b = network.connect(address(n).reversed(), config.clone()).await;
        pairs.push((a.expect("connected"), b.expect("connected")));
    }
    pairs
}

async fn talk((a, b): &(Connection, Connection)) {
    a.send([0x55; 30]).await.expect("sent");
    assert_eq!(b.recv().await.expect("received"), [0x55; 30]);
}

fn open_descriptors() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").expect("a list of descriptors");
    open.count()
}

/// By its nature, this test waits two seconds.
#[test]
fn an_idle_network_burns_no_processor_time() {
    let _alone = alone();
    runtime().block_on(async {
        let network = Network::with_bus(VirtualBus::default().port());
        let pairs = pairs(&network, 50).await;
        for pair in &pairs {
            talk(pair).await;
        }
        let used = || {
            let used = clock_gettime(ClockId::ProcessCPUTime);
            Duration::try_from(used).expect("no negative time")
        };
        let before = used();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let burnt = used() - before;
        println!("{burnt:?} of processor time in two seconds");
        assert!(burnt < Duration::from_millis(20), "{burnt:?}");
        drop(pairs);
    });
}

#[test]
fn a_network_that_ended_leaves_no_descriptor_open() {
    let _alone = alone();
    let before = open_descriptors();
    let runtime = runtime();
    runtime.block_on(async {
        let idle = open_descriptors();
        let networks = (0..10).map(|_| Network::with_bus(VirtualBus::default().port()));
        let networks: Vec<_> = networks.collect();
        assert_eq!(open_descriptors(), idle, "none is made before it is needed");
        for network in &networks {
            talk(&pairs(network, 1).await[0]).await;
        }
        assert_eq!(open_descriptors(), idle + 10, "one for each driver");
        for network in &networks {
            network.close().await;
        }
        assert!(open_descriptors() <= idle + 10);
    });
    drop(runtime);
    assert_eq!(open_descriptors(), before);
}

#[test]
fn the_last_handle_takes_the_timer_along() {
    let _alone = alone();
    runtime().block_on(async {
        let idle = open_descriptors();
        for _ in 0..20 {
            let network = Network::with_bus(VirtualBus::default().port());
            talk(&pairs(&network, 1).await[0]).await;
        }
        // the tasks end by themselves
        let ended = async {
            while open_descriptors() > idle {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
        ended.expect("all timers closed within ten seconds");
    });
}
