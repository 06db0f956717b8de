//! What users of other stacks suffer from, each as the rule that keeps it away. The list is in
//! `docs/testing.md`.

use core::time::Duration;

use isotp_core::{
    Address, Config, Event, Frame, FrameKind, FrameView, GrowingBuffer, Id, Instant, Link,
    Machine as _, NResult, Payload, Router, RxBuffer,
};
use isotp_sim::{BitTiming, Bus, BusConfig, Clock, Happening, Node, Stop, World};

use crate::node::{counting, tester};

type Plain = Link<GrowingBuffer, Vec<u8>>;

static CONFIG: Config = Config::new();
static LISTENING: Config = Config::listening();

fn plain(address: Address, config: &'static Config) -> Plain {
    Link::new(address, config, GrowingBuffer::new(4095)).unwrap()
}

fn ecu() -> Address {
    tester().reversed()
}

fn standard(value: u16) -> Id {
    Id::standard(value).unwrap()
}

/// Nobody sleeps and nobody looks in intervals: from the first frame to the last the bus is busy.
#[test]
fn a_message_takes_no_longer_than_its_frames_on_the_bus() {
    let clock = Clock::Timed(BitTiming::new(500_000, 2_000_000).unwrap());
    let mut world = World::new(Bus::new(BusConfig {
        clock,
        ..BusConfig::default()
    }));
    let sender = world.add("tester", plain(tester(), &CONFIG));
    world.add("ecu", plain(ecu(), &CONFIG));
    world
        .node_mut(sender)
        .send(Instant::ZERO, counting(4095))
        .unwrap();
    assert_eq!(world.run(), Stop::Quiet);
    let events = world.trace().events();
    let confirmed = events.filter(|(.., event)| **event == Happening::Confirmed(NResult::Ok));
    let (ended, ..) = confirmed.last().expect("it was sent");
    let stats = world.bus().stats();
    // a node looks at whole microseconds
    let longest = stats.busy + Duration::from_micros(stats.frames);
    let took = ended - Instant::ZERO;
    assert!(took <= longest, "{took:?}, expected {longest:?}");
}

/// However many links and listeners are on the bus, one answers, with its own id.
#[test]
fn a_first_frame_gets_one_flow_control_from_the_link_it_is_for() {
    let pair = |number: u16| Address::normal(standard(0x600 + number), standard(0x700 + number));
    let mut router = Router::new(Vec::new());
    for number in 0..6 {
        let address = pair(number).unwrap().reversed();
        router.insert(plain(address, &CONFIG)).unwrap();
    }
    let mut client = plain(pair(3).unwrap(), &CONFIG);
    client.send(Instant::ZERO, counting(100)).unwrap();
    let listener = plain(pair(3).unwrap().reversed(), &LISTENING);
    let mut world: World<Box<dyn Node>> = World::new(Bus::new(BusConfig::default()));
    let client = world.add("client", Box::new(client));
    world.add("router", Box::new(router));
    let listener = world.add("listener", Box::new(listener));
    assert_eq!(world.run(), Stop::Quiet);
    let frames = world.trace().frames();
    let answers = frames.filter(|(_, node, _)| *node != Some(client));
    let answers: Vec<String> = answers.map(|(.., frame)| frame.to_string()).collect();
    assert_eq!(answers, ["703#300000"]);
    assert!(world.messages(listener).eq([&counting(100)[..]]));
}

/// Ids are named by what one does with them; who has them the wrong way round hears nobody, and the error says
/// what is missing.
#[test]
fn swapped_ids_hear_nobody_and_reversed_ones_everybody() {
    for (address, result) in [(tester(), NResult::TimeoutBs), (ecu(), NResult::Ok)] {
        let mut world = World::new(Bus::new(BusConfig::default()));
        let client = world.add("client", plain(tester(), &CONFIG));
        let other = world.add("other", plain(address, &CONFIG));
        world
            .node_mut(client)
            .send(Instant::ZERO, counting(20))
            .unwrap();
        assert_eq!(world.run(), Stop::Quiet);
        assert!(world.events(client).eq([&Happening::Confirmed(result)]));
        let heard = world.messages(other).count();
        assert_eq!(heard, usize::from(result.is_ok()));
    }
}

