//! Where messages come from and go to: prepared memory, and every kind of receive buffer.

use super::*;

/// Sends 20 bytes to `link` and says what it makes of them.
fn receive<B: RxBuffer + AsRef<[u8]>>(buffer: B) -> Vec<u8> {
    let config = Config::new();
    let mut link: Link<B, &[u8], _> =
        Link::with_spare(normal(), &config, buffer, [[0; 62]; 2]).unwrap();
    let mut last = Vec::new();
    for round in 0..2u8 {
        hear(&mut link, &std::format!("7E8#10140001020304{round:02X}"));
        assert_eq!(sent(&mut link), ["7E0#300000"]);
        hear(&mut link, "7E8#21060708090A0B0C");
        hear(&mut link, "7E8#220D0E0F10111213");
        assert!(matches!(
            link.poll_event(),
            Some(Event::FirstFrame { size: 20, .. })
        ));
        let Some(Event::Received(message)) = link.poll_event() else {
            panic!("the message is complete")
        };
        last = message.data().to_vec();
        assert_eq!(last[5], round, "nothing of the message before");
    }
    hear(&mut link, "7E8#1015000102030405");
    assert_eq!(
        sent(&mut link),
        ["7E0#320000"],
        "one byte more than the limit"
    );
    hear(&mut link, "7E8#023E00");
    assert!(
        matches!(link.poll_event(), Some(Event::Received(message)) if message.data() == [0x3E, 0])
    );
    last
}

#[test]
fn every_buffer_takes_a_message_and_the_next_and_refuses_a_longer_one() {
    let mut expected = counted(20);
    expected[5] = 1;
    assert_eq!(receive(&mut [0xEE; 20][..]), expected);
    #[cfg(feature = "heapless")]
    assert_eq!(receive(heapless::Vec::<u8, 20>::new()), expected);
    #[cfg(feature = "alloc")]
    assert_eq!(receive(crate::GrowingBuffer::new(20)), expected);
}

/// `RXE-03`: a claim of 4 GiB costs nothing.
#[cfg(feature = "alloc")]
#[test]
fn a_growing_buffer_grows_with_what_came() {
    let mut buffer = crate::GrowingBuffer::new(u32::MAX);
    buffer.start(u32::MAX);
    assert!(buffer.write(0, &[1, 2]));
    assert_eq!(buffer.take(), [1, 2]);
}

/// `PCI-10`: the 32-bit length leaves less room in the first frame, and as much in the others.
#[cfg(feature = "alloc")]
#[test]
fn a_message_with_a_32_bit_length() {
    let config = Config::new();
    let mut link: Link<_, &[u8], _> = Link::with_spare(
        normal(),
        &config,
        crate::GrowingBuffer::new(5000),
        [[0; 62]; 2],
    )
    .unwrap();
    let data = counted(4097);
    hear(&mut link, "7E8#1000000010010001");
    assert_eq!(sent(&mut link), ["7E0#300000"]);
    for (index, chunk) in data[2..].chunks(7).enumerate() {
        let digits: String = chunk
            .iter()
            .map(|byte| std::format!("{byte:02X}"))
            .collect();
        hear(
            &mut link,
            &std::format!("7E8#2{:X}{digits}", (index + 1) % 16),
        );
    }
    assert!(matches!(
        link.poll_event(),
        Some(Event::FirstFrame { size: 4097, .. })
    ));
    assert!(matches!(link.poll_event(), Some(Event::Received(message)) if message.data() == data));
}

/// A slice of another length than the limit promised takes no byte beyond its end.
#[test]
fn a_write_beyond_the_end_fails() {
    let mut memory = [0; 4];
    let mut buffer = &mut memory[..];
    assert!(buffer.write(2, &[1, 2]));
    assert!(!buffer.write(3, &[1, 2]));
    assert!(!buffer.write(5, &[1]));
    assert!(!buffer.write(u32::MAX, &[1]));
}

type Lent<'a> = Link<Vec40, Prepared<[u8; 10]>, &'a Config>;

