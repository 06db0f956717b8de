//! Nothing allocates on the path of a frame, from the user's message to the bus and back: what a
//! message allocates does not depend on how many frames it takes.

use isotp_tokio::virtual_bus::VirtualBus;
use isotp_tokio::{Address, Config, Id, Network};

/// Allocations while a message of `size` bytes goes from one connection to another.
fn allocations(size: usize) -> u64 {
    let id = |value| Id::standard(value).expect("11 bits");
    let address = Address::normal(id(0x7E0), id(0x7E8)).expect("two ids");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let connect = async {
        let network = Network::with_bus(VirtualBus::default().port());
        let a = network.connect(address, Config::default()).await;
        let b = network.connect(address.reversed(), Config::default()).await;
        (a.expect("a connection"), b.expect("a connection"))
    };
    let (a, b) = runtime.block_on(connect);
    let message = vec![0x55; size];
    let cross = || {
        runtime.block_on(async {
            a.send(message.as_slice()).await.expect("sent");
            assert_eq!(b.recv().await.expect("received").len(), size);
        });
    };
    // queues and rings find their size
    cross();
    cross();
    allocation_counter::measure(cross).count_total
}

#[test]
fn what_a_message_allocates_does_not_depend_on_its_frames() {
    let (few, many) = (allocations(400), allocations(4000));
    assert_eq!(few, many, "58 frames and 572");
}
