//! Parameters and configurations that change while a link lives.

use super::*;
use crate::config::StMin;
use crate::error::ChangeError;

/// `SVC-07`, in the order of its checks.
#[test]
fn change_parameter() {
    let config = Config::new();
    let mut link = link(normal(), &config);
    assert_eq!(link.configure(Parameter::BlockSize, 4), Ok(()));
    assert_eq!(link.configure(Parameter::StMin, 0xF3), Ok(()));
    for value in [0x80, 0xF0, 0xFA, 0x100, u32::MAX] {
        let wrong = Err(ChangeError::WrongValue { value });
        assert_eq!(link.configure(Parameter::StMin, value), wrong);
    }
    hear(&mut link, "7E8#1008000102030405");
    assert_eq!(sent(&mut link), ["7E0#3004F3"]);
    let receiving = Err(ChangeError::Receiving);
    assert_eq!(link.configure(Parameter::StMin, 0x80), receiving);
    assert_eq!("BS".parse(), Ok(Parameter::BlockSize));
    assert_eq!("STMIN".parse(), Ok(Parameter::StMin));
    assert_eq!(
        "BLOCK".parse::<Parameter>(),
        Err(ChangeError::WrongParameter)
    );
}

fn padded() -> Config {
    let mut config = Config::uds();
    config.receive.block_size = 9;
    config.receive.st_min = StMin::from_code(5).unwrap();
    config
}

#[test]
fn another_configuration_holds_for_all_that_comes_after_it() {
    let (plain, padded) = (Config::new(), padded());
    let mut link = link(normal(), &plain);
    link.configure(Parameter::BlockSize, 4).unwrap();
    link.send(ms(0), counted(2)).unwrap();
    assert_eq!(sent(&mut link), ["7E0#020001"]);
    assert_eq!(link.reconfigure(&padded), Ok(()));
    assert_eq!(
        told(&mut link),
        ["N_OK"],
        "the outcome of before is still told"
    );
    link.send(ms(0), counted(2)).unwrap();
    assert_eq!(sent(&mut link), ["7E0#020001CCCCCCCCCC"]);
    hear(&mut link, "7E8#1008000102030405");
    assert_eq!(sent(&mut link), ["7E0#300905CCCCCCCCCC"]);
}

#[test]
fn the_configuration_stays_while_a_message_is_on_its_way() {
    let (plain, padded) = (Config::new(), padded());
    let busy = Err(ReconfigureError::Busy);
    let begin: [(&str, fn(&mut Tested<'_>)); 5] = [
        ("to be sent", |link| link.send(ms(0), counted(9)).unwrap()),
        ("sent", |link| {
            link.send(ms(0), counted(9)).unwrap();
            sent(link);
        }),
        ("functional", |link| {
            link.send_functional(ms(0), counted(1)).unwrap();
        }),
        ("received", |link| hear(link, "7E8#1008000102030405")),
        ("refused", |link| hear(link, "7E8#1100000102030405")),
    ];
    let address = normal().with_functional_tx(std(0x7DF)).unwrap();
    for (how, begin) in begin {
        let mut link = link(address, &plain);
        begin(&mut link);
        assert_eq!(link.reconfigure(&padded), busy, "{how}");
        assert_eq!(link.config(), &plain, "{how}");
    }
}

#[test]
fn a_configuration_that_makes_no_sense_changes_nothing() {
    let (plain, mut wrong) = (Config::new(), padded());
    wrong.transmit.tx_dl = 9;
    let fd = Config::fd(64, true);
    let mut buffer = [0; 40];
    let mut link: Link<_, &[u8], _, _> =
        Link::with_spare(normal(), &plain, &mut buffer[..], [[0; 7]; 2]).unwrap();
    for config in [&wrong, &fd] {
        let error = link.reconfigure(config).unwrap_err();
        assert!(matches!(error, ReconfigureError::Config(_)), "{error}");
    }
    hear(&mut link, "7E8#1008000102030405");
    assert_eq!(sent(&mut link), ["7E0#300000"]);
}

#[test]
fn a_message_that_was_not_read_survives_a_change() {
    let (plain, padded) = (Config::new(), padded());
    let mut link = link(normal(), &plain);
    hear(&mut link, "7E8#023E00");
    assert_eq!(link.reconfigure(&padded), Ok(()));
    assert_eq!(told(&mut link), ["message 2 from E8"]);
}

#[test]
fn a_refused_configuration_says_why() {
    let error = ConfigError::InFlight;
    assert_eq!(
        ReconfigureError::Config(error).to_string(),
        error.to_string()
    );
    assert_eq!(
        ReconfigureError::Busy.to_string(),
        "a message is being sent or received; try again after it"
    );
}
