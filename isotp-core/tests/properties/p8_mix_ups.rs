//! P8: the mix-ups that ISO-TP cannot see, each shown to exist. Whatever is not here does not get through,
//! which is what `p8_one_outcome` proves.
//!
//! | what the bus does | what ISO-TP sees |
//! |---|---|
//! | sixteen consecutive frames, or a multiple, arrive out of their place | the right sequence numbers: a message with pieces swapped |
//! | a single frame, or a whole segmented message, arrives twice or late | one more message: a PDU has no message number |
//! | a flow control arrives late, for the next message, whose first frame is lost | consecutive frames of the next message complete this one, where the sequence numbers fit |
//! | the frames of the last block are lost after they were confirmed | the sender sees N_OK, the receiver N_TIMEOUT_Cr: no PDU confirms the end of a message |
//! | data is corrupted in a way that the CAN CRC does not see | the corrupted message: ISO-TP has no checksum |

use core::time::Duration;

use isotp_core::{Address, Config, Event, FrameKind, FrameView, GrowingBuffer, Instant, Link};
use isotp_core::{Machine as _, NResult};
use isotp_sim::{Bus, BusConfig, Fault, Faults, Happening, World};
use isotp_testkit::{Format, pattern};

static CONFIG: Config = Config::new();

type Plain = Link<GrowingBuffer, Vec<u8>>;

fn address() -> Address {
    Format::Normal11.address(0)
}

fn link(address: Address, config: &'static Config) -> Plain {
    Link::new(address, config, GrowingBuffer::new(4095)).unwrap()
}

fn world(faults: Faults, config: &'static Config) -> (World<Plain>, [isotp_sim::NodeId; 2]) {
    let mut world = World::new(Bus::new(BusConfig {
        faults,
        ..BusConfig::default()
    }));
    let tester = world.add("tester", link(address(), config));
    let ecu = world.add("ecu", link(address().reversed(), config));
    (world, [tester, ecu])
}

/// Hands a frame to a link that receives on the tx id of `address`.
fn receive(link: &mut Plain, data: &[u8]) {
    let view = FrameView {
        id: address().tx().id(),
        kind: FrameKind::Classic,
        data,
    };
    link.handle_frame(Instant::ZERO, view);
}

/// CF `n` of a message, counted from 1.
fn consecutive(message: &[u8], n: usize) -> Vec<u8> {
    let piece = message[6..].chunks(7).nth(n - 1).unwrap();
    let mut data = vec![0x20 | (n % 16) as u8];
    data.extend(piece);
    data
}

/// What a receiver makes of these consecutive frames of one message of 6 + 7 * 40 bytes.
fn reassembled(order: impl Iterator<Item = usize>) -> Option<Vec<u8>> {
    let message = pattern(1, 6 + 7 * 40);
    let mut ecu = link(address().reversed(), &CONFIG);
    let mut first = vec![0x10 | (message.len() >> 8) as u8, message.len() as u8];
    first.extend(&message[..6]);
    receive(&mut ecu, &first);
    while ecu.poll_event().is_some() {}
    let mut frame = isotp_core::Frame::new();
    ecu.poll_transmit(Instant::ZERO, &mut frame)
        .unwrap()
        .commit(Instant::ZERO);
    for n in order {
        receive(&mut ecu, &consecutive(&message, n));
        match ecu.poll_event() {
            Some(Event::Received(message)) => return Some(message.data().to_vec()),
            Some(_) => return None,
            None => {}
        }
    }
    None
}

#[test]
fn p8_sixteen_frames_out_of_place_are_not_seen() {
    let message = pattern(1, 6 + 7 * 40);
    assert_eq!(reassembled(1..=40), Some(message.clone()));
    let swapped = reassembled((1..=8).chain(25..=40).chain(9..=24)).expect("sequence numbers fit");
    assert_eq!(swapped.len(), message.len());
    assert_ne!(swapped, message);
    // any other number is
    for gap in (1..=31).filter(|gap| *gap != 16) {
        let moved = (9 + gap..=40).chain(9..9 + gap);
        assert_eq!(
            reassembled((1..=8).chain(moved)),
            None,
            "{gap} frames out of place"
        );
    }
}

#[test]
fn p8_a_single_frame_that_arrives_twice_is_two_messages() {
    let (mut world, [tester, ecu]) = world(Faults::none().at(0, Fault::Duplicate), &CONFIG);
    world
        .node_mut(tester)
        .send(Instant::ZERO, pattern(1, 5))
        .unwrap();
    world.run();
    assert_eq!(world.messages(ecu).count(), 2);
}

/// Message A stands after 16 of 32 consecutive frames, its second flow control is late. A fails, B
/// begins, its first frame is lost, the late flow control releases it: 16 frames of B complete A.
#[test]
fn p8_a_late_flow_control_lets_the_next_message_complete_this_one() {
    static BLOCKS: Config = {
        let mut config = Config::new();
        config.receive.block_size = 16;
        config.timing.n_cr = Duration::from_secs(5);
        config
    };
    // frames: FF 0, FC 1, CF 2 to 17, FC 18, then FF 19 of B
    let late = Fault::Delay(Duration::from_millis(1500));
    let faults = Faults::none().at(18, late).at(19, Fault::Lose);
    let (mut world, [tester, ecu]) = world(faults, &BLOCKS);
    let len = 6 + 7 * 32;
    let (a, b) = (pattern(1, len), pattern(2, len));
    world
        .node_mut(tester)
        .send(Instant::ZERO, a.clone())
        .unwrap();
    world.run_until(Instant::from_millis(1100));
    let now = world.now();
    world.node_mut(tester).send(now, b.clone()).unwrap();
    world.run();
    let half = 6 + 7 * 16;
    let mixed = [&a[..half], &b[6..half]].concat();
    assert!(world.messages(ecu).eq([&mixed[..]]), "{}", world.trace());
    let failed = Happening::Confirmed(NResult::TimeoutBs);
    assert!(
        world.events(tester).eq([&failed, &failed]),
        "{}",
        world.trace()
    );
}

#[test]
fn p8_the_sender_does_not_learn_that_the_last_frames_were_lost() {
    let (mut world, [tester, ecu]) = world(Faults::none().at(4, Fault::Lose), &CONFIG);
    world
        .node_mut(tester)
        .send(Instant::ZERO, pattern(1, 6 + 7 * 3))
        .unwrap();
    world.run();
    let sent = Happening::Confirmed(NResult::Ok);
    assert!(world.events(tester).any(|event| *event == sent));
    let failed = Happening::ReceptionFailed(NResult::TimeoutCr);
    assert_eq!(world.events(ecu).last(), Some(&failed));
}

#[test]
fn p8_corrupted_data_is_delivered() {
    let (mut world, [tester, ecu]) =
        world(Faults::none().at(0, Fault::Corrupt { bit: 8 }), &CONFIG);
    world
        .node_mut(tester)
        .send(Instant::ZERO, vec![1, 2, 3])
        .unwrap();
    world.run();
    assert!(world.messages(ecu).eq([&[0x81, 2, 3][..]]));
}
