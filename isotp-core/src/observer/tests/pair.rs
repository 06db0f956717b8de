//! Two links that talk, and an observer that hears every frame of both.

use super::*;
use crate::{Event, Frame, Link, Machine};

type Node<'a> = Link<&'a mut [u8], Vec<u8>, &'a Config>;

/// Lets both send, and gives each of their frames to the other and to the observer.
fn talk(nodes: &mut [Node<'_>; 2], observer: &mut Tested<'_>) -> Vec<(Direction, Vec<u8>)> {
    let (mut frame, mut messages) = (Frame::new(), Vec::new());
    let mut time = 0;
    loop {
        let mut spoke = false;
        for sender in 0..2 {
            let Some(transmit) = nodes[sender].poll_transmit(ms(time), &mut frame) else {
                continue;
            };
            transmit.commit(ms(time));
            spoke = true;
            nodes[1 - sender].handle_frame(ms(time), frame.view());
            observer.handle_frame(ms(time), frame.view());
            while let Some((direction, observed)) = observer.poll_event() {
                match observed {
                    Observed::Message(message) => {
                        messages.push((direction, message.data().to_vec()));
                    }
                    Observed::FirstFrame { .. } | Observed::FlowControl(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        if !spoke {
            let next = nodes
                .iter()
                .filter_map(Machine::poll_timeout)
                .min_by_key(|next| next.at);
            let Some(next) = next else { return messages };
            time = next.at.as_micros().div_ceil(1000);
            for node in nodes.iter_mut() {
                node.handle_timeout(ms(time));
            }
            observer.handle_timeout(ms(time));
        }
    }
}

fn configurations() -> Vec<Config> {
    let mut blocks = Config::uds();
    blocks.receive.block_size = 3;
    blocks.receive.st_min = crate::StMin::from_code(20).unwrap();
    std::vec![
        Config::new(),
        blocks,
        Config::fd(64, true),
        Config::fd(20, false)
    ]
}

fn addresses() -> Vec<Address> {
    let id = |value| Id::standard(value).unwrap();
    std::vec![
        Address::normal(id(0x7E0), id(0x7E8)).unwrap(),
        Address::normal_fixed(0xF1, 0x10).unwrap(),
        Address::extended(id(0x6F1), 0x10, id(0x610), 0xF1).unwrap(),
        Address::mixed_11(id(1), id(2), 0x99).unwrap(),
        Address::mixed_29(0xF1, 0x10, 0x99).unwrap(),
    ]
}

/// Whatever two nodes say to each other at once, in every format and frame length, is heard.
#[test]
fn what_two_links_say_is_what_an_observer_hears() {
    for address in addresses() {
        for (tx_config, rx_config) in configurations().iter().flat_map(|tx| {
            let same = move |rx: &Config| rx.kind.is_fd() == tx.kind.is_fd();
            configurations()
                .into_iter()
                .filter(same)
                .map(move |rx| (tx.clone(), rx))
        }) {
            for size in [1, 6, 7, 8, 62, 63, 100, 300] {
                let mut memory = [[0; 300]; 4];
                let [a, b, c, d] = memory.each_mut();
                let node = |address, config, memory| {
                    Link::with_spare(address, config, memory, [[0; 62]; 2]).unwrap()
                };
                let mut nodes = [
                    node(address, &tx_config, &mut a[..]),
                    node(address.reversed(), &rx_config, &mut b[..]),
                ];
                let mut observer =
                    Observer::new(address, &CONFIG, [&mut c[..], &mut d[..]]).unwrap();
                let there = counted(size);
                let back: Vec<u8> = there.iter().map(|byte| !byte).collect();
                nodes[0].send(ms(0), there.clone()).unwrap();
                nodes[1].send(ms(0), back.clone()).unwrap();
                let mut heard = talk(&mut nodes, &mut observer);
                heard.sort_by_key(|(direction, _)| *direction == Direction::Rx);
                let expected = [(Direction::Tx, there), (Direction::Rx, back)];
                assert_eq!(heard, expected, "{address:?} {size}");
                assert_eq!(observer.poll_timeout(), None);
                for node in &mut nodes {
                    assert!(
                        matches!(node.poll_event(), Some(Event::Confirmed(result)) if result.is_ok())
                    );
                }
            }
        }
    }
}
