//! What networks cost their process. All of it is counted for the whole process, so that these cases need
//! one of their own: [`alone`].

use core::time::Duration;
use std::process::Command;

use async_io::Timer;
use isotp_driver::{Config, StMin};

use crate::world::{Way, World, eventually};

/// By its nature, it waits two seconds.
pub(crate) async fn an_idle_network_burns_no_processor_time(world: World) {
    let mut config = world.config();
    if world.way.guarantees().timing {
        // which needs the fine timers
        config.protocol.receive.st_min = StMin::at_least(Duration::from_micros(200)).unwrap();
    }
    let mut idle = Vec::new();
    for _ in 0..pairs(&world.way) {
        let (world, config) = (world.another(), config.clone());
        let pair = world.pair(config.clone(), config).await;
        pair.tester.send([0x55; 30]).await.unwrap();
        assert_eq!(pair.ecu.recv().await.unwrap(), [0x55; 30]);
        idle.push((world, pair));
    }
    // things that wait, for good measure
    let mut waiting = Vec::new();
    if world.way.guarantees().functional {
        for (world, pair) in &idle {
            let address = world.address(1);
            let server = pair
                .network
                .serve(address, Config::default(), |_, _| async {});
            let responders = [world.address(2)];
            let window = Duration::from_secs(1000);
            let request =
                pair.network
                    .request_functional(responders, Config::default(), [1], window);
            waiting.push((server.await.unwrap(), request.await.unwrap()));
        }
    }
    // what was begun comes to its end
    Timer::after(Duration::from_millis(50)).await;
    let before = processor_time();
    Timer::after(Duration::from_secs(2)).await;
    let burnt = processor_time() - before;
    println!("{burnt:?} of processor time in two seconds");
    let most = match world.way {
        Way::Raw(_) | Way::Kernel(_) => EMULATED,
        _ => MOST,
    };
    assert!(burnt < most, "{burnt:?}");
}

/// Threads and descriptors, when the last handles are dropped and nobody closes anything.
pub(crate) async fn networks_that_are_gone_leave_nothing_open(world: World) {
    let round = async || {
        let mut alive = Vec::new();
        for _ in 0..pairs(&world.way) {
            let world = world.another();
            let pair = world.pair(world.config(), world.config()).await;
            pair.tester.send([0x55; 30]).await.unwrap();
            assert_eq!(pair.ecu.recv().await.unwrap(), [0x55; 30]);
            if world.way.guarantees().abort {
                // one that is on its way when its connection is dropped
                pair.ecu.try_send([1; 30]).unwrap();
            }
            alive.push((world, pair));
        }
    };
    // whatever is made once is made now
    round().await;
    Timer::after(Duration::from_secs(1)).await;
    let before = open();
    for _ in 0..3 {
        round().await;
    }
    eventually(|| {
        let now = open();
        now.threads <= before.threads && now.descriptors <= before.descriptors
    })
    .await;
}

/// What a process has.
#[derive(Debug)]
struct Open {
    threads: usize,
    descriptors: usize,
}

#[cfg(target_os = "linux")]
fn open() -> Open {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    Open {
        threads: count("/proc/self/task"),
        descriptors: count("/proc/self/fd"),
    }
}

#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(used).unwrap()
}

/// Counted on Linux alone.
#[cfg(not(target_os = "linux"))]
fn open() -> Open {
    Open {
        threads: 0,
        descriptors: 0,
    }
}

/// Counted on Linux alone.
#[cfg(not(target_os = "linux"))]
fn processor_time() -> Duration {
    Duration::ZERO
}

/// Runs a test of this program in a process of its own, by its name.
///
/// # Panics
/// When it fails there, or is not found.
pub fn alone(test: &str, body: impl FnOnce()) {
    const CHILD: &str = "ISOTP_CONTRACT_ALONE";
    if std::env::var_os(CHILD).is_some() {
        return body();
    }
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args([test, "--exact", "--nocapture"]).env(CHILD, "1");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{said}{errors}");
    assert!(output.status.success(), "it failed in its own process");
    assert!(said.contains("1 passed"), "it is not found by its name");
}

/// So many at once.
fn pairs(way: &Way) -> usize {
    match way {
        Way::Virtual | Way::Isotpserver => 10,
        // an emulated machine takes its time
        Way::Raw(_) | Way::Kernel(_) => 3,
    }
}

/// A busy loop takes a hundred times that.
const MOST: Duration = Duration::from_millis(20);
/// In an emulated machine, which has a part of a processor.
const EMULATED: Duration = Duration::from_millis(80);

/// Whether a case of this name needs a process of its own.
#[must_use]
pub fn is_alone(case: &str) -> bool {
    matches!(
        case,
        "an_idle_network_burns_no_processor_time" | "networks_that_are_gone_leave_nothing_open"
    )
}
