use super::*;
use isotp_driver::{FrameKind, Id};

fn view(id: u16, data: &[u8]) -> FrameView<'_> {
    FrameView {
        id: Id::standard(id).unwrap(),
        kind: FrameKind::Classic,
        data,
    }
}

fn token(bits: u64) -> TxToken {
    TxToken::from_bits(bits)
}

const fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Takes these frames at 0 ms, with tokens 0, 1, ..
fn taken(frames: &[(u16, &[u8])]) -> Echoes {
    let mut echoes = Echoes::new();
    for (bits, (id, data)) in frames.iter().enumerate() {
        echoes.take(ms(0), view(*id, data), token(bits as u64));
    }
    echoes
}

fn told(echoes: &mut Echoes) -> Vec<(char, u64)> {
    let mut frame = Frame::new();
    core::iter::from_fn(|| echoes.tell(ms(9), &mut frame))
        .map(|arrival| match arrival {
            Arrival::Transmitted { token, .. } => ('T', token.to_bits()),
            Arrival::Failed { token, .. } => ('F', token.to_bits()),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn echoes_confirm_in_order() {
    let mut echoes = taken(&[(1, &[1]), (1, &[1]), (1, &[2])]);
    for (data, bits) in [(1, 0), (1, 1), (2, 2)] {
        assert_eq!(
            echoes.confirm(ms(1), view(1, &[data]), 0),
            Some(token(bits))
        );
    }
    assert_eq!(echoes.confirm(ms(1), view(1, &[2]), 0), None);
    assert!(told(&mut echoes).is_empty());
}

#[test]
fn another_id_may_overtake() {
    let mut echoes = taken(&[(2, &[1]), (1, &[1])]);
    assert_eq!(echoes.confirm(ms(1), view(1, &[1]), 0), Some(token(1)));
    assert!(told(&mut echoes).is_empty());
    assert_eq!(echoes.confirm(ms(1), view(2, &[1]), 0), Some(token(0)));
}

#[test]
fn what_the_same_id_overtook_is_lost_unless_its_echo_comes_soon() {
    let mut echoes = taken(&[(1, &[1]), (2, &[1]), (1, &[2]), (1, &[3]), (1, &[4])]);
    assert_eq!(echoes.confirm(ms(1), view(1, &[3]), 0), Some(token(3)));
    assert!(told(&mut echoes).is_empty());
    assert_eq!(echoes.confirm(ms(2), view(1, &[2]), 0), Some(token(2)));
    assert_eq!(echoes.confirm(ms(2), view(1, &[4]), 0), Some(token(4)));
    // it was overtaken first at 1 ms
    assert_eq!(echoes.poll_timeout(), Some(ms(101)));
    echoes.handle_timeout(ms(100));
    assert!(!echoes.has_news());
    echoes.handle_timeout(ms(101));
    assert_eq!(told(&mut echoes), [('F', 0)]);
    assert_eq!(echoes.poll_timeout(), None);
    assert_eq!(echoes.confirm(ms(500), view(2, &[1]), 0), Some(token(1)));
}

#[test]
fn each_overtaken_frame_has_its_own_time() {
    let mut echoes = taken(&[(1, &[1]), (1, &[2]), (2, &[3]), (2, &[4])]);
    assert_eq!(echoes.confirm(ms(1), view(1, &[2]), 0), Some(token(1)));
    assert_eq!(echoes.confirm(ms(50), view(2, &[4]), 0), Some(token(3)));
    echoes.handle_timeout(ms(101));
    assert_eq!(told(&mut echoes), [('F', 0)]);
    assert_eq!(echoes.poll_timeout(), Some(ms(150)));
    assert_eq!(echoes.confirm(ms(149), view(2, &[3]), 0), Some(token(2)));
    echoes.handle_timeout(ms(150));
    assert!(!echoes.has_news());
    assert_eq!(echoes.poll_timeout(), None);
}

#[test]
fn a_dropped_echo_counts_as_sent_and_shows_the_frame_to_siblings() {
    let mut echoes = taken(&[(1, &[1]), (1, &[2])]);
    echoes.doubt(ms(5), 0);
    echoes.take(ms(6), view(1, &[3]), token(2));
    echoes.take(ms(6), view(1, &[4]), token(3));
    assert_eq!(echoes.confirm(ms(7), view(1, &[4]), 0), None);
    let mut frame = Frame::new();
    let first = echoes.tell(ms(8), &mut frame);
    let (at, token) = (ms(8), token(0));
    assert_eq!(first, Some(Arrival::Transmitted { at, token }));
    assert_eq!(frame.view(), view(1, &[1]));
    assert_eq!(told(&mut echoes), [('T', 1), ('T', 3)]);
    // the third was taken after the loss
    echoes.handle_timeout(ms(107));
    assert_eq!(told(&mut echoes), [('F', 2)]);
}

#[test]
fn a_dropped_echo_is_not_waited_for_for_long() {
    let mut echoes = taken(&[(1, &[1])]);
    echoes.doubt(ms(5), 0);
    echoes.take(ms(6), view(2, &[3]), token(1));
    assert_eq!(echoes.poll_timeout(), Some(ms(105)));
    echoes.handle_timeout(ms(104));
    assert!(!echoes.has_news());
    echoes.handle_timeout(ms(105));
    assert_eq!(told(&mut echoes), [('T', 0)]);
    assert_eq!(echoes.poll_timeout(), None);
}

/// The same request again and again: one lost echo must not shift all later ones.
#[test]
fn an_echo_that_never_came_does_not_shift_equal_frames() {
    let mut echoes = taken(&[(1, &[2, 0x3E])]);
    for round in 1..5 {
        let at = ms(2000 * round);
        echoes.take(at, view(1, &[2, 0x3E]), token(round));
        let confirmed = echoes.confirm(at, view(1, &[2, 0x3E]), 0);
        assert_eq!(confirmed, Some(token(round)));
    }
    echoes.handle_timeout(ms(9000));
    assert_eq!(told(&mut echoes), [('F', 0)]);
}

#[test]
fn a_late_echo_still_counts_if_it_is_the_only_one() {
    let mut echoes = taken(&[(1, &[1])]);
    assert_eq!(echoes.confirm(ms(9000), view(1, &[1]), 0), Some(token(0)));
}

#[test]
fn frames_without_echo_do_not_block_for_ever() {
    let mut echoes = Echoes::new();
    for bits in 0..LIMIT as u64 {
        assert!(echoes.has_room());
        echoes.take(ms(bits), view(1, &[bits as u8]), token(bits));
    }
    assert!(!echoes.has_room());
    assert_eq!(echoes.poll_timeout(), Some(ms(1000)));
    echoes.handle_timeout(ms(999));
    assert!(!echoes.has_news());
    echoes.handle_timeout(ms(1001));
    // one at a time is enough to go on
    assert_eq!(told(&mut echoes), [('F', 0)]);
    assert!(echoes.has_room());
    assert_eq!(echoes.poll_timeout(), None);
}

#[test]
fn what_was_not_sent_after_all_fails() {
    let mut echoes = taken(&[(1, &[1]), (1, &[2]), (1, &[3]), (1, &[4])]);
    echoes.fail_unsent(3, 1);
    assert_eq!(told(&mut echoes), [('F', 1)]);
    echoes.fail_unsent(2, 2);
    assert_eq!(told(&mut echoes), [('F', 2), ('F', 3)]);
    echoes.fail_all();
    assert_eq!(told(&mut echoes), [('F', 0)]);
}

#[test]
fn a_frame_that_was_not_sent_yet_is_not_confirmed() {
    let mut echoes = taken(&[(1, &[1]), (1, &[1])]);
    assert_eq!(echoes.confirm(ms(1), view(1, &[1]), 1), Some(token(0)));
    assert_eq!(echoes.confirm(ms(1), view(1, &[1]), 1), None);
    echoes.doubt(ms(1), 1);
    assert_eq!(echoes.poll_timeout(), None);
    assert_eq!(echoes.confirm(ms(1), view(1, &[1]), 0), Some(token(1)));
}
