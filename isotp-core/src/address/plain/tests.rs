use std::string::ToString;

use super::*;
use crate::{Config, FrameKind, RxPadding, StMin};

fn std(value: u16) -> Id {
    Id::standard(value).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, std::string::String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn round_trips<T>(value: &T)
where
    T: Serialize + serde::de::DeserializeOwned + PartialEq + core::fmt::Debug,
{
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(read::<T>(&json).as_ref(), Ok(value), "{json}");
}

#[test]
fn every_kind_of_address_round_trips() {
    let normal = Address::normal(std(0x7E0), std(0x7E8)).unwrap();
    let fixed = Address::normal_fixed(0xF1, 0x10).unwrap();
    let extended = Address::extended(std(0x6F1), 0x10, std(0x610), 0xF1).unwrap();
    let mixed_29 = Address::mixed_29(0xF1, 0x10, 0x99).unwrap();
    for address in [
        normal,
        normal.with_functional_tx(std(0x7DF)).unwrap(),
        normal.with_functional_rx(std(0x7DF)).unwrap(),
        fixed.with_priority(3).unwrap().with_any_source().unwrap(),
        fixed.with_functional_target(0x33).unwrap(),
        fixed.with_functional_group(0x33).unwrap().reversed(),
        extended.with_functional_tx_to(std(0x6F1), 0xDF).unwrap(),
        extended.with_functional_rx_to(std(0x610), 0xDF).unwrap(),
        Address::mixed_11(std(1), std(2), 0x99).unwrap(),
        mixed_29.with_functional_target(0x33).unwrap(),
        Address::from_halves(normal.tx(), extended.rx()).unwrap(),
    ] {
        round_trips(&address);
        round_trips(&address.tx());
    }
}

#[test]
fn the_written_form_is_what_the_documentation_would_say() {
    let half = Half::extended(std(0x6F1), 0x10);
    let json = serde_json::to_string(&half).unwrap();
    assert_eq!(json, r#"{"extended":{"id":{"standard":1777},"n_ta":16}}"#);
    let address = r#"{"tx": {"normal": {"id": {"standard": 2016}}}, "rx": {"normal": {"id": {"standard": 2024}}}}"#;
    assert_eq!(
        read(address),
        Ok(Address::normal(std(0x7E0), std(0x7E8)).unwrap())
    );
}

#[test]
fn ids_and_configurations_round_trip() {
    round_trips(&std(0x7FF));
    round_trips(&Id::extended(0x7FF).unwrap());
    assert!(
        read::<Id>(r#"{"standard":2048}"#)
            .unwrap_err()
            .contains("11 bits")
    );
    assert!(
        read::<Id>(r#"{"extended":536870912}"#)
            .unwrap_err()
            .contains("29 bits")
    );
    let mut config = Config::obd();
    config.kind = FrameKind::Fd { brs: true };
    config.transmit.max_wait = Some(3);
    config.receive.padding = RxPadding::Exact;
    config.receive.st_min = StMin::from_code(0xF3).unwrap();
    round_trips(&config);
    assert_eq!(
        read("{}"),
        Ok(Config::default()),
        "what is missing is the default"
    );
    let reserved = read::<Config>(r#"{"receive":{"st_min":128}}"#).unwrap_err();
    assert!(reserved.contains("reserved"), "{reserved}");
}

/// Each line breaks one rule that the constructors hold.
#[test]
fn what_the_constructors_refuse_is_refused_when_read() {
    let n = |id: u16| std::format!(r#"{{"normal":{{"id":{{"standard":{id}}}}}}}"#);
    let f = |id: u32| std::format!(r#"{{"normal_fixed":{{"id":{{"extended":{id}}}}}}}"#);
    let m = |id: u32, n_ae: u8| {
        std::format!(r#"{{"mixed29":{{"id":{{"extended":{id}}},"n_ae":{n_ae}}}}}"#)
    };
    let (fixed_tx, fixed_rx) = (f(0x18DA_10F1), f(0x18DA_F110));
    let (mixed_tx, mixed_rx) = (m(0x18CE_10F1, 9), m(0x18CE_F110, 9));
    let same = "expected two different addresses";
    let fixed = "does not fit the address format";
    let functional = "functional id does not fit";
    let table = [
        (n(1), n(1), "".into(), same),
        (f(0x18DA_10F1), f(0x0CDA_10F1), "".into(), same),
        (f(0x18EF_10F1), fixed_rx.clone(), "".into(), fixed),
        (f(0x19DA_10F1), fixed_rx.clone(), "".into(), fixed),
        (f(0x18DB_10F1), fixed_rx.clone(), "".into(), fixed),
        (m(0x18DA_10F1, 9), mixed_rx.clone(), "".into(), fixed),
        (
            n(1),
            n(2),
            std::format!(r#","functional_rx":{}"#, n(2)),
            "functional and the physical id are both 002",
        ),
        (
            n(1),
            n(2),
            std::format!(r#","functional_tx":{}"#, f(0x18DB_33F1)),
            functional,
        ),
        (
            fixed_tx.clone(),
            fixed_rx.clone(),
            std::format!(r#","functional_tx":{fixed_tx}"#),
            functional,
        ),
        (
            mixed_tx,
            mixed_rx,
            std::format!(r#","functional_tx":{}"#, m(0x18CD_33F1, 8)),
            functional,
        ),
        (
            n(1),
            n(2),
            r#","any_source":true"#.into(),
            "expected a normal fixed",
        ),
    ];
    for (tx, rx, more, reason) in table {
        let more: std::string::String = more;
        let json = std::format!(r#"{{"tx":{tx},"rx":{rx}{more}}}"#);
        let refused = read::<Address>(&json).expect_err(&json);
        assert!(refused.contains(reason), "{json}: {refused}");
    }
    assert!(read::<Half>(r#"{"normal_fixed":{"id":{"standard":1}}}"#).is_err());
}