/// The number of an id does not say how many bits it has.
#[test]
fn an_id_of_11_bits_is_another_than_one_of_29_with_the_same_value() {
    let short = Address::normal(standard(0x7E0), standard(0x7E8)).unwrap();
    let long = |value| Id::extended(value).unwrap();
    let long = Address::normal(long(0x7E0), long(0x7E8)).unwrap();
    let mut router = Router::new(Vec::new());
    let ids = [short, long].map(|address| router.insert(plain(address, &CONFIG)).unwrap());
    for (address, expected) in [(short, ids[0]), (long, ids[1])] {
        let data = &[2, 0x7E, 0];
        let (id, kind) = (address.rx().id(), FrameKind::Classic);
        router.handle_frame(Instant::ZERO, FrameView { id, kind, data });
        let heard = router.poll_event().map(|(link, _)| link);
        assert_eq!(heard, Some(expected));
        assert!(router.poll_event().is_none());
    }
    let mut frame = Frame::new();
    for (id, text) in [(ids[0], "7E0#013E"), (ids[1], "000007E0#013E")] {
        router.send(Instant::ZERO, id, vec![0x3E]).unwrap();
        let transmit = router.poll_transmit(Instant::ZERO, &mut frame).unwrap();
        transmit.commit(Instant::ZERO);
        assert_eq!(frame.to_string(), text);
    }
}

/// An ECU that ignores short frames ignores them with CAN FD too.
#[test]
fn with_padding_no_frame_is_shorter_than_8_bytes_also_with_can_fd() {
    for tx_dl in [8, 12, 16, 20, 24, 32, 48, 64] {
        let mut config = Config::fd(tx_dl, false);
        config.transmit.pad_to_8 = true;
        config.receive.block_size = 1;
        let config = Box::leak(Box::new(config));
        for len in 1..200 {
            let mut world = World::new(Bus::new(BusConfig::default()));
            let client = world.add("client", plain(tester(), config));
            world.add("ecu", plain(ecu(), config));
            world
                .node_mut(client)
                .send(Instant::ZERO, counting(len))
                .unwrap();
            assert_eq!(world.run(), Stop::Quiet);
            for (.., frame) in world.trace().frames() {
                assert!(frame.data().len() >= 8, "{frame} of {len} bytes");
            }
        }
    }
}

/// Blocks are counted exactly for every BS, however many frames a message has: no counter of eight bits ends.
#[test]
fn every_block_size_gets_a_flow_control_after_each_full_block() {
    for block_size in 0..=255u8 {
        let mut config = Config::new();
        config.receive.block_size = block_size;
        let config = Box::leak(Box::new(config));
        let size = usize::from(block_size);
        for consecutive in [1, size, size + 1, 2 * size + 1, 300] {
            let consecutive = consecutive.max(1);
            let mut links = [plain(tester(), config), plain(ecu(), config)];
            let message = counting(6 + 7 * consecutive);
            links[0].send(Instant::ZERO, message.clone()).unwrap();
            let (of_client, of_ecu) = converse(&mut links);
            assert_eq!(of_client, 1 + consecutive);
            let blocks = (consecutive - 1)
                .checked_div(size)
                .map_or(1, |more| 1 + more);
            assert_eq!(of_ecu, blocks, "BS {block_size}, {consecutive} frames");
            let first = links[1].poll_event();
            assert!(matches!(first, Some(Event::FirstFrame { .. })));
            let Some(Event::Received(received)) = links[1].poll_event() else {
                panic!("BS {block_size}, {consecutive} frames: not received");
            };
            assert_eq!(received.data(), message);
        }
    }
}

