//! All 256 codes of STmin, and every reserved PCI and FS.

use core::time::Duration;

use isotp_core::{Config, StMin};

use crate::node::{Node, counting, tester};

/// `PCI-22`, `TIM-04`, `D-07`, `D-14`: the link keeps exactly the coded separation, for every code.
#[test]
fn every_st_min_code_is_kept_to_the_microsecond() {
    for code in 0..=255u8 {
        let separation = match code {
            0x00..=0x7F => u64::from(code) * 1000,
            0xF1..=0xF9 => u64::from(code - 0xF0) * 100,
            _ => 127_000,
        };
        let mut node = Node::new(tester(), &Config::new());
        node.request(0, counting(20));
        assert_eq!(node.sent(0).len(), 1);
        node.receive(5, &format!("7E8#3000{code:02X}"));
        if separation == 0 {
            assert_eq!(node.sent(5).len(), 2, "code {code:02X}");
            continue;
        }
        assert_eq!(node.sent(5).len(), 1, "code {code:02X}");
        assert_eq!(node.deadline(), Some(5 + separation), "code {code:02X}");
        node.pass_time(5 + separation - 1);
        assert_eq!(node.sent(5 + separation - 1), [""; 0], "code {code:02X}");
        node.pass_time(5 + separation);
        assert_eq!(node.sent(5 + separation).len(), 1, "code {code:02X}");
        assert_eq!(node.events(), ["cfm N_OK"]);
    }
}

/// `PCI-23`: no configuration makes a receiver send a reserved STmin: the type cannot hold one.
#[test]
fn a_reserved_st_min_cannot_be_configured() {
    for code in 0..=255u8 {
        let reserved = matches!(code, 0x80..=0xF0 | 0xFA..=0xFF);
        assert_eq!(StMin::from_code(code).is_err(), reserved);
        let Ok(st_min) = StMin::from_code(code) else {
            continue;
        };
        let mut config = Config::new();
        config.receive.st_min = st_min;
        let mut node = Node::<Vec<u8>>::new(tester(), &config);
        node.receive(0, "7E8#100A000102030405");
        assert_eq!(node.sent(0), [format!("7E0#3000{code:02X}")]);
    }
}

/// `TIM-04`: a separation between two codes is rounded up, also below a millisecond.
#[test]
fn st_min_is_never_rounded_down() {
    for (micros, code) in [
        (1, 0xF1),
        (100, 0xF1),
        (101, 0xF2),
        (900, 0xF9),
        (901, 1),
        (1001, 2),
    ] {
        let st_min = StMin::at_least(Duration::from_micros(micros)).unwrap();
        assert_eq!(st_min.code(), code, "{micros} us");
    }
}

/// `PCI-01`: types 4 to 15 are ignored in every state, with every low nibble.
#[test]
fn a_reserved_pci_type_changes_nothing() {
    let mut node = Node::new(tester(), &Config::new());
    node.receive(0, "7E8#101B000102030405");
    node.request(0, counting(20));
    assert_eq!(node.sent(0).len(), 2);
    node.events();
    let before = node.deadline();
    for pci in 0x40..=0xFFu8 {
        node.receive(10, &format!("7E8#{pci:02X}00000000000000"));
        assert_eq!(node.events(), [""; 0]);
        assert_eq!(node.sent(10), [""; 0]);
        assert_eq!(node.deadline(), before);
    }
    assert_eq!(node.link.ignored(), 0xC0);
}

/// `FC-02`, `D-23`: every reserved FS ends the transfer.
#[test]
fn every_reserved_flow_status_is_invalid() {
    for status in 3..=15 {
        let mut node = Node::new(tester(), &Config::new());
        node.request(0, counting(20));
        node.sent(0);
        node.receive(1, &format!("7E8#3{status:X}0000"));
        assert_eq!(node.events(), ["cfm N_INVALID_FS"]);
    }
}
