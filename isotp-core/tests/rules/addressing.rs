//! Addresses that vectors cannot name.

use isotp_core::{Address, AddressError, Config, FrameKind, Half, Id, Instant};

use crate::node::{Node, counting, tester};

fn id(value: u32) -> Id {
    if value > 0x7FF {
        Id::extended(value).unwrap()
    } else {
        Id::standard(value as u16).unwrap()
    }
}

/// `ADR-05`: N_TAtype by frame kind, width of the id, and physical or functional.
#[test]
fn n_ta_type_is_1_to_8() {
    let (short, long) = (tester(), Address::normal_fixed(0xF1, 0x10).unwrap());
    let (cc, fd) = (FrameKind::Classic, FrameKind::Fd { brs: false });
    let types = [
        short.n_ta_type(cc, false),
        short.n_ta_type(cc, true),
        short.n_ta_type(fd, false),
        short.n_ta_type(fd, true),
        long.n_ta_type(cc, false),
        long.n_ta_type(cc, true),
        long.n_ta_type(fd, false),
        long.n_ta_type(fd, true),
    ];
    assert_eq!(types, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// `ADR-05`: remote diagnostics is where an N_AE is.
#[test]
fn the_message_type_is_remote_with_an_n_ae() {
    assert!(
        Address::mixed_11(id(0x7E0), id(0x7E8), 0x99)
            .unwrap()
            .is_remote()
    );
    assert!(Address::mixed_29(0xF1, 0x10, 0x99).unwrap().is_remote());
    assert!(!Address::normal_fixed(0xF1, 0x10).unwrap().is_remote());
    assert!(
        !Address::extended(id(0x6F1), 0x10, id(0x610), 0xF1)
            .unwrap()
            .is_remote()
    );
    assert!(!tester().is_remote());
}

/// `ADR-01`, `D-10`: every priority is sent as configured and received whatever it is.
#[test]
fn every_priority_is_sent_as_configured_and_ignored_on_reception() {
    for priority in 0..=7u8 {
        let address = Address::normal_fixed(0xF1, 0x10)
            .and_then(|address| address.with_functional_target(0x33))
            .and_then(|address| address.with_priority(priority))
            .unwrap();
        let bits = u32::from(priority) << 26;
        let mut node = Node::new(address, &Config::new());
        node.request(0, vec![0x3E]);
        node.link
            .send_functional(Instant::ZERO, vec![0x3E])
            .unwrap();
        let sent = [
            format!("{:08X}#013E", bits | 0xDB_33F1),
            format!("{:08X}#013E", bits | 0xDA_10F1),
        ];
        assert_eq!(node.sent(0), sent);
        node.events();
        for received in 0..=7u32 {
            node.receive(1, &format!("{:08X}#0111", received << 26 | 0xDA_F110));
            assert_eq!(node.events(), ["ind 11"]);
        }
    }
    assert_eq!(
        tester().with_priority(3),
        Err(AddressError::NotFixed),
        "free ids have none"
    );
}

/// `ADR-04`: functional ids of extended and mixed 11 addresses carry an address byte of their own.
#[test]
fn functional_ids_of_addresses_with_a_byte() {
    let extended = Address::extended(id(0x6F1), 0x10, id(0x610), 0xF1)
        .and_then(|address| address.with_functional_tx_to(id(0x6F1), 0xDF))
        .unwrap();
    let mut node = Node::new(extended, &Config::new());
    node.link
        .send_functional(Instant::ZERO, counting(6))
        .unwrap();
    assert_eq!(node.sent(0), ["6F1#DF06000102030405"]);
    node.events();
    let too_long = node.link.send_functional(Instant::ZERO, counting(7));
    assert!(too_long.is_err(), "seven bytes need eight");

    let mut peer = Node::<Vec<u8>>::new(extended.reversed(), &Config::new());
    peer.receive(0, "6F1#DF013E");
    assert_eq!(peer.events(), ["indf 3E"]);
    peer.receive(0, "6F1#10013E");
    assert_eq!(peer.events(), ["ind 3E"]);
    peer.receive(0, "6F1#DF10070001020304");
    peer.receive(0, "6F1#DE013E");
    assert_eq!((peer.sent(0), peer.events()), (vec![], vec![]));

    let mixed = Address::mixed_11(id(0x7E0), id(0x7E8), 0x99)
        .and_then(|address| address.with_functional_tx(id(0x7DF)))
        .unwrap();
    let mut node = Node::new(mixed, &Config::new());
    node.link
        .send_functional(Instant::ZERO, counting(6))
        .unwrap();
    assert_eq!(node.sent(0), ["7DF#9906000102030405"]);
    let mut peer = Node::<Vec<u8>>::new(mixed.reversed(), &Config::new());
    peer.receive(0, "7DF#98013E");
    peer.receive(0, "7DF#99013E");
    assert_eq!(peer.events(), ["indf 3E"]);
}

/// `ADR-04`: functional ids of the fixed formats have the functional form.
#[test]
fn a_functional_id_has_the_form_of_its_format() {
    let fixed = Address::normal_fixed(0xF1, 0x10).unwrap();
    assert!(fixed.with_functional_tx(id(0x18DB_33F1)).is_ok());
    for wrong in [0x18DA_33F1, 0x18CD_33F1, 0x7DF] {
        let refused = fixed.with_functional_tx(id(wrong));
        assert_eq!(refused, Err(AddressError::FunctionalFormat), "{wrong:X}");
    }
    let mixed = Address::mixed_29(0xF1, 0x10, 0x99).unwrap();
    assert!(mixed.with_functional_rx(id(0x18CD_33F1)).is_ok());
    assert!(mixed.with_functional_rx(id(0x18DB_33F1)).is_err());
}

/// `ADR-09`: whatever would let a link hear itself is refused.
#[test]
fn addresses_that_hear_themselves_are_refused() {
    let same = |address: Result<Address, AddressError>| {
        assert!(matches!(
            address,
            Err(AddressError::SameIds { .. } | AddressError::SameNodes { .. })
        ));
    };
    same(Address::normal(id(0x7E0), id(0x7E0)));
    same(Address::normal_fixed(0xF1, 0xF1));
    same(Address::mixed_29(0x10, 0x10, 0x99));
    same(Address::mixed_11(id(0x7E0), id(0x7E0), 0x99));
    same(Address::extended(id(0x6F1), 0x10, id(0x6F1), 0x10));
    assert!(Address::extended(id(0x6F1), 0x10, id(0x6F1), 0xF1).is_ok());
    assert!(Address::normal(id(0x123), Id::extended(0x123).unwrap()).is_ok());
    same(Address::from_halves(
        Half::normal_fixed(0xF1, 0xF1),
        Half::normal_fixed(0xF1, 0x10),
    ));
}

/// `ADR-03`, `ADR-06`: a link that receives from any source answers whoever sends, and lets no other
/// source into a message.
#[test]
fn any_source_is_answered_by_its_own_address() {
    let server = Address::normal_fixed(0x10, 0xF1)
        .and_then(|address| address.with_any_source())
        .unwrap();
    let mut node = Node::new(server, &Config::new());
    node.receive(0, "18DA10F5#100A000102030405");
    assert_eq!(node.sent(0), ["18DAF510#300000"]);
    node.receive(1, "18DA10F6#2106070809");
    node.receive(1, "18DA10F6#023E00");
    assert_eq!(node.events(), ["ff 10"]);
    node.receive(2, "18DA10F5#2106070809");
    assert_eq!(node.events(), ["ind 00010203040506070809"]);
    node.request(3, vec![0x7E]);
    assert_eq!(node.sent(3), ["18DAF510#017E"]);
    node.events();
    node.receive(4, "18DA10F6#013E");
    node.events();
    node.request(5, counting(8));
    assert_eq!(node.sent(5), ["18DAF610#1008000102030405"]);
    node.receive(6, "18DA10F5#300000");
    assert_eq!(node.sent(6), [""; 0], "the flow control of another node");
    node.receive(7, "18DA10F6#300000");
    assert_eq!(node.sent(7), ["18DAF610#210607"]);
}

/// The next message goes to the peer that the user names, and the one after it to whoever sent last.
#[test]
fn a_link_for_any_source_answers_whom_it_is_told_to() {
    let server = Address::normal_fixed(0x10, 0xF1)
        .and_then(|address| address.with_any_source())
        .unwrap();
    let mut node = Node::new(server, &Config::new());
    node.receive(0, "18DA10F5#013E");
    node.receive(0, "18DA10F6#013E");
    node.events();
    node.link.answer_to(0xF5);
    node.request(1, vec![0x7E]);
    assert_eq!(node.sent(1), ["18DAF510#017E"]);
    node.receive(2, "18DA10F6#013E");
    node.events();
    node.request(3, vec![0x7E]);
    assert_eq!(node.sent(3), ["18DAF610#017E"]);
}

/// `ADR-04`, `ADR-08`: several links may share a functional id, and each gets the frame.
#[test]
fn a_functional_id_may_be_shared() {
    for ecu in 0x7E8..=0x7EFu32 {
        let address = Address::normal(id(ecu), id(ecu - 8))
            .and_then(|address| address.with_functional_rx(id(0x7DF)))
            .unwrap();
        let mut node = Node::<Vec<u8>>::new(address, &Config::obd());
        node.receive(0, "7DF#0201000000000000");
        assert_eq!(node.events(), ["indf 0100"]);
    }
}
