//! Which frame leaves first.

use super::*;

/// A flow control leaves before a functional message, and that before a running one.
#[test]
fn what_is_owed_leaves_first() {
    let config = Config::new();
    let address = normal().with_functional_tx(std(0x7DF)).unwrap();
    let mut link = link(address, &config);
    link.send(ms(0), counted(20)).unwrap();
    assert_eq!(sent(&mut link), ["7E0#1014000102030405"]);
    hear(&mut link, "7E8#300000");
    link.send_functional(ms(0), counted(2)).unwrap();
    hear(&mut link, "7E8#100F000102030405");
    let order = [
        commit(&mut link).0,
        commit(&mut link).0,
        commit(&mut link).0,
    ];
    assert_eq!(order, ["7E0#300000", "7DF#020001", "7E0#21060708090A0B0C"]);
}

/// A flow control leaves before the data of a running message.
#[test]
fn a_flow_control_that_is_owed_leaves_before_data() {
    let config = Config::new();
    let mut link = link(normal(), &config);
    link.send(ms(0), counted(20)).unwrap();
    assert_eq!(sent(&mut link), ["7E0#1014000102030405"]);
    hear(&mut link, "7E8#300000");
    hear(&mut link, "7E8#100F000102030405");
    let order = [commit(&mut link).0, commit(&mut link).0];
    assert_eq!(order, ["7E0#300000", "7E0#21060708090A0B0C"]);
}