fn lent(config: &Config) -> Lent<'_> {
    let buffer = Vec40 {
        bytes: Vec::new(),
        ready: true,
    };
    let address = normal().with_functional_tx(std(0x7DF)).unwrap();
    let mut link: Lent<'_> = Link::with_spare(address, config, buffer, [[0; 62]; 2]).unwrap();
    link.lend([0; 10]);
    link
}

#[test]
fn a_message_is_built_in_memory_that_was_lent() {
    let config = Config::new();
    let mut link = lent(&config);
    link.prepare(ms(0), 3).unwrap().copy_from_slice(&[1, 2, 3]);
    link.send_prepared(ms(0)).unwrap();
    assert_eq!(link.prepare(ms(0), 3), Err(SendError::Busy));
    assert_eq!(link.send_prepared(ms(0)), Err(SendError::Busy));
    assert_eq!(sent(&mut link), ["7E0#03010203"]);
    assert_eq!(
        link.prepare(ms(0), 3),
        Err(SendError::Busy),
        "the outcome was not polled"
    );
    assert_eq!(told(&mut link), ["N_OK"]);
    assert_eq!(
        link.prepare(ms(0), 2),
        Ok(&mut [1, 2][..]),
        "as it was left"
    );
    link.send_prepared(ms(0)).unwrap();
    assert_eq!(sent(&mut link), ["7E0#020102"]);
}

#[test]
fn memory_that_is_not_needed_comes_back() {
    let config = Config::new();
    let mut link = lent(&config);
    link.prepare(ms(0), 10).unwrap().fill(1);
    assert_eq!(link.lend([2; 10]), Some([1; 10]), "what was there before");
    link.prepare(ms(0), 1).unwrap();
    link.send_prepared(ms(0)).unwrap();
    assert_eq!(link.lend([3; 10]), Some([3; 10]), "a message is being sent");
    assert_eq!(sent(&mut link), ["7E0#0102"]);
}

#[test]
fn prepared_memory_has_its_limits() {
    let config = Config::new();
    let mut link = lent(&config);
    assert_eq!(
        link.send_prepared(ms(0)),
        Err(SendError::Empty),
        "nothing was prepared"
    );
    assert_eq!(link.prepare(ms(0), 0), Err(SendError::Empty));
    assert_eq!(
        link.prepare(ms(0), 11),
        Err(SendError::TooLong { size: 11, max: 10 })
    );
    assert!(link.prepare(ms(0), 10).is_ok());
    link.take_payload();
    assert_eq!(
        link.send_prepared(ms(0)),
        Err(SendError::Empty),
        "the memory was taken out"
    );
    assert_eq!(
        link.prepare(ms(0), 1),
        Err(SendError::TooLong { size: 1, max: 0 })
    );
}

#[test]
fn a_listening_link_prepares_nothing() {
    let config = Config::listening();
    let mut link = lent(&config);
    assert_eq!(link.prepare(ms(0), 1), Err(SendError::ListenOnly));
}

/// A payload that tells another size each time it is asked.
struct Fickle(core::cell::Cell<u32>);

impl Payload for Fickle {
    fn size(&self) -> u32 {
        self.0.replace(0)
    }
    fn copy_to(&mut self, _offset: u32, out: &mut [u8]) -> Option<usize> {
        Some(out.len())
    }
}

/// `PCI-05`: the size that was accepted counts, physical or functional.
#[test]
fn a_payload_that_shrinks_to_nothing_makes_no_empty_single_frame() {
    let config = Config::new();
    let address = normal()
        .with_functional_tx(Id::standard(0x7DF).unwrap())
        .unwrap();
    let mut memory = [0; 16];
    let mut link: Link<_, Fickle, _> =
        Link::with_spare(address, &config, &mut memory[..], [[0; 62]; 2]).unwrap();
    link.send(Instant::ZERO, Fickle(3.into())).unwrap();
    assert_eq!(sent(&mut link), ["7E0#03000000"]);
    link.send_functional(Instant::ZERO, Fickle(3.into()))
        .unwrap();
    assert!(
        sent(&mut link)
            .iter()
            .all(|frame| !frame.starts_with("7DF#00"))
    );
}
