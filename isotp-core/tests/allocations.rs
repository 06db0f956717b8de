//! The core allocates nothing on the path of a frame: in a router of links that borrow their buffers
//! nothing at all, with growing buffers once a message and never because a first frame claims much.

use isotp_core::{
    Address, Config, Event, Frame, FrameKind, FrameView, GrowingBuffer, Id, Instant, Link, Machine,
    Router, Slot,
};

static CONFIG: Config = Config::new();
const NOW: Instant = Instant::ZERO;

fn address() -> Address {
    let id = |value| Id::standard(value).expect("11 bits");
    Address::normal(id(0x7E0), id(0x7E8)).expect("two ids")
}

type MemoryRouter<'a> = Router<Vec<Slot<Link<&'a mut [u8], &'a [u8]>>>>;

/// Carries frames until nobody has any; says how many messages came out.
fn pump<'a>(a: &mut MemoryRouter<'a>, b: &mut MemoryRouter<'a>) -> usize {
    let mut frame = Frame::new();
    let mut received = 0;
    loop {
        let (from, to) = (&mut *a, &mut *b);
        let to = if let Some(transmit) = from.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            to
        } else if let Some(transmit) = to.poll_transmit(NOW, &mut frame) {
            transmit.commit(NOW);
            from
        } else {
            return received;
        };
        to.handle_frame(NOW, frame.view());
        while let Some((_, event)) = to.poll_event() {
            received += usize::from(matches!(event, Event::Received(_)));
        }
        while a.poll_event().is_some() {}
    }
}

#[test]
fn a_router_allocates_nothing_after_insert() {
    let payload: Vec<u8> = (0..4095u32).map(|n| n as u8).collect();
    let (mut memory_a, mut memory_b) = (vec![0; 4095], vec![0; 4095]);
    let (mut a, mut b) = (MemoryRouter::default(), MemoryRouter::default());
    let link = Link::new(address(), &CONFIG, &mut memory_a[..]).expect("a link");
    let a_id = a.insert(link).expect("room");
    let link = Link::new(address().reversed(), &CONFIG, &mut memory_b[..]).expect("a link");
    b.insert(link).expect("room");
    let counted = allocation_counter::measure(|| {
        for size in [1, 7, 8, 62, 4095] {
            let message = payload.get(..size).expect("short enough");
            a.send(NOW, a_id, message).expect("idle");
            assert_eq!(pump(&mut a, &mut b), 1);
        }
        b.handle_timeout(Instant::from_millis(3_600_000));
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn a_claim_of_4_gib_costs_a_page() {
    let buffer = GrowingBuffer::new(u32::MAX);
    let mut link = Link::<_, Vec<u8>>::new(address(), &CONFIG, buffer).expect("a link");
    let counted = allocation_counter::measure(|| {
        let data = &[0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2];
        let kind = FrameKind::Classic;
        link.handle_frame(
            NOW,
            FrameView {
                id: address().rx().id(),
                kind,
                data,
            },
        );
        assert!(matches!(
            link.poll_event(),
            Some(Event::FirstFrame { size: u32::MAX, .. })
        ));
    });
    assert!(counted.bytes_max <= 4096, "{counted:?}");
    assert!(counted.count_total <= 1, "{counted:?}");
}