/// How many frames each of two links sends until neither has any.
fn converse<B: RxBuffer, P: Payload>(links: &mut [Link<B, P>; 2]) -> (usize, usize) {
    let (now, mut frame) = (Instant::ZERO, Frame::new());
    let mut counts = [0; 2];
    loop {
        let before = counts;
        for side in 0..2 {
            while let Some(transmit) = links[side].poll_transmit(now, &mut frame) {
                transmit.commit(now);
                counts[side] += 1;
                links[1 - side].handle_frame(now, frame.view());
            }
        }
        if counts == before {
            return counts.into();
        }
    }
}

/// A quarter of a megabyte, made byte by byte and taken page by page: the sender waits while a page is written.
#[test]
fn a_message_of_any_size_goes_through_a_page_of_memory() {
    static BLOCKS: Config = {
        let mut config = Config::new();
        config.receive.block_size = 36; // 252 bytes
        config.receive.max_wait = 1;
        config
    };
    const SIZE: u32 = 256 * 1024;
    let mut client = Link::<Page, Made>::new(tester(), &BLOCKS, Page::default()).unwrap();
    let mut server = Link::<Page, Made>::new(ecu(), &BLOCKS, Page::default()).unwrap();
    client.send(Instant::ZERO, Made(SIZE)).unwrap();
    let (mut now, mut waits, mut frame) = (Instant::ZERO, 0, Frame::new());
    loop {
        let mut moved = false;
        while let Some(transmit) = client.poll_transmit(now, &mut frame) {
            transmit.commit(now);
            server.handle_frame(now, frame.view());
            moved = true;
        }
        while let Some(transmit) = server.poll_transmit(now, &mut frame) {
            transmit.commit(now);
            client.handle_frame(now, frame.view());
            moved = true;
            if frame.data()[0] == 0x31 {
                waits += 1;
                server.buffer_mut().write_out();
            }
        }
        match server.poll_event() {
            Some(Event::Received(message)) => {
                assert_eq!(message.size(), SIZE);
                break;
            }
            Some(Event::FirstFrame { .. }) => continue,
            Some(other) => panic!("{other:?} after {waits} pages"),
            None if moved => continue,
            None => {}
        }
        let next = server.poll_timeout().expect("it goes on");
        now = next.at;
        server.handle_timeout(now);
        client.handle_timeout(now);
    }
    server.buffer_mut().write_out();
    assert_eq!(server.buffer().written, SIZE);
    assert!(waits > 1000, "{waits} pages");
    let confirmed = client.poll_event();
    assert!(matches!(confirmed, Some(Event::Confirmed(NResult::Ok))));
}

const fn made(offset: u32) -> u8 {
    (offset ^ offset >> 8) as u8
}

/// A message that is nowhere in memory.
struct Made(u32);

impl Payload for Made {
    fn size(&self) -> u32 {
        self.0
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let bytes = out.iter_mut().zip(offset..self.0);
        Some(bytes.map(|(out, offset)| *out = made(offset)).count())
    }
}

/// 258 bytes, which are on their way to flash until somebody says that they are there.
#[derive(Debug, Default)]
struct Page {
    held: u32,
    written: u32,
}

impl Page {
    fn write_out(&mut self) {
        self.written += core::mem::take(&mut self.held);
    }
}

impl RxBuffer for Page {
    fn limit(&self) -> u32 {
        u32::MAX
    }

    fn ready(&mut self, _size: u32, _received: u32) -> bool {
        self.held < 7
    }

    fn start(&mut self, _size: u32) {
        *self = Self::default();
    }

    fn write(&mut self, offset: u32, data: &[u8]) -> bool {
        assert_eq!(offset, self.written + self.held, "a gap, or bytes twice");
        let fits = data
            .iter()
            .zip(offset..)
            .all(|(byte, at)| *byte == made(at));
        self.held += data.len() as u32;
        fits && self.held <= 258
    }
}
